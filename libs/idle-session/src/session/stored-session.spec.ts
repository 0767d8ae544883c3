import { newRecord } from '../activity/activity-storage.js';
import { describe, expect, it } from '@jest/globals';
import expressSession, { type Cookie, type SessionData } from 'express-session';
import {
  fromStored,
  isEmpty,
  isMarked,
  isRenewal,
  keepFor,
  toldRef,
  toStored,
  underNewRef,
} from './stored-session.js';

const RECORD = newRecord(
  { sessionId: 'id', idleTimeoutMs: 1000, absoluteTimeoutMs: null, lockAfterMs: null, owner: null },
  0,
);

const { Cookie: SessionCookie } = expressSession as unknown as {
  Cookie: new (options?: object) => Cookie;
};

const REF = 'ref-of-the-session';

/** express-session reads the clock twice for it: `originalMaxAge` may be a millisecond less than `maxAge`. */
const sessionWith = (cookie: object, data: object = { user: 'ada' }): SessionData =>
  ({ ...data, cookie: new SessionCookie(cookie) }) as SessionData;

/** As a store keeps it: as JSON. */
const kept = (session: SessionData): SessionData =>
  JSON.parse(JSON.stringify(session)) as SessionData;

describe('Stored session data', () => {
  it('is marked, so that a lost record is not taken for a new session', () => {
    const session = sessionWith({});
    expect(isMarked(session, REF)).toBe(false);
    expect(isMarked(kept(toStored(session, REF, 0)), REF)).toBe(true);
  });

  it('is not marked for another session that an app copies it into', () => {
    const stored = kept(toStored(sessionWith({}), REF, 0));
    expect(isMarked(stored, 'ref-of-another')).toBe(false);
  });

  it('has a cookie date for the store, which the browser never sees', () => {
    const keepUntil = Date.now() + 60_000;
    const stored = kept(toStored(sessionWith({}), REF, keepUntil));
    expect(new Date(stored.cookie.expires!).getTime()).toBe(keepUntil);
    const { cookie } = fromStored(stored, REF);
    expect([cookie.expires, cookie.originalMaxAge]).toEqual([null, null]);
  });

  it('keeps the rest of the data and of the cookie as it was, and the session itself untouched', () => {
    const session = sessionWith({ path: '/desk', sameSite: 'strict', secure: true });
    const before = JSON.stringify(session);
    expect(fromStored(kept(toStored(session, REF, Date.now() + 60_000)), REF)).toMatchObject({
      user: 'ada',
      cookie: { path: '/desk', sameSite: 'strict', secure: true, httpOnly: true },
    });
    expect(JSON.stringify(session)).toBe(before);
  });

  it('is kept as long as a persistent cookie, if that is longer', () => {
    const session = sessionWith({ maxAge: 3_600_000 });
    const stored = kept(toStored(session, REF, Date.now() + 60_000));
    expect(new Date(stored.cookie.expires!).getTime()).toBeGreaterThan(Date.now() + 3_500_000);
    const { originalMaxAge } = session.cookie;
    expect(fromStored(stored, REF).cookie.originalMaxAge).toBe(originalMaxAge);
  });

  it('of before the module was there is handed out as it is', () => {
    const data = kept(sessionWith({ maxAge: 1000 }));
    expect(fromStored(data, REF)).toBe(data);
  });

  it.each([
    ['at the last moment, again and again', 1],
    ['twice in a timeout', 0.5],
    ['all the time', 0.01],
  ])('is kept for a timeout longer than it may live, with activity %s', (_, step) => {
    const idleTimeoutMs = 1000;
    const startedAt = 300;
    let [before, keptUntil, renewals] = [startedAt, startedAt + keepFor(idleTimeoutMs), 0];
    const record = (lastActivityAt: number) => ({
      ...RECORD,
      startedAt,
      lastActivityAt,
      idleTimeoutMs,
    });
    for (let now = startedAt; now < 20_000; now += Math.floor(step * idleTimeoutMs) - 1) {
      if (isRenewal(record(before), record(now)) && renewals++ !== 3)
        keptUntil = now + keepFor(idleTimeoutMs);
      // Also after the one that the store refused.
      expect(keptUntil).toBeGreaterThanOrEqual(now + 2 * idleTimeoutMs - 1);
      before = now;
    }
    expect(renewals).toBeLessThanOrEqual(20);
  });

  it('is renewed at once when its timeout changes', () => {
    const record = { ...RECORD, lastActivityAt: 10, idleTimeoutMs: 1000 };
    expect(isRenewal(record, record)).toBe(false);
    expect(isRenewal(record, { ...record, idleTimeoutMs: 2000 })).toBe(true);
  });

  it.each<[object, boolean]>([
    [{}, true],
    [{ user: undefined }, false],
    [{ user: 'ada' }, false],
  ])('of %p is empty: %p', (data, empty) => {
    expect(isEmpty(sessionWith({}, data))).toBe(empty);
  });
});

describe('A session under a new id', () => {
  const NEW_REF = 'ref-of-the-new-id';
  const stored = () => kept(toStored(sessionWith({ maxAge: 3_600_000 }), REF, 0));

  it('has the same data and cookie, and the mark of the new id', () => {
    const before = fromStored(stored(), REF);
    const { originalMaxAge } = before.cookie;
    const session = underNewRef(before, REF, NEW_REF);
    expect(session).toMatchObject({ user: 'ada', cookie: { originalMaxAge } });
    expect(isMarked(session, NEW_REF)).toBe(true);
    expect(isMarked(session, REF)).toBe(false);
  });

  it('is told by the reference that it had first, however often the id changes', () => {
    const once = underNewRef(stored(), REF, NEW_REF);
    expect(toldRef(once, NEW_REF)).toBe(REF);
    expect(toldRef(underNewRef(once, NEW_REF, 'a-third'), 'a-third')).toBe(REF);
  });

  it('gives that to no other session that an app copies its data into', () => {
    const copied = { ...underNewRef(stored(), REF, NEW_REF) };
    expect(toldRef(copied, 'ref-of-another')).toBe('ref-of-another');
    expect(toldRef(null, REF)).toBe(REF);
  });
});
