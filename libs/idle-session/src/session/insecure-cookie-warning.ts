import type { Request } from 'express';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { isByHttps } from '../utils/same-origin.js';

const CURE =
  "Tell Express to trust the proxy, app.set('trust proxy', 1), and let the proxy send X-Forwarded-Proto.";

/** RFC 7239; Express does not read it. */
const FORWARDED_HTTPS = /(^|;)\s*proto="?https"?\s*(;|$)/i;

/**
 * Logs once when the browser uses https but Express does not know: the session cookie is then sent without `Secure`, or
 * not at all.
 */
export function insecureCookieWarning(
  { cookie, proxy }: ResolvedOptions['session'],
  warn: (message: string) => void,
): (request: Request) => void {
  // With `proxy: true`, express-session reads X-Forwarded-Proto itself.
  let isDone = proxy === true || cookie.secure === false;
  const consequence =
    cookie.secure === true
      ? 'the browser gets no session cookie, and nobody stays signed in'
      : 'the session cookie is sent without Secure';
  return (request) => {
    if (isDone || !isHttpsForBrowser(request) || isByHttps(request)) return;
    isDone = true;
    warn(
      `The site is on https, but for Express the connection is not secure: ${consequence}. ${CURE}`,
    );
  };
}

function isHttpsForBrowser(request: Request): boolean {
  const { origin, referer, host } = request.headers;
  if (isHttpsForProxy(request)) return true;
  return isPageOf(origin, host) || isPageOf(referer, host);
}

/** Of several proxies, the first is the one that the browser talks to. */
function isHttpsForProxy({ headers }: Request): boolean {
  const { forwarded, 'x-forwarded-proto': proto } = headers;
  const isHttps = proto !== undefined && firstOf(proto).toLowerCase() === 'https';
  return isHttps || (forwarded !== undefined && FORWARDED_HTTPS.test(firstOf(forwarded)));
}

function firstOf(header: string | string[]): string {
  return String(header).split(',', 1)[0]!.trim();
}

function isPageOf(page: string | undefined, host: string | undefined): boolean {
  if (!page?.startsWith('https://')) return false;
  return page === `https://${host}` || page.startsWith(`https://${host}/`);
}
