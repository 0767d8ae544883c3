import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller } from '@nestjs/common';
import type { Request } from 'express';
import { SkipIdleSession, type ActivityStorage } from 'nestjs-idle-session';
import supertest from 'supertest';
import { sessionRef } from '../../libs/idle-session/src/session/session-ref.js';
import { sessionIdOf, signInCookie } from '../support/cookies.js';
import { OpenStream } from '../support/open-stream.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { statusOf } from '../support/requests.js';
import { join, socketApps, type SocketApp } from '../support/socket-app.js';
import { openedStream, StreamsController } from '../support/streams-controller.js';
import { MINUTE, SECRET, type TestAppOptions } from '../support/test-app.js';
import { until } from '../support/until.js';

@Controller('exempt-streams')
@SkipIdleSession()
class ExemptStreams extends StreamsController {}

afterEach(() => OpenStream.leaveAll());
const startApp = socketApps();

let test: SocketApp;
async function start(options: TestAppOptions['options'] = {}): Promise<void> {
  test = await startApp({
    options: { onStorageError: 'allow', loginUrl: '/login', ...options },
    metadata: { controllers: [StreamsController, ExemptStreams] },
    logger: new RecordingLogger(),
  });
}
beforeEach(() => StreamsController.reset());

const OPERATIONS = ['read', 'start', 'touch', 'end', 'expire'] as const;

/** @returns ends the outage */
function beAway(): () => void {
  const storage: ActivityStorage = test.storage;
  const spies = OPERATIONS.map((operation) =>
    jest.spyOn(storage, operation).mockRejectedValue(new Error('away')),
  );
  return () => spies.forEach((spy) => spy.mockRestore());
}

const post = (path: string, cookie: string) =>
  supertest(test.app.getHttpServer()).post(path).set('Cookie', cookie);
const opened = (path: string, cookie: string) => openedStream(test.app, path, cookie);
const openBoth = async (cookie: string) =>
  [await opened('/events', cookie), await join(test, { Cookie: cookie })] as const;
const open = async () => (await test.sessions.stats()).open;

describe('With onStorageError "allow", what was opened while the storage was away', () => {
  it.each([
    ['/events', 'keep'],
    ['/events', 'destroy'],
    ['/marked-download', 'keep'],
  ] as const)(
    "for a session that began meanwhile, is opened again once it is back, and ends then: %s, unset: '%s'",
    async (path, unset) => {
      await start({ session: { secret: SECRET, unset } });
      const back = beAway();
      const cookie = await signInCookie(test);
      const first = await opened(path, cookie);
      expect(await open()).toBe(1);
      back();
      await first.end();
      expect(first.received).not.toContain('session-ended');
      expect(test.events).toEqual([]);

      const again = await opened(path, cookie);
      expect(test.events.map(({ type }) => type)).toEqual(['started']);
      await post('/idle-session/sign-out', cookie).expect(204);
      await again.end();
      expect(await open()).toBe(0);
    },
  );

  it('on a socket for a session that began meanwhile, is opened again, and ends then', async () => {
    await start();
    const back = beAway();
    const Cookie = await signInCookie(test);
    const first = await join(test, { Cookie });
    expect(await open()).toBe(1);
    back();
    expect(await first.closed).toEqual({ code: 1013, reason: 'unavailable' });

    const again = await join(test, { Cookie });
    await post('/idle-session/sign-out', Cookie).expect(204);
    expect(await again.closed).toEqual({ code: 1008, reason: 'signed-out' });
  });

  it('goes on for a session that began meanwhile and has a record by then', async () => {
    await start();
    const back = beAway();
    const cookie = await signInCookie(test);
    const [stream, socket] = await openBoth(cookie);
    back();
    const read = jest.spyOn(test.storage, 'read');
    // As the next request does it.
    await test.storage.start(sessionRef(sessionIdOf(cookie)), {
      sessionId: sessionIdOf(cookie),
      idleTimeoutMs: 15 * MINUTE,
      absoluteTimeoutMs: null,
      lockAfterMs: null,
      owner: null,
    });
    await until('the storage was asked', () => read.mock.calls.length > 0);
    StreamsController.pushed.next('data: after\n\n');
    await stream.has('after');
    test.clock.advance(15 * MINUTE);
    await supertest(test.app.getHttpServer()).get('/page').set('Cookie', cookie).expect(401);
    await stream.end();
    expect(stream.received).toContain('"reason":"idle"');
    expect(await socket.closed).toEqual({ code: 1008, reason: 'idle' });
  });

  it('ends once it is back, if the session’s time was up meanwhile', async () => {
    await start();
    const cookie = await signInCookie(test);
    const back = beAway();
    const [stream, socket] = await openBoth(cookie);
    test.clock.advance(15 * MINUTE);
    back();
    await stream.end();
    expect(stream.received).toContain('"reason":"idle"');
    expect(await socket.closed).toEqual({ code: 1008, reason: 'idle' });
  });
});

