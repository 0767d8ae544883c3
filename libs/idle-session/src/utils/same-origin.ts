import type { Request } from 'express';

/** The longest part of a header that a log line repeats. */
const LOGGED_LENGTH = 100;

/**
 * Why a request counts as another origin's, for the log; undefined for the site's own (NIST SP 800-63B-4: POSTs verified
 * against CSRF). Browsers say where a request comes from; one that says nothing is not a browser's.
 */
export function otherOriginOf(request: Request): 'site' | 'host' | undefined {
  const site = request.get('Sec-Fetch-Site');
  if (site !== undefined) return site === 'same-origin' || site === 'none' ? undefined : 'site';
  const origin = request.get('Origin');
  if (origin === undefined) return undefined;
  return isOriginOf(origin, request.host) ? undefined : 'host';
}

/** What a log line says of a request that was refused. */
export function describeRefusal(request: Request, kind: 'site' | 'host'): string {
  const refused = `${request.method} ${request.originalUrl.split('?')[0]} was refused with 403`;
  if (kind === 'site') {
    return `${refused}: the browser says that it comes from another origin (Sec-Fetch-Site: ${quoted(request.get('Sec-Fetch-Site'))}).`;
  }
  return (
    `${refused}: its Origin is ${quoted(request.get('Origin'))}, but its host is ${quoted(request.host)}. If a proxy ` +
    'changed the host, people who type are signed out. Let the proxy pass on Host, or X-Forwarded-Host and tell Express ' +
    "to trust it: app.set('trust proxy', 1)."
  );
}

/** Whether a page of that origin would send this host: the port may be left out where it is the scheme's own. */
export function isOriginOf(origin: string, host: string | undefined): boolean {
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  const sent = `${url.protocol}//${host}`;
  return URL.canParse(sent) && new URL(sent).host === url.host && url.host !== '';
}

export function quoted(header: string | undefined): string {
  return JSON.stringify((header ?? '').slice(0, LOGGED_LENGTH));
}
