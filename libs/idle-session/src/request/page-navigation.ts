import type { Request } from 'express';
import { isUnattended } from './passive-request.js';
import { safeReturnTo } from './safe-return-to.js';

/**
 * Whether a person's browser asks for a page, as opposed to a script for data. Browsers say so (`Sec-Fetch-Mode`, on
 * https and localhost); otherwise it is a request that prefers HTML to JSON and does not say that it is a script's.
 */
export function isPageNavigation(request: Request): boolean {
  // A page fetched ahead of time has nobody looking at it yet.
  if (isUnattended(request)) return false;
  const mode = request.get('Sec-Fetch-Mode');
  if (mode !== undefined) return mode === 'navigate';
  if (request.get('X-Requested-With') !== undefined || request.get('HX-Request') !== undefined)
    return false;
  return request.accepts(['application/json', 'text/html']) === 'text/html';
}

/** Whether a request is for that address, a path or a URL, with any query. */
export function isPageAt(address: string, request: Request): boolean {
  const isPath = address.startsWith('/');
  const { host, pathname } = new URL(address, 'http://any');
  return (isPath || host === request.host) && pathname === request.originalUrl.split('?')[0];
}

/** The page to come back to: the one asked for, or for a form the one it was sent from; undefined if on another site. */
export function pageOf(request: Request): string | undefined {
  const page =
    request.method === 'GET' || request.method === 'HEAD'
      ? request.originalUrl
      : refererPath(request);
  return page === undefined ? undefined : safeReturnTo(page, '') || undefined;
}

function refererPath(request: Request): string | undefined {
  const referer = request.get('Referer');
  if (referer === undefined || !URL.canParse(referer)) return undefined;
  const { host, pathname, search } = new URL(referer);
  return host === request.host ? pathname + search : undefined;
}