it('What was opened just before the storage was away, so that it says nothing of it, closes and may come again', async () => {
  await start({ onStorageError: 'reject' });
  const cookie = await signInCookie(test);
  const storage: ActivityStorage = test.storage;
  const read = storage.read.bind(storage);
  // What is open asks for the newest, requests do not.
  jest.spyOn(storage, 'read').mockImplementation(async (key, isNewest) => {
    if (!isNewest) return read(key);
    throw new Error('away');
  });
  // Which closes soon: it may be over before it delivers anything.
  const stream = await OpenStream.open(test.app, '/events', { cookie });
  const socket = await join(test, { Cookie: cookie });
  await stream.end();
  expect(await socket.closed).toEqual({ code: 1013, reason: 'unavailable' });
});

describe.each(['/sign-out', '/idle-session/sign-out', '/end'])(
  'With onStorageError "allow", a sign-out while the storage is away (%s)',
  (path) => {
    it('ends what is open in its process at once, and is told once the storage takes it', async () => {
      await start();
      const cookie = await signInCookie(test);
      const back = beAway();
      const [stream, socket] = await openBoth(cookie);
      await post(path, cookie).expect(204);
      await stream.end();
      expect(stream.received).toContain('"reason":"signed-out"');
      expect(await socket.closed).toEqual({ code: 1008, reason: 'signed-out' });
      expect(test.events.map(({ type }) => type)).toEqual(['started']);

      back();
      await until('the end is told', () => test.events.length > 1);
      expect(test.events[1]).toMatchObject({ type: 'ended', reason: 'signed-out' });
    });

    it('ends what is open for a session that began meanwhile, which leaves nothing to be told', async () => {
      await start();
      const back = beAway();
      const cookie = await signInCookie(test);
      const [stream, socket] = await openBoth(cookie);
      await post(path, cookie).expect(204);
      await stream.end();
      expect(stream.received).toContain('"reason":"signed-out"');
      expect(await socket.closed).toEqual({ code: 1008, reason: 'signed-out' });
      back();
      await statusOf(test.browser());
      expect([test.events, test.storage.size, await open()]).toEqual([[], 0, 0]);
    });
  },
);

describe('What is exempt and was opened while the storage was away goes on once it is back', () => {
  it.each<[string, string, TestAppOptions['options']]>([
    ['a stream on a route with @SkipIdleSession()', '/exempt-streams/events', {}],
    ['also with @EndsWithSession()', '/exempt-streams/marked-download', {}],
    [
      'a stream that appliesTo says no to',
      '/events',
      { appliesTo: ({ path }: Request) => path !== '/events' },
    ],
    ['a stream of a session that appliesTo says no to', '/events', { appliesTo: () => false }],
  ])('%s', async (_, path, options) => {
    await start(options);
    const cookie = await signInCookie(test);
    const back = beAway();
    const stream = await opened(path, cookie);
    expect(await open()).toBe(0);
    back();
    await post('/idle-session/sign-out', cookie).expect(204);
    StreamsController.pushed.next('data: after\n\n');
    await stream.has('after');
  });
});
