import { afterEach, describe, expect, it } from '@jest/globals';
import { ExpiredSessionSweeper } from '../../libs/idle-session/src/session/expired-session.sweeper.js';
import { serverTiming } from '../support/server-timing.js';
import { createTestApp, HOUR, MINUTE, type TestApp } from '../support/test-app.js';
import { expectEnded, statusOf } from '../support/requests.js';

let test: TestApp;
afterEach(() => test.app.close());

describe('The absolute timeout', () => {
  it('ends a session however active it is, at the limit and not before', async () => {
    test = await createTestApp({ options: { absoluteTimeout: '1h' } });
    const ada = await test.signedIn();
    for (let i = 0; i < 5; i++) {
      test.clock.advance(10 * MINUTE);
      await ada.get('/page').expect(200);
    }
    test.clock.advance(10 * MINUTE - 1);
    await ada.get('/page').expect(200);
    test.clock.advance(1);
    const { body } = await expectEnded(ada, 'absolute');
    expect(body.detail).toMatch(/signed in for a long time/);
    expect(await statusOf(ada)).toMatchObject({
      state: 'expired',
      reason: 'absolute',
      expiresInMs: 0,
      absoluteExpiresInMs: 0,
    });
    expect(test.events).toContainEqual(
      expect.objectContaining({ type: 'expired', reason: 'absolute' }),
    );
  });

  it('counts from sign-in: a regenerated id starts anew', async () => {
    test = await createTestApp({ options: { idleTimeout: '45m', absoluteTimeout: '1h' } });
    const ada = await test.signedIn();
    const first = await statusOf(ada);
    test.clock.advance(40 * MINUTE);
    await ada.post('/sign-in').expect(200);
    const second = await statusOf(ada);
    expect(second.absoluteExpiresInMs).toBe(HOUR);
    expect(second.sessionRef).not.toBe(first.sessionRef);
    test.clock.advance(40 * MINUTE);
    await ada.get('/page').expect(200, { user: 'ada' });
  });

  it.each([
    { lastActivityMinute: 10, reason: 'idle' },
    { lastActivityMinute: 15, reason: 'idle' },
    { lastActivityMinute: 16, reason: 'absolute' },
  ])(
    'names the limit that was passed first: $reason for activity at minute $lastActivityMinute',
    async ({ lastActivityMinute, reason }) => {
      test = await createTestApp({ options: { idleTimeout: '45m', absoluteTimeout: '1h' } });
      const ada = await test.signedIn();
      test.clock.advance(lastActivityMinute * MINUTE);
      await ada.get('/page').expect(200);
      test.clock.advance(2 * HOUR);
      await expectEnded(ada, reason);
    },
  );

  it('is what the status counts down to, and warns of, once it is the nearer limit', async () => {
    test = await createTestApp({ options: { idleTimeout: '45m', absoluteTimeout: '1h' } });
    const ada = await test.signedIn();
    test.clock.advance(40 * MINUTE);
    await ada.get('/page').expect(200);
    expect(await statusOf(ada)).toMatchObject({
      state: 'active',
      expiresInMs: 20 * MINUTE,
      absoluteExpiresInMs: 20 * MINUTE,
    });
    test.clock.advance(18 * MINUTE);
    await ada.get('/page').expect('Server-Timing', serverTiming('warning', 120_000));
  });

  it('of another app, or of the next release, on the same storage ends no session that started without it', async () => {
    test = await createTestApp({ options: { idleTimeout: '45m', absoluteTimeout: '12h' } });
    const ada = await test.signedIn();
    const stricter = await createTestApp({
      options: { idleTimeout: '10m', absoluteTimeout: '1h', storage: test.storage },
    });
    try {
      const storage = test.storage;
      for (let i = 0; i < 4; i++) {
        test.clock.advance(30 * MINUTE);
        expect((await storage.expire(100)).expired).toEqual([]);
        await ada.get('/page').expect(200);
      }
      expect((await statusOf(ada)).absoluteExpiresInMs).toBe(10 * HOUR);
      await stricter.app.get(ExpiredSessionSweeper).sweep();
      await ada.get('/page').expect(200);
      expect(stricter.events).toEqual([]);
    } finally {
      await stricter.app.close();
    }
  });

  it('can be switched off', async () => {
    test = await createTestApp({ options: { idleTimeout: '24h', absoluteTimeout: false } });
    const ada = await test.signedIn();
    for (let day = 0; day < 30; day++) {
      test.clock.advance(23 * HOUR);
      await ada.get('/page').expect(200);
    }
    expect((await statusOf(ada)).absoluteExpiresInMs).toBeNull();
  });
});
