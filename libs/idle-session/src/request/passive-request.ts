import type { Request } from 'express';
import { isOfListedOrigin } from '../utils/same-origin.js';

/** Where browsers say, or once said, that they fetch a page ahead of time. */
const PURPOSE_HEADERS = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'] as const;

/** What a browser reports may come without `Sec-Fetch-Dest`: later, or over http. */
const REPORT = /^application\/(reports\+json|csp-report)\s*(;|$)/i;

/**
 * Whether nobody may be behind a request: it says so itself, or another site made the browser send it. A header can only
 * withhold activity, never claim it.
 * @param origins the origins of pages beside the app's own
 */
export function isPassiveRequest(request: Request, origins: readonly string[]): boolean {
  if (isUnattended(request)) return true;
  return isFromAnotherSite(request) && !isOfListedOrigin(request, origins);
}

/**
 * Whether a request says of itself that nobody waits for its answer: a stream of events that stays open, a page fetched
 * ahead of time, what a browser sends by itself, or one that carries `Idle-Session: passive`.
 */
export function isUnattended({ headers }: Request): boolean {
  return (
    mentions(headers['idle-session'], 'passive') ||
    PURPOSE_HEADERS.some((name) => mentions(headers[name], 'prefetch')) ||
    isSentByBrowser(headers) ||
    acceptsOnlyEvents(headers.accept)
  );
}

/** What a browser sends by itself: reports of violations, and looks for a newer main script of a service worker. */
function isSentByBrowser(headers: Request['headers']): boolean {
  return (
    headers['sec-fetch-dest'] === 'report' ||
    headers['service-worker'] === 'script' ||
    REPORT.test(headers['content-type'] ?? '')
  );
}

/**
 * Another site, or another host of this one, may load an image here or open a page on a timer. Browsers say which of
 * its requests a person made: a click on a link.
 */
function isFromAnotherSite({ headers }: Request): boolean {
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  return headers['sec-fetch-user'] !== '?1';
}

/** GraphQL clients accept events beside JSON, for either way to answer: a person may be behind those. */
function acceptsOnlyEvents(accept = ''): boolean {
  if (!/event-stream/i.test(accept)) return false;
  const ranges = accept.split(',').map((range) => range.replace(/;.*/, '').trim().toLowerCase());
  const named = ranges.filter((range) => range !== '');
  return named.length > 0 && named.every((range) => range === 'text/event-stream');
}

function mentions(header: string | string[] | undefined, token: string): boolean {
  if (header === undefined) return false;
  const value = String(header).toLowerCase();
  return value.includes(token) && value.split(/[\s,;]+/).includes(token);
}
