import { describe, expect, it } from '@jest/globals';
import expressSession, { type Cookie, type SessionData } from 'express-session';
import { fromStored, isEmpty, isMarked, keepFor, toStored } from './stored-session.js';

const { Cookie: SessionCookie } = expressSession as unknown as {
  Cookie: new (options?: object) => Cookie;
};

const REF = 'ref-of-the-session';

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
    expect(fromStored(stored, REF).cookie.originalMaxAge).toBe(3_600_000);
  });

  it('of before the module was there is handed out as it is', () => {
    const data = kept(sessionWith({ maxAge: 1000 }));
    expect(fromStored(data, REF)).toBe(data);
  });

  it('is kept for more than one idle timeout beyond the last that may pass unheard', () => {
    expect(keepFor(1000)).toBeGreaterThanOrEqual(3000);
  });

  it.each<[object, boolean]>([
    [{}, true],
    [{ user: undefined }, false],
    [{ user: 'ada' }, false],
  ])('of %p is empty: %p', (data, empty) => {
    expect(isEmpty(sessionWith({}, data))).toBe(empty);
  });
});
