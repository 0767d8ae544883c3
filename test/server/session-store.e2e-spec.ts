import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import expressSession, { type Session, type SessionData, type Store } from 'express-session';
import {
  MemoryActivityStorage,
  SkipIdleSession,
  StorageUnavailableException,
} from 'nestjs-idle-session';
import { IdleSessionStore } from '../../libs/idle-session/src/session/session-store.js';
import { serverTiming } from '../support/server-timing.js';
import { MINUTE, SECRET, type TestApp } from '../support/test-app.js';
import { cookiesOf } from '../support/cookies.js';
import { MinimalStore } from '../support/minimal-store.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

/** Somebody signed in to an app on the given store. */
async function signedInOn<S extends Store>(store: S) {
  const logger = new RecordingLogger();
  const test = await start({ options: { session: { secret: SECRET, store } }, logger });
  const ada = test.browser();
  const cookie = cookiesOf(await ada.post('/sign-in').send({}).expect(200));
  const id = decodeURIComponent(cookie).split('=s:')[1]!.split('.')[0]!;
  return { ...test, ada, cookie, id, store, ours: test.app.get(IdleSessionStore), logger };
}

const asked = <T>(ask: (done: (error: unknown, value?: T) => void) => void) =>
  new Promise<T | undefined>((resolve, reject) =>
    ask((error, value) => (error ? reject(error as Error) : resolve(value))),
  );

const load = (store: IdleSessionStore, id: string) =>
  asked<Session & SessionData>((done) => store.load(id, done as never));

const get = (store: IdleSessionStore, id: string) =>
  asked<SessionData | null>((done) => store.get(id, done));

@Controller()
class CopyingController {
  /** Signs in as many apps do: with a new id, and what was in the old session. */
  @Post('sign-in-keeping-all')
  @SkipIdleSession()
  @HttpCode(200)
  async signIn(@Req() request: Request) {
    const { cookie: _, ...before } = Object.assign({}, request.session);
    await asked((done) => request.session.regenerate(done));
    Object.assign(request.session, before, { role: 'admin' });
    await asked((done) => request.session.save(done));
    return { user: request.session.user };
  }
}

/** Until what was asked of the store without a callback is done. */
const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('With a session store of the user', () => {
  it('of the least that express-session asks for, sessions live and end', async () => {
    const { ada, clock, events, store } = await signedInOn(new MinimalStore());
    for (let i = 0; i < 3; i++) {
      clock.advance(14 * MINUTE);
      await ada.get('/page').expect(200, { user: 'ada' });
    }
    clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401);
    expect(store.sessions.size).toBe(0);
    expect(events.map(({ type }) => type)).toEqual(['started', 'expired']);
  });

  it('that is a plain object, sessions live and end', async () => {
    const store = new MinimalStore();
    const plain = {
      get: store.get.bind(store),
      set: store.set.bind(store),
      destroy: store.destroy.bind(store),
    } as unknown as Store;
    const { ada } = await signedInOn(plain);
    await ada.get('/page').expect(200, { user: 'ada' });
    await ada.post('/sign-out').expect(204);
    expect(store.sessions.size).toBe(0);
  });

  it('the store keeps a session for longer than it may live, and the browser only until it is closed', async () => {
    const { ada, store } = await signedInOn(new MinimalStore());
    const keptFor = new Date(store.only.cookie.expires!).getTime() - Date.now();
    expect(keptFor).toBeGreaterThan(2 * 15 * MINUTE);
    const response = await ada.post('/sign-in').send({}).expect(200);
    expect(response.headers['set-cookie']![0]).not.toMatch(/Expires|Max-Age/i);
  });
});

describe('A store that is', () => {
  it.each<[string, unknown]>([
    ['failing', new Error('GET sess:the-id')],
    ['failing with a code', Object.assign(new Error('the-id'), { code: 'ECONNRESET' })],
    ['failing with no more than a text', 'the-id'],
  ])('%s is a 503, logged once and without its message', async (_, error) => {
    const { ada, store, logger } = await signedInOn(new MinimalStore());
    store.failures.get = error;
    for (let i = 0; i < 3; i++) await ada.get('/page').expect(503);
    expect(logger.errors).toHaveLength(1);
    expect(logger.errors.join()).not.toContain('the-id');
    delete store.failures.get;
    await ada.get('/page').expect(200, { user: 'ada' });
  });

  it('throwing instead of calling back is a 503', async () => {
    const { ada, store } = await signedInOn(new MinimalStore());
    jest.spyOn(store, 'get').mockImplementation(() => {
      throw new Error('broken');
    });
    await ada.get('/page').expect(503);
  });

  it('file-based and answers ENOENT has no such session', async () => {
    const { ada, store } = await signedInOn(new MinimalStore());
    store.failures.get = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    await ada.get('/page').expect(200, { user: null });
  });

  it('file-based and answers ENOENT to the end of a session has ended it', async () => {
    const { ada, store, events } = await signedInOn(new MinimalStore());
    store.failures.destroy = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    await ada.post('/sign-out').expect(204);
    expect(events.at(-1)).toMatchObject({ type: 'ended', reason: 'signed-out' });
  });
});

