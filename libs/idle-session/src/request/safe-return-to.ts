/** Longer ways back than this are refused: they come from a query that anybody can write. */
const MAXIMUM_LENGTH = 2048;

/** Only there to resolve paths against; nothing is ever sent to it. */
const ORIGIN = 'http://return-to.invalid';

/**
 * The path to go back to after signing in, or `fallback` for anything that would leave the site: other origins,
 * `//host`, backslashes, control characters, and paths that become one of these once a browser has resolved them.
 *
 * @param returnTo what came with the request: a path with query and hash
 * @param fallback default `'/'`
 */
export function safeReturnTo(returnTo: unknown, fallback = '/'): string {
  if (typeof returnTo !== 'string' || returnTo.length > MAXIMUM_LENGTH) return fallback;
  // oxlint-disable-next-line no-control-regex -- browsers drop some of them while parsing
  if (!returnTo.startsWith('/') || /[\\\u0000-\u001f\u007f]/.test(returnTo)) return fallback;
  if (!URL.canParse(returnTo, ORIGIN)) return fallback;
  const { origin, pathname, search, hash } = new URL(returnTo, ORIGIN);
  const path = pathname + search + hash;
  // Encoding makes some letters up to nine times as long.
  if (path.length > MAXIMUM_LENGTH) return fallback;
  return origin === ORIGIN && !pathname.startsWith('//') ? path : fallback;
}
