import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Response } from 'express';
import type { CookieOptions } from 'express-session';

type Secret = string | Buffer;

/** The length of a signature: SHA-256 in base64, without padding. */
const SIGNATURE_LENGTH = 43;

/**
 * The session ids of all cookies of a name that are validly signed, in the browser's order, each with its cookie as it was
 * sent. Several come where cookies of that name were set for several paths or domains, or by several apps on one host.
 */
export function signedCookies(
  header: string,
  name: string,
  secrets: readonly Secret[],
): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of pairsOf(header)) {
    const id = isNamed(pair, name) ? signedIdOf(pair, secrets) : undefined;
    if (id !== undefined && !cookies.has(id)) cookies.set(id, pair);
  }
  return cookies;
}

/** How many cookies of the name there are, signed or not. */
export function countCookies(header: string, name: string): number {
  return pairsOf(header).filter((pair) => isNamed(pair, name)).length;
}

export function hasSeveralCookies(header: string, name: string): boolean {
  // Most requests have one, which is seen without taking the header apart.
  return header.indexOf(name) !== header.lastIndexOf(name) && countCookies(header, name) > 1;
}

/** The header with no cookie of the name but this one, as it was sent. */
export function keepOnly(cookie: string, header: string, name: string): string {
  return pairsOf(header)
    .filter((pair) => pair === cookie || !isNamed(pair, name))
    .join('; ');
}

function pairsOf(header: string): string[] {
  return header.split(';').map(withoutSpace);
}

function isNamed(pair: string, name: string): boolean {
  return withoutSpace(pair.slice(0, Math.max(0, pair.indexOf('=')))) === name;
}

/**
 * Without spaces and tabs at its ends, as browsers and express-session read a cookie. `trim()` takes more: a host next to
 * this one could set a `__Host-` cookie by putting a character before its name that only `trim()` takes for space.
 */
function withoutSpace(text: string): string {
  const isSpace = (index: number) => text[index] === ' ' || text[index] === '\t';
  let [start, end] = [0, text.length];
  while (isSpace(start)) start += 1;
  while (end > start && isSpace(end - 1)) end -= 1;
  return text.slice(start, end);
}

/** As express-session reads it: `s:<id>.<signature>`, percent-encoded, with or without quotes. */
function signedIdOf(pair: string, secrets: readonly Secret[]): string | undefined {
  const sent = withoutSpace(pair.slice(pair.indexOf('=') + 1));
  const value = decoded(sent.replace(/^"(.*)"$/, '$1'));
  const dot = value.lastIndexOf('.');
  const [id, signature] = [value.slice(2, dot), Buffer.from(value.slice(dot + 1))];
  if (!value.startsWith('s:') || signature.length !== SIGNATURE_LENGTH) return undefined;
  const isSigned = secrets.some((secret) => {
    const hmac = createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '');
    return timingSafeEqual(Buffer.from(hmac), signature);
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

/** Takes a session's cookie from an answer. What the app sets itself stays, also under that name, such as to clear it. */
export function takeBackCookie(response: Response, name: string, sessionId: string): void {
  const start = `${name}=${encodeURIComponent(`s:${sessionId}.`)}`;
  const cookies = [response.getHeader('Set-Cookie') ?? []].flat().map(String);
  const others = cookies.filter((cookie) => !cookie.startsWith(start));
  if (others.length > 0) response.setHeader('Set-Cookie', others);
  else response.removeHeader('Set-Cookie');
}

/** What a browser tells cookies apart by: without these, it takes a cookie to clear for another one. */
export function identifyingAttributes(options: CookieOptions) {
  const { path, domain, httpOnly, secure, sameSite, partitioned } = options;
  return { path, domain, httpOnly, secure: secure === true, sameSite, partitioned };
}
