import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import expressSession, { type SessionData } from 'express-session';
import { ActivityStorage, MemoryActivityStorage } from 'nestjs-idle-session';
import { ManualClock } from 'nestjs-idle-session/testing';
import { ExpiredSessionSweeper } from '../../libs/idle-session/src/session/expired-session.sweeper.js';
import {
  HOUR,
  MINUTE,
  SECOND,
  SECRET,
  type TestApp,
  type TestAppOptions,
} from '../support/test-app.js';
import { cookiesOf } from '../support/cookies.js';
import { MinimalStore } from '../support/minimal-store.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { testApps } from '../support/test-apps.js';
import { newSession } from '../support/new-session.js';
import { until } from '../support/until.js';

const start = testApps();
afterEach(() => {
  jest.restoreAllMocks();
});

/** What the app does each second. */
const sweep = ({ app }: TestApp) => app.get(ExpiredSessionSweeper).sweep();

const typesOf = (...tests: TestApp[]) =>
  tests.flatMap(({ events }) => events.map(({ type }) => type));

async function startWithStore(options: TestAppOptions = {}) {
  const store = new MinimalStore();
  const test = await start({ ...options, options: { session: { secret: SECRET, store } } });
  return { test, store };
}

/** A session store that can be away, slow, or done at once. */
class Store extends MinimalStore {
  away = false;
  takesMs: number | undefined;

  override destroy(id: string, done?: (error?: unknown) => void): void {
    if (this.away) setImmediate(() => done?.(new Error('the store is away')));
    else if (this.takesMs === undefined) super.destroy(id, done);
    else if (this.takesMs > 0) setTimeout(() => super.destroy(id, done), this.takesMs);
    else {
      this.sessions.delete(id);
      done?.();
    }
  }
}

describe('A session whose time is up', () => {
  // The one test here that goes by the real timer.
  it('ends within about a second, without any request', async () => {
    const { test, store } = await startWithStore({ sweeps: true });
    await test.signedIn();
    test.clock.advance(15 * MINUTE);
    const expired = new Promise((resolve) =>
      test.sessions.events.subscribe(({ type }) => resolve(type)),
    );
    // Of two timers in one process, a busy machine holds up both.
    expect(await Promise.race([expired, delay(1.5 * SECOND, 'late', { ref: false })])).toBe(
      'expired',
    );
    await until('its data is removed', () => store.sessions.size === 0);
  });

  it('emits an event with its reference and the reason', async () => {
    const test = await start();
    const ada = await test.signedIn();
    const { sessionRef } = (await ada.get('/idle-session/status')).body as { sessionRef: string };
    test.clock.advance(15 * MINUTE);
    await sweep(test);
    expect(test.events.slice(1)).toMatchObject([
      { type: 'expired', sessionRef, reason: 'idle', cause: 'clock' },
    ]);
  });

  it('ends at the absolute limit, however active', async () => {
    const test = await start({ options: { absoluteTimeout: '1h' } });
    const ada = await test.signedIn();
    for (let passed = 0; passed < 50; passed += 10) {
      test.clock.advance(10 * MINUTE);
      await ada.get('/page').expect(200);
    }
    test.clock.advance(10 * MINUTE - 1);
    await sweep(test);
    expect(typesOf(test)).toEqual(['started']);
    test.clock.advance(1);
    await sweep(test);
    expect(test.events[1]).toMatchObject({ type: 'expired', reason: 'absolute' });
    expect((await ada.get('/page').expect(401)).body.reason).toBe('absolute');
  });

  it('does not end by itself without a limit that is reached', async () => {
    const test = await start({ options: { absoluteTimeout: false } });
    const ada = await test.signedIn();
    for (let passed = 0; passed < 13 * 60; passed += 14) {
      test.clock.advance(14 * MINUTE);
      await ada.get('/page').expect(200);
      await sweep(test);
    }
    expect(typesOf(test)).toEqual(['started']);
  });

  it('is removed from the session store', async () => {
    const { test, store } = await startWithStore();
    await test.signedIn();
    await test.signedIn({ user: 'eve' });
    expect(store.sessions.size).toBe(2);
    test.clock.advance(15 * MINUTE);
    await sweep(test);
    expect(store.sessions.size).toBe(0);
  });

  it('is answered with the reason when its person comes back, once and for all', async () => {
    const test = await start({ options: { loginUrl: '/login' } });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await sweep(test);
    test.clock.advance(HOUR);
    const { body } = await ada.get('/idle-session/status').expect(200);
    expect(body).toMatchObject({ state: 'expired', reason: 'idle', expiresInMs: 0 });
    expect((await ada.get('/page').expect(401)).body.reason).toBe('idle');
    await ada
      .get('/page')
      .set({ 'Sec-Fetch-Mode': 'navigate', Accept: 'text/html' })
      .expect(303)
      .expect('Location', '/login?reason=idle&returnTo=%2Fpage');
    expect(typesOf(test)).toEqual(['started', 'expired']);
  });

  it('emits one event, however many sweeps and requests find it expired at the same moment', async () => {
    const clock = new ManualClock();
    const storage = new MemoryActivityStorage({ now: clock.now });
    const session = { secret: SECRET, store: new expressSession.MemoryStore() };
    const one = await start({ options: { storage, session } });
    const two = await start({ options: { storage, session } });
    const cookies: string[] = [];
    for (let person = 0; person < 10; person++)
      cookies.push(cookiesOf(await one.browser().post('/sign-in').send({}).expect(200)));
    clock.advance(15 * MINUTE);
    const requests = cookies.map((cookie, index) =>
      (index % 2 === 0 ? one : two).browser().get('/page').set('Cookie', cookie).expect(401),
    );
    await Promise.all([sweep(one), ...requests, sweep(two), sweep(one)]);
    await Promise.all([sweep(one), sweep(two)]);
    const expired = [...one.events, ...two.events].filter(({ type }) => type === 'expired');
    expect(new Set(expired.map(({ sessionRef }) => sessionRef)).size).toBe(10);
    expect(expired).toHaveLength(10);
  });
});

