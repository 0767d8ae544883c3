import type { Request } from 'express';

/** Why a request counts as another origin's: by `Sec-Fetch-Site`, by `Origin`, or listed but of another site. */
export type OtherOrigin = 'site' | 'host' | 'listed';

/**
 * Why a request counts as another origin's, for the log; undefined for the site's own and for listed ones (NIST SP
 * 800-63B-4: POSTs verified against CSRF). Browsers say where a request comes from; one that says nothing is not a
 * browser's.
 * @param origins the origins of pages beside the app's own
 */
export function otherOriginOf(
  request: Request,
  origins: readonly string[],
): OtherOrigin | undefined {
  if (isOfListedOrigin(request, origins)) return undefined;
  const origin = request.get('Origin');
  if (origin !== undefined && origins.includes(origin)) return 'listed';
  const site = request.get('Sec-Fetch-Site');
  if (site !== undefined) return site === 'same-origin' || site === 'none' ? undefined : 'site';
  if (origin === undefined) return undefined;
  return isOwnOrigin(origin, request) ? undefined : 'host';
}

/**
 * Whether a page of a listed origin sent the request. Browsers say of one on another site that it is: they do not send it
 * the session cookie, unless that is `SameSite=None`.
 */
export function isOfListedOrigin({ headers }: Request, origins: readonly string[]): boolean {
  const { origin } = headers;
  return (
    origin !== undefined && origins.includes(origin) && headers['sec-fetch-site'] !== 'cross-site'
  );
}

/**
 * Whether a page of that origin would send this host: the port may be left out where it is the scheme's own. Where Express
 * knows that the request came by https, a page over http is of another origin.
 */
function isOwnOrigin(origin: string, request: Request): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  if (isByHttps(request) && url.protocol !== 'https:') return false;
  const sent = `${url.protocol}//${request.host}`;
  return URL.canParse(sent) && new URL(sent).host === url.host && url.host !== '';
}

/** Whether Express knows that the request came by https: of a handshake, some proxies say `wss`. */
export function isByHttps({ secure, protocol }: Request): boolean {
  return secure || protocol === 'wss';
}
