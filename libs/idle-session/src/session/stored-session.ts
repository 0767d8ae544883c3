import type { Cookie, CookieOptions, SessionData } from 'express-session';
import type { ActivityRecord } from '../activity/activity-storage.js';
import { KEPT_FOR_TIMEOUTS } from '../utils/kept-for.js';
import { newCookie } from '../utils/new-cookie.js';

/**
 * In the stored data, says that the session was put under the idle clock, so that a lost record is not a new one. Holds
 * the session's reference: an app that copies all of a session's data into a new one must not copy this.
 */
const MARK = '__idleSession';

/** In the stored data, says that nobody could check whether the session had ended while it was being written. */
const UNCONFIRMED = '__idleSessionUnconfirmed';

/**
 * In the stored data, says what browsers know the session by since before it got its present id: `<ref> <told>`. It holds
 * the session's reference for the same reason as the mark.
 */
const TOLD_REF = '__idleSessionToldRef';

type Marked = SessionData & { [MARK]?: string; [UNCONFIRMED]?: true; [TOLD_REF]?: string };

/**
 * The reference that browsers are told. A confirm changes the session's id, and not this: to the tabs of the browser, it
 * is the same session.
 */
export function toldRef(data: SessionData | null | undefined, sessionRef: string): string {
  const stored = (data as Marked | null | undefined)?.[TOLD_REF];
  if (stored === undefined) return sessionRef;
  const [ref, told] = stored.split(' ');
  return ref === sessionRef && told ? told : sessionRef;
}

/** A session's data for its new id. */
export function underNewRef(session: SessionData, oldRef: string, newRef: string): SessionData {
  // Not the same object: the old session keeps its own until it has ended.
  const cookie = JSON.parse(JSON.stringify(session.cookie)) as Cookie;
  const told = `${newRef} ${toldRef(session, oldRef)}`;
  return { ...session, cookie, [MARK]: newRef, [TOLD_REF]: told } as Marked;
}

/** Whether the data is of a session that was under the idle clock when it was saved. */
export function isMarked(data: SessionData, sessionRef: string): boolean {
  return (data as Marked)[MARK] === sessionRef;
}

/** Stored data that counts only for a process that asks the activity storage itself. */
export function unconfirmed(data: SessionData): SessionData {
  return { ...data, [UNCONFIRMED]: true } as Marked;
}

export function isUnconfirmed(data: SessionData): boolean {
  return (data as Marked)[UNCONFIRMED] === true;
}

/** Whether there is anything in a session to save. */
export function isEmpty(session: SessionData): boolean {
  return Object.keys(session).every((key) => key === 'cookie');
}

/**
 * Whether activity that moved a record has to be told to the user's store: where it is the first of an idle timeout's
 * time, counted from the session's start. So nobody has to remember what the store was told last, and a session that is
 * alive always has a whole timeout to spare there, even if the store could not be told once.
 */
export function isRenewal(
  before: ActivityRecord | undefined,
  after: ActivityRecord | undefined,
): after is ActivityRecord {
  if (!before || !after) return false;
  return before.idleTimeoutMs !== after.idleTimeoutMs || periodOf(before) !== periodOf(after);
}

function periodOf({ startedAt, lastActivityAt, idleTimeoutMs }: ActivityRecord): number {
  return Math.floor((lastActivityAt - startedAt) / idleTimeoutMs);
}

/** For how long the user's store is to keep a session from now on. */
export function keepFor(idleTimeoutMs: number): number {
  return KEPT_FOR_TIMEOUTS * idleTimeoutMs;
}

/** What the user's store is given: marked, and with a cookie date that makes the store keep it until then. */
export function toStored(session: SessionData, sessionRef: string, keepUntil: number): SessionData {
  const stored: Marked = {
    ...session,
    [MARK]: sessionRef,
    cookie: Object.assign(newCookie(), session.cookie),
  };
  // Stores take their own expiry from this date; the browser never sees it.
  const { originalMaxAge } = session.cookie;
  stored.cookie.expires = new Date(Math.max(keepUntil, Date.now() + (originalMaxAge ?? 0)));
  stored.cookie.originalMaxAge = originalMaxAge;
  return stored;
}

/** What the user's store gave back, with the cookie's own date again: none, if it ends with the browser. */
export function fromStored(data: SessionData, sessionRef: string): SessionData {
  if (!isMarked(data, sessionRef)) return data;
  const cookie: CookieOptions & Pick<Cookie, 'originalMaxAge'> = data.cookie;
  const { originalMaxAge } = cookie;
  const expires = originalMaxAge == null ? null : new Date(Date.now() + originalMaxAge);
  const session: Marked = { ...data, cookie: { ...cookie, expires, originalMaxAge } as Cookie };
  delete session[UNCONFIRMED];
  return session;
}