describe('A session does not end by itself', () => {
  it.each<[string, (ada: Awaited<ReturnType<TestApp['signedIn']>>) => PromiseLike<unknown>]>([
    ['a request', (ada) => ada.get('/page').expect(200)],
    [
      'a heartbeat',
      (ada) => ada.post('/idle-session/heartbeat').send({ idleForMs: 0 }).expect(200),
    ],
  ])('before its time, which %s moves on', async (_, act) => {
    const test = await start();
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    await act(ada);
    test.clock.advance(15 * MINUTE - 1);
    await sweep(test);
    expect(typesOf(test)).toEqual(['started']);
    test.clock.advance(1);
    await sweep(test);
    expect(typesOf(test)).toEqual(['started', 'expired']);
  });

  it('while a longer timeout of its own says so', async () => {
    const test = await start({ options: { idleTimeout: () => timeout } });
    let timeout = 10 * MINUTE;
    const ada = await test.signedIn();
    timeout = 30 * MINUTE;
    await ada.get('/page').expect(200);
    test.clock.advance(29 * MINUTE);
    await sweep(test);
    expect(typesOf(test)).toEqual(['started']);
    await ada.get('/page').expect(200);
    timeout = 5 * MINUTE;
    await ada.get('/page').expect(200);
    test.clock.advance(5 * MINUTE);
    await sweep(test);
    expect(typesOf(test)).toEqual(['started', 'expired']);
  });

  it('a second time after a sign-out, and emits no second event', async () => {
    const test = await start();
    const ada = await test.signedIn();
    await ada.post('/sign-out').expect(204);
    for (const later of [15 * MINUTE, 24 * HOUR, HOUR]) {
      test.clock.advance(later);
      await sweep(test);
    }
    expect(typesOf(test)).toEqual(['started', 'ended']);
    expect(test.storage.size).toBe(0);
  });
});

describe('An app that stops', () => {
  it('sweeps no more', async () => {
    const test = await start({ sweeps: true });
    await test.signedIn();
    await test.app.close();
    const expire = jest.spyOn(test.storage, 'expire');
    test.clock.advance(15 * MINUTE);
    await delay(1.2 * SECOND);
    await sweep(test);
    expect(expire).not.toHaveBeenCalled();
  });

  it('has emitted the events of all that it ended', async () => {
    const store = new Store();
    store.takesMs = 200;
    const test = await start({ sweeps: true, options: { session: { secret: SECRET, store } } });
    for (let person = 0; person < 5; person++) await test.signedIn();
    test.clock.advance(15 * MINUTE);
    // The real timer, so that the app knows of this sweep.
    while (!typesOf(test).includes('expired')) await delay(5);
    await test.app.close();
    expect(typesOf(test).filter((type) => type === 'expired')).toHaveLength(5);
    expect(store.sessions.size).toBe(0);
  });

  it('goes on sweeping until then, whatever a sweep came to', async () => {
    const test = await start({ sweeps: true, logger: new RecordingLogger() });
    const expire = jest.spyOn(test.storage, 'expire').mockImplementation(() => {
      throw new Error('broken on purpose');
    });
    while (expire.mock.calls.length === 0) await delay(10);
    expire.mockRestore();
    await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await until('it expired', () => typesOf(test).includes('expired'));
    expect(typesOf(test)).toEqual(['started', 'expired']);
  });
});

