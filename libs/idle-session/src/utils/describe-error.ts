/** What Redis begins the message of an error with. Nothing but these words is taken from a message. */
const REDIS_CODE = new RegExp(
  `\\b(${[
    'ASK',
    'BUSY',
    'CLUSTERDOWN',
    'CROSSSLOT',
    'DENIED',
    'LOADING',
    'MASTERDOWN',
    'MISCONF',
    'MOVED',
    'NOAUTH',
    'NOPERM',
    'NOREPLICAS',
    'NOSCRIPT',
    'OOM',
    'READONLY',
    'TRYAGAIN',
    'UNBLOCKED',
    'WRONGPASS',
    'WRONGTYPE',
  ].join('|')})\\b`,
);

/** What Redis says where a script may not run a command, or not on a key or channel. */
const SCRIPT_DENIED = /^ERR (The user executing the script can't |ACL failure in script)/;

/** What may be logged of an error: its kind, and its code if it has one; never its message, which may hold session ids or data. */
export function describeError(error: unknown): string {
  const root = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (!(root instanceof Error)) return 'unknown error';
  const code = (root as NodeJS.ErrnoException).code ?? redisCodeOf(root.message);
  if (code !== undefined) return `${root.name} (${code})`;
  // Those of node-redis are named `Error`, all of them.
  return root.name === 'Error' ? root.constructor.name : root.name;
}

function redisCodeOf(message: string): string | undefined {
  return SCRIPT_DENIED.test(message) ? 'NOPERM' : REDIS_CODE.exec(message)?.[0];
}
