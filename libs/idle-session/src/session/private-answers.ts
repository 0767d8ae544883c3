import type { Response } from 'express';

/** For answers that are for one person: no cache is to keep them, nor a browser to show them after signing out. */
const PRIVATE = 'private, no-store';

/** What Express sets for files where the app says nothing. */
const UNDECIDED = 'public, max-age=0';

/** What a CDN goes by instead of `Cache-Control` (RFC 9213, and what there was before it). */
const isTargeted = (name: string) =>
  name.endsWith('cdn-cache-control') || name === 'surrogate-control';

interface Answer {
  /** It is of a live session. */
  readonly isPersonal: boolean;
  /** It is of a request that the guard checked. */
  readonly isChecked: boolean;
}

/**
 * Lets no cache keep a personal answer unless the app says otherwise. Lets no shared cache keep an answer that sets the
 * session cookie, also if the app says otherwise: the cache would hand one person's session to others.
 *
 * @returns whether shared caches may keep a personal answer
 */
export function keepFromCaches(response: Response, cookieName: string, answer: Answer): boolean {
  const cookies = response.getHeader('Set-Cookie');
  const setsCookie =
    cookies !== undefined &&
    [cookies].flat().some((cookie) => String(cookie).startsWith(`${cookieName}=`));
  if (!answer.isPersonal && !setsCookie) return false;
  const targeted = response.getHeaderNames().filter(isTargeted);
  if (setsCookie) for (const name of targeted) response.removeHeader(name);
  const isShared = makePrivate(response, setsCookie, answer);
  return isShared || (targeted.length > 0 && !setsCookie);
}

/** Does it with `Cache-Control`. */
function makePrivate(
  response: Response,
  setsCookie: boolean,
  { isPersonal, isChecked }: Answer,
): boolean {
  const cacheControl = response.getHeader('Cache-Control')?.toString();
  // A file that no guard protects is the same for everybody.
  const isUndecided = isPersonal && isChecked && cacheControl === UNDECIDED;
  if (cacheControl === undefined || isUndecided) {
    response.setHeader('Cache-Control', PRIVATE);
    return false;
  }
  const directives = cacheControl.split(',').map((directive) => directive.trim());
  if (directives.some((directive) => /^(private|no-store)$/i.test(directive))) return false;
  if (setsCookie) {
    const others = directives.filter((directive) => !/^public$/i.test(directive));
    response.setHeader('Cache-Control', ['private', ...others].join(', '));
  }
  return !setsCookie;
}
