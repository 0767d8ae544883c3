import type { Request } from 'express';

/**
 * Why a request counts as another origin's: by `Sec-Fetch-Site`; since its `Origin` names none, one of another host, or one
 * over http where the request came by https; or listed, but of another site.
 */
export type OtherOrigin = 'site' | 'unnamed' | 'host' | 'http' | 'listed';

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
  return origin === undefined ? undefined : otherThanHost(origin, request);
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
 * What keeps a page of that origin from sending this host, if anything: the port may be left out where it is the scheme's
 * own. Where Express knows that the request came by https, a page over http is of another origin.
 */
function otherThanHost(origin: string, request: Request): OtherOrigin | undefined {
  if (!URL.canParse(origin)) return 'unnamed';
  const { protocol, host } = new URL(origin);
  if (isByHttps(request) && protocol !== 'https:') return protocol === 'http:' ? 'http' : 'host';
  const sent = `${protocol}//${request.host}`;
  const isOwn = host !== '' && URL.canParse(sent) && new URL(sent).host === host;
  return isOwn ? undefined : 'host';
}

/** Whether Express knows that the request came by https: of a handshake, some proxies say `wss`. */
export function isByHttps({ secure, protocol }: Request): boolean {
  return secure || protocol === 'wss';
}
