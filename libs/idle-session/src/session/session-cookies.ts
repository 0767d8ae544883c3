import { createHmac, timingSafeEqual } from 'node:crypto';
import type { CookieOptions } from 'express-session';

type Secret = string | Buffer;

/**
 * The session ids of all cookies of a name that are validly signed, in the browser's order. Several come where cookies of
 * that name were set for several paths or domains, or by several apps on one host.
 */
export function signedSessionIds(
  header: string,
  name: string,
  secrets: readonly Secret[],
): string[] {
  const ids = pairsOf(header).flatMap((pair) => {
    const id = isNamed(pair, name) ? signedIdOf(pair, secrets) : undefined;
    return id === undefined ? [] : [id];
  });
  return [...new Set(ids)];
}

/** How many cookies of the name there are, signed or not. */
export function countCookies(header: string, name: string): number {
  return pairsOf(header).filter((pair) => isNamed(pair, name)).length;
}

export function hasSeveralCookies(header: string, name: string): boolean {
  // Most requests have one, which is seen without taking the header apart.
  return header.indexOf(name) !== header.lastIndexOf(name) && countCookies(header, name) > 1;
}

/** The header with no cookie of the name but that of the session id. */
export function keepOnly(
  sessionId: string,
  header: string,
  name: string,
  secrets: readonly Secret[],
): string {
  return pairsOf(header)
    .filter((pair) => !isNamed(pair, name) || signedIdOf(pair, secrets) === sessionId)
    .join('; ');
}

function pairsOf(header: string): string[] {
  return header.split(';').map((pair) => pair.trim());
}

function isNamed(pair: string, name: string): boolean {
  return pair.slice(0, pair.indexOf('=')).trim() === name;
}

/** As express-session reads it: `s:<id>.<signature>`, percent-encoded, with or without quotes. */
function signedIdOf(pair: string, secrets: readonly Secret[]): string | undefined {
  const sent = pair.slice(pair.indexOf('=') + 1).trim();
  const value = decoded(sent.replace(/^"(.*)"$/, '$1'));
  const dot = value.lastIndexOf('.');
  if (!value.startsWith('s:') || dot < 0) return undefined;
  const [id, signature] = [value.slice(2, dot), Buffer.from(value.slice(dot + 1))];
  const isSigned = secrets.some((secret) => {
    const hmac = createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '');
    const expected = Buffer.from(hmac);
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  });
  return isSigned ? id : undefined;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** What a browser tells cookies apart by: without these, it takes a cookie to clear for another one. */
export function identifyingAttributes(options: CookieOptions) {
  const { path, domain, httpOnly, secure, sameSite, partitioned } = options;
  return { path, domain, httpOnly, secure: secure === true, sameSite, partitioned };
}