describe('The renewal of a session in the store', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  const fakeDateOnly = () =>
    jest.useFakeTimers({
      doNotFake: [
        'clearImmediate',
        'clearInterval',
        'clearTimeout',
        'hrtime',
        'nextTick',
        'performance',
        'queueMicrotask',
        'setImmediate',
        'setInterval',
        'setTimeout',
      ],
    });

  class TouchStore extends MinimalStore {
    override touch = (id: string, session: SessionData, done?: () => void): void => {
      this.calls.push('touch');
      this.sessions.set(id, JSON.stringify(session));
      done?.();
    };
  }

  it.each([
    ['touch', new TouchStore()],
    ['set', new MinimalStore()],
  ])('is a %s about once per idle timeout, however many requests come', async (method, store) => {
    fakeDateOnly();
    const { ada, clock } = await signedInOn(store);
    store.calls.length = 0;
    for (let minutes = 0; minutes < 60; minutes += 5) {
      clock.advance(5 * MINUTE);
      jest.setSystemTime(Date.now() + 5 * MINUTE);
      for (let i = 0; i < 3; i++) await ada.get('/page').expect(200, { user: 'ada' });
      const keptFor = new Date(store.only.cookie.expires!).getTime() - Date.now();
      expect(keptFor).toBeGreaterThan(15 * MINUTE);
    }
    const writes = store.calls.filter((call) => call !== 'get');
    expect(new Set(writes)).toEqual(new Set([method]));
    expect(writes.length).toBeGreaterThanOrEqual(2);
    expect(writes.length).toBeLessThanOrEqual(5);
  });

  it('is not shortened while the activity storage is away and requests go unchecked', async () => {
    const store = new TouchStore();
    const options = { onStorageError: 'allow', session: { secret: SECRET, store } } as const;
    const test = await start({ options });
    const ada = test.browser();
    await ada.post('/sign-in').send({}).expect(200);
    const { expires } = store.only.cookie;
    jest.spyOn(test.storage, 'read').mockRejectedValue(new Error('gone'));
    await ada.get('/page').expect(200, { user: 'ada' });
    expect(store.only.cookie.expires).toBe(expires);
  });

  it('that fails is no failure of the request', async () => {
    fakeDateOnly();
    const { ada, clock, store } = await signedInOn(new MinimalStore());
    clock.advance(14 * MINUTE);
    jest.setSystemTime(Date.now() + 20 * MINUTE);
    store.failures.set = new Error('full');
    await ada.get('/page').expect(200, { user: 'ada' });
    delete store.failures.set;
    await ada.get('/page').expect(200, { user: 'ada' });
  });
});

