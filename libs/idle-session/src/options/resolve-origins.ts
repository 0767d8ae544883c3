import { isIP } from 'node:net';
import type { CookieOptions } from 'express-session';
import { IdleSessionOptionsError, valueOf } from '../utils/option-error.js';

const EXAMPLE = 'https://app.example.com';

/** Hosts on which browsers take a `Secure` cookie over http. */
const LOCAL = /^(.+\.)?localhost$|^127\.|^\[::1\]$/;

/**
 * The origins of pages beside the app's own.
 * @param cookie the options of the session cookie, complete
 * @throws {IdleSessionOptionsError} for what is no exact origin, and for one of another site, as far as the start can know
 */
export function resolveOrigins(
  given: readonly unknown[] = [],
  cookie: CookieOptions,
): readonly string[] {
  const urls = given.map((value, index) => parseOrigin(value, nameOf(index)));
  for (const [index, url] of urls.entries()) {
    const expected = otherSiteThan(url, urls[0]!, cookie);
    if (expected === undefined) continue;
    throw new IdleSessionOptionsError(
      nameOf(index),
      url.origin,
      `${expected}: browsers send the session cookie only within one site, which is a scheme and a registrable domain`,
      valueOf(url.origin),
    );
  }
  return urls.map(({ origin }) => origin);
}

const nameOf = (index: number) => `origins[${index}]`;

function parseOrigin(value: unknown, option: string): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  const isWeb = url !== undefined && /^https?:$/.test(url.protocol) && !url.host.includes('*');
  if (isWeb && url.origin === value) return url;
  throw new IdleSessionOptionsError(
    option,
    value,
    `an exact origin as browsers send it, scheme, host and port: '${isWeb && !url.username ? url.origin : EXAMPLE}'`,
    valueOf(value),
  );
}

/**
 * What an origin would have to be to be of one site with the first and with the cookie; undefined if it may be. The app's
 * own host is not known yet: of a page on yet another site, the browser says so with each request.
 */
function otherSiteThan(
  url: URL,
  first: URL,
  { domain, secure }: CookieOptions,
): string | undefined {
  if (secure === true && url.protocol === 'http:' && !LOCAL.test(url.hostname))
    return 'an https origin beside session.cookie.secure: true';
  if (url.protocol !== first.protocol || isOtherSite(url.hostname, first.hostname))
    return `an origin of the same site as ${nameOf(0)}, ${valueOf(first.origin)}`;
  const cookieHost = domain?.replace(/^\./, '').toLowerCase();
  if (cookieHost !== undefined && isOtherSite(url.hostname, cookieHost))
    return `an origin of the same site as session.cookie.domain`;
  return undefined;
}

/**
 * Whether two hosts are certainly of different sites: a domain that people can register has at least two labels. Of
 * `a.co.uk` and `b.co.uk` this function does not say so, since only browsers have the list of public suffixes.
 */
function isOtherSite(host: string, other: string): boolean {
  if (host === other) return false;
  return isIP(host) !== 0 || lastLabels(host) !== lastLabels(other);
}

const lastLabels = (host: string) => host.split('.').slice(-2).join('.');
