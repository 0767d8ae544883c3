import type { SessionData } from 'express-session';
import { newCookie } from '../utils/new-cookie.js';
import { UnusableAnswerError } from '../utils/outage-log.js';

/**
 * Passes on a row of the session store if express-session can make a session of it.
 * @throws {UnusableAnswerError} that says what is wrong with the row, and nothing of what is in it
 */
export function usableRow(row: unknown): SessionData {
  if (!isObject(row)) throw new UnusableAnswerError('a row that is no object');
  const { cookie } = row;
  if (!isObject(cookie)) throw new UnusableAnswerError('a row without a cookie');
  if (isPlain(cookie)) return row as unknown as SessionData;
  try {
    // What express-session and this module do with it, up to the header of the answer.
    const { originalMaxAge } = cookie;
    for (const expires of [cookie.expires, originalMaxAge != null && dateIn(originalMaxAge)]) {
      const made = newCookie(cookie);
      made.expires = typeof expires === 'string' ? new Date(expires) : (expires as Date);
      made.serialize('name', '');
      // As express-session does for each answer.
      made.maxAge = originalMaxAge as number;
    }
  } catch {
    throw new UnusableAnswerError('a row whose cookie cannot be used');
  }
  return row as unknown as SessionData;
}

/** Whether a store's `get` failed with what is about the row alone: it is not JSON, or no string in Redis. */
export function isAboutRow(error: unknown): boolean {
  const isOther = error instanceof Error && error.message.startsWith('WRONGTYPE ');
  return isOther || error instanceof SyntaxError;
}

/** What cookies mostly have, and can be used for certain. Of anything else it has to be tried. */
const PLAIN = new Map<string, (value: unknown) => boolean>([
  ['path', (value) => value === '/'],
  ['httpOnly', isFlag],
  ['secure', isFlag],
  ['partitioned', isFlag],
  ['sameSite', (value) => isFlag(value) || value === 'lax' || value === 'strict'],
  ['expires', (value) => value === null || (typeof value === 'string' && isDate(value))],
  [
    'originalMaxAge',
    (value) => value === null || (typeof value === 'number' && Math.abs(value) < 1e15),
  ],
]);

function isPlain(cookie: Record<string, unknown>): boolean {
  for (const name in cookie) if (PLAIN.get(name)?.(cookie[name]) !== true) return false;
  return true;
}

function isFlag(value: unknown): boolean {
  return typeof value === 'boolean';
}

function isDate(text: string): boolean {
  return !Number.isNaN(Date.parse(text));
}

function dateIn(milliseconds: unknown): Date {
  return new Date(Date.now() + (milliseconds as number));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