describe('IdleSessionStore', () => {
  it('passes on that the store has lost its connection, and that it has one again', async () => {
    const { store, ours } = await signedInOn(new MinimalStore());
    const heard: string[] = [];
    ours
      .on('disconnect', () => heard.push('disconnect'))
      .on('connect', () => heard.push('connect'));
    store.emit('disconnect');
    store.emit('connect');
    expect(heard).toEqual(['disconnect', 'connect']);
  });

  it('passes on all(), length() and clear() of a store that has them', async () => {
    const { ours, ada, clock, id } = await signedInOn(new expressSession.MemoryStore());
    const all = await asked<Record<string, SessionData>>((done) => ours.all(done as never));
    expect(all?.[id]).toMatchObject({ user: 'ada' });
    expect(await asked((done) => ours.length(done))).toBe(1);
    await asked((done) => ours.clear(done));
    expect(await asked((done) => ours.length(done))).toBe(0);
    clock.advance(MINUTE);
    expect((await ada.get('/page').expect(401)).body).toMatchObject({ reason: 'revoked' });
  });

  it.each(['all', 'length', 'clear'] as const)(
    'says so if the store has no %s()',
    async (method) => {
      const { ours } = await signedInOn(new MinimalStore());
      await expect(asked((done) => ours[method](done as never))).rejects.toThrow(
        `The session store has no ${method}()`,
      );
    },
  );

  it('clears without a callback', async () => {
    const { ours, store } = await signedInOn(new expressSession.MemoryStore());
    ours.clear();
    await settled();
    expect(await asked((done) => store.length!(done))).toBe(0);
  });

  it('hands out a live session, by get() and by load()', async () => {
    const { ours, id } = await signedInOn(new MinimalStore());
    expect(await get(ours, id)).toMatchObject({ user: 'ada', cookie: { originalMaxAge: null } });
    const session = await load(ours, id);
    expect(session).toMatchObject({ id, user: 'ada' });
    expect(typeof session?.save).toBe('function');
  });

  it('counts neither as activity', async () => {
    const { ours, id, ada, clock } = await signedInOn(new MinimalStore());
    clock.advance(14 * MINUTE);
    await get(ours, id);
    await load(ours, id);
    clock.advance(MINUTE);
    await ada.get('/page').expect(401);
  });

  it('hands out no session that ended, and ends it', async () => {
    const { ours, id, clock, events, store } = await signedInOn(new MinimalStore());
    clock.advance(15 * MINUTE);
    expect(await get(ours, id)).toBeUndefined();
    expect(await load(ours, id)).toBeUndefined();
    expect(events.map(({ type }) => type)).toEqual(['started', 'expired']);
    expect(store.sessions.size).toBe(0);
  });

  it('finds nothing for an id that never was', async () => {
    const { ours, events } = await signedInOn(new MinimalStore());
    expect((await get(ours, 'nobody')) ?? null).toBeNull();
    expect((await load(ours, 'nobody')) ?? null).toBeNull();
    expect(events).toHaveLength(1);
  });

  it('rejects when it could not look a session up', async () => {
    const { ours, id, store } = await signedInOn(new MinimalStore());
    store.failures.get = new Error('gone');
    const unavailable = { cause: expect.any(StorageUnavailableException) };
    await expect(get(ours, id)).rejects.toMatchObject(unavailable);
    await expect(load(ours, id)).rejects.toMatchObject(unavailable);
  });

  it('saves a loaded session, as long as it has not ended', async () => {
    const { ours, id, store } = await signedInOn(new MinimalStore());
    const session = (await load(ours, id))!;
    session.note = 'first';
    await asked((done) => session.save(done));
    expect(store.only).toMatchObject({ user: 'ada', note: 'first' });

    await asked((done) => ours.destroy(id, done));
    session.note = 'second';
    await asked((done) => session.save(done));
    expect(store.sessions.size).toBe(0);
  });

  it('reloads a session, which still expires', async () => {
    const { ours, ada, clock, id } = await signedInOn(new MinimalStore());
    const session = (await load(ours, id))!;
    await ada.post('/page').send({ note: 'from elsewhere' }).expect(200);
    await asked((done) => session.reload(done));
    const { session: reloaded } = (session as unknown as { req: Request }).req;
    expect(reloaded).toMatchObject({ note: 'from elsewhere' });
    clock.advance(15 * MINUTE);
    await expect(asked((done) => reloaded.reload(done))).rejects.toThrow('failed to load session');
  });

  it('ends the record of what it destroys, without a callback, too', async () => {
    const { ours, id, ada, events, store } = await signedInOn(new MinimalStore());
    ours.destroy(id);
    await settled();
    expect(store.sessions.size).toBe(0);
    expect(events.at(-1)).toMatchObject({ type: 'ended', reason: 'signed-out' });
    expect((await ada.get('/idle-session/status')).body).toMatchObject({ reason: 'signed-out' });
  });

  it('saves without a callback, and survives a store that fails then', async () => {
    const { ours, id, store } = await signedInOn(new MinimalStore());
    const session = (await load(ours, id))!;
    session.note = 'kept';
    ours.set(id, session);
    await settled();
    expect(store.only).toMatchObject({ note: 'kept' });

    Object.assign(store.failures, { set: new Error('full'), destroy: new Error('full') });
    ours.set(id, session);
    ours.destroy(id);
    await settled();
    expect(store.sessions.size).toBe(1);
  });

  it('starts no record for a session that was never a request, and keeps it', async () => {
    const { ours, store, storage, events } = await signedInOn(new MinimalStore());
    const before = storage.size;
    const cookie = { originalMaxAge: null } as SessionData['cookie'];
    await asked((done) => ours.set('imported', { cookie, user: 'eve' } as never, done));
    expect(JSON.parse(store.sessions.get('imported')!)).toMatchObject({ user: 'eve' });
    expect(storage.size).toBe(before);
    expect(events).toHaveLength(1);
  });
});

describe('A session whose record is lost', () => {
  it('is expired, not new, and never told as inactive: it was under the clock', async () => {
    const store = new MinimalStore();
    const { cookie } = await signedInOn(store);
    const other: TestApp = await start({
      options: { session: { secret: SECRET, store }, storage: new MemoryActivityStorage() },
    });
    const { body } = await other.browser().get('/page').set('Cookie', cookie).expect(401);
    expect(body).toMatchObject({ reason: 'lost' });
    expect(body.detail).not.toMatch(/inactive/);
    expect(store.sessions.size).toBe(0);
    const sessionRef = expect.any(String);
    expect(other.events).toMatchObject([
      { type: 'ended', sessionRef, reason: 'lost', startedAt: null },
    ]);
  });
});

describe('A new session with the data of an old one', () => {
  it('is saved, with all its time', async () => {
    const test = await start({ metadata: { controllers: [CopyingController] } });
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE);
    await ada.post('/sign-in-keeping-all').expect(200, { user: 'ada' });
    await ada
      .get('/page')
      .expect(200, { user: 'ada' })
      .expect('Server-Timing', serverTiming('active', 900_000));
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'ended', 'started']);
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401);
  });
});
