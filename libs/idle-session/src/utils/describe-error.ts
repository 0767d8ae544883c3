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

/** What may be logged of an error: its kind and its code, never its message, which may hold session ids or data. */
export function describeError(error: unknown): string {
  const root = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (!(root instanceof Error)) return 'unknown error';
  const code = (root as NodeJS.ErrnoException).code ?? REDIS_CODE.exec(root.message)?.[0];
  return code === undefined ? root.name : `${root.name} (${code})`;
}