describe('An outage during a sweep loses nothing but time', () => {
  it('of the activity storage: the session ends with the next sweep', async () => {
    const logger = new RecordingLogger();
    const test = await start({ logger });
    await test.signedIn();
    test.clock.advance(15 * MINUTE);
    const expire = jest.spyOn(test.storage as ActivityStorage, 'expire');
    expire.mockImplementationOnce(async () => {
      throw new Error('the storage is away');
    });
    await sweep(test);
    expect(typesOf(test)).toEqual(['started']);
    await sweep(test);
    expect(typesOf(test)).toEqual(['started', 'expired']);
    expect(logger.errors).toEqual([expect.stringContaining('activity storage (expire)')]);
  });

  it('of the session store: the event comes, and the data goes once the store is back', async () => {
    const store = new Store();
    const logger = new RecordingLogger();
    const test = await start({ logger, options: { session: { secret: SECRET, store } } });
    const ada = await test.signedIn();
    await test.signedIn({ user: 'eve' });
    test.clock.advance(15 * MINUTE);
    store.away = true;
    await sweep(test);
    expect(typesOf(test).filter((type) => type === 'expired')).toHaveLength(2);
    expect(logger.errors).toHaveLength(1);
    expect((await ada.get('/page').expect(401)).body.reason).toBe('idle');
    store.away = false;
    await sweep(test);
    expect(store.sessions.size).toBe(0);
    expect(typesOf(test).filter((type) => type === 'expired')).toHaveLength(2);
    const calls = store.calls.length;
    await sweep(test);
    expect(store.calls).toHaveLength(calls);
  });

  it('of the session store for some: the data of the others goes all the same', async () => {
    const store = new (class extends Store {
      override destroy(id: string, done?: (error?: unknown) => void): void {
        if (id.startsWith('refused')) done?.(new Error('it stays'));
        else super.destroy(id, done);
      }
    })();
    store.away = true;
    const test = await start({
      logger: new RecordingLogger(),
      options: { session: { secret: SECRET, store } },
    });
    // More than are removed in one go.
    const refused = Array.from({ length: 100 }, (_, session) => `refused-${session}`);
    for (const id of [...refused, 'later']) {
      await test.storage.start(id, newSession(MINUTE, id));
      store.sessions.set(id, JSON.stringify({ cookie: {} } as SessionData));
      test.clock.advance(1);
    }
    test.clock.advance(MINUTE);
    await sweep(test);
    store.away = false;
    await sweep(test);
    await sweep(test);
    expect([...store.sessions.keys()]).toEqual(refused);
  });

  it('of a session store that hangs: other sessions still end', async () => {
    const store = new (class extends MinimalStore {
      override destroy(): void {}
    })();
    const test = await start({
      logger: new RecordingLogger(),
      options: { storageTimeout: 50, session: { secret: SECRET, store } },
    });
    for (let session = 0; session < 3; session++)
      await test.storage.start(`session-${session}`, newSession(MINUTE, `id-${session}`));
    test.clock.advance(MINUTE);
    await sweep(test);
    await test.storage.start('later', newSession(MINUTE, 'id'));
    test.clock.advance(MINUTE);
    await sweep(test);
    expect(typesOf(test).filter((type) => type === 'expired')).toHaveLength(4);
  });
});

describe('Many sessions that end at once', () => {
  const MANY = 5000;

  it('all end in one sweep, a few in each turn of the event loop', async () => {
    const { test, store } = await startWithStore();
    for (let session = 0; session < MANY; session++) {
      await test.storage.start(`session-${session}`, newSession(15 * MINUTE, `id-${session}`));
      store.sessions.set(`id-${session}`, JSON.stringify({ cookie: {} } as SessionData));
    }
    test.clock.advance(15 * MINUTE);
    let swept = false;
    let most = 0;
    const sweeping = sweep(test).finally(() => (swept = true));
    for (let before = 0; !swept; before = test.events.length) {
      await nextTurn();
      most = Math.max(most, test.events.length - before);
    }
    await sweeping;
    expect(test.events).toHaveLength(MANY);
    expect(new Set(test.events.map(({ sessionRef }) => sessionRef)).size).toBe(MANY);
    expect(store.sessions.size).toBe(0);
    // What takes well under 20 ms on any machine.
    expect(most).toBeLessThanOrEqual(500);
  });

  it('leave room for requests, also where storage and store answer at once', async () => {
    const store = new Store();
    store.takesMs = 0;
    const test = await start({ options: { session: { secret: SECRET, store } } });
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE);
    for (let session = 0; session < MANY; session++)
      await test.storage.start(`session-${session}`, newSession(MINUTE, `id-${session}`));
    test.clock.advance(MINUTE);
    let isAnswered = false;
    const expire = test.storage.expire.bind(test.storage);
    jest.spyOn(test.storage, 'expire').mockImplementation(async (limit) => {
      const expiry = await expire(limit);
      return { ...expiry, more: expiry.more || !isAnswered };
    });
    const swept = sweep(test);
    await ada.get('/page').expect(200);
    isAnswered = true;
    await swept;
    expect(test.events).toHaveLength(MANY + 1);
  });
});
