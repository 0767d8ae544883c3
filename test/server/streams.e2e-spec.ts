import { Agent } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Request } from 'express';
import supertest from 'supertest';
import type { ActivityStorage } from 'nestjs-idle-session';
import { ExpiredSessionSweeper } from '../../libs/idle-session/src/session/expired-session.sweeper.js';
import { sessionRef } from '../../libs/idle-session/src/session/session-ref.js';
import { sessionIdOf, signInCookie } from '../support/cookies.js';
import { OpenStream } from '../support/open-stream.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { openedStream, StreamsController, WAYS_TO_BEGIN } from '../support/streams-controller.js';
import { HOUR, MINUTE, SECOND, type TestApp } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import { until } from '../support/until.js';

afterEach(() => OpenStream.leaveAll());
const startApp = testApps();

async function start(options: Parameters<typeof startApp>[0] = {}): Promise<TestApp> {
  const test = await startApp({ metadata: { controllers: [StreamsController] }, ...options });
  await test.app.listen(0, '127.0.0.1');
  return test;
}

let test: TestApp;
let cookie: string;
beforeEach(async () => {
  StreamsController.reset();
  test = await start({ options: { loginUrl: '/login' } });
  cookie = await signInCookie(test);
});

const push = (text: string) => StreamsController.pushed.next(text);
const post = (path: string) => supertest(test.app.getHttpServer()).post(path).set('Cookie', cookie);
const sweep = () => test.app.get(ExpiredSessionSweeper).sweep();

const opened = (path: string, of = cookie) => openedStream(test.app, path, of);

const lastEvent = (reason: string) =>
  `\n\nevent: session-ended\ndata: {"reason":"${reason}","loginUrl":"/login"}\n\n`;

const ENDS: [string, string, () => unknown][] = [
  [
    'the time without activity is up',
    'idle',
    () => {
      test.clock.advance(15 * MINUTE);
      return sweep();
    },
  ],
  [
    'the absolute limit is reached, however active the person is',
    'absolute',
    async () => {
      for (let passed = 0; passed < 12 * HOUR; passed += 10 * MINUTE) {
        await supertest(test.app.getHttpServer()).get('/page').set('Cookie', cookie).expect(200);
        test.clock.advance(10 * MINUTE);
      }
      await sweep();
    },
  ],
  ['the person signs out by the endpoint', 'signed-out', () => post('/idle-session/sign-out')],
  ['a handler destroys the session', 'signed-out', () => post('/sign-out')],
  ['a handler ends the session', 'signed-out', () => post('/end')],
  ['the app revokes the session', 'revoked', () => test.sessions.revoke(sessionIdOf(cookie))],
];

describe.each(['/events', '/plain-events'])('A stream of events (%s)', (path) => {
  it.each(ENDS)('ends, and says why, when %s', async (_, reason, end) => {
    const stream = await opened(path);
    // In the same turn, too.
    test.sessions.events.subscribe(() => queueMicrotask(() => push('data: after\n\n')));
    await end();
    push('data: after\n\n');
    expect(await stream.end()).toBe('whole');
    expect(stream.received.endsWith(lastEvent(reason))).toBe(true);
    expect(stream.received).not.toContain('after');
  });

  it('ends without an event when the session gets another id, so that the browser connects again', async () => {
    const stream = await opened(path);
    await post('/regenerate').expect(204);
    push('data: after\n\n');
    expect(await stream.end()).toBe('whole');
    expect(stream.received).not.toMatch(/session-ended|after/);
  });

  it('is refused once the session has ended', async () => {
    test.clock.advance(15 * MINUTE);
    expect((await OpenStream.open(test.app, path, { cookie })).status).toBe(401);
    await sweep();
    expect((await OpenStream.open(test.app, path, { cookie })).status).toBe(401);
  });

  it('is no activity, however much it pushes', async () => {
    const stream = await opened(path);
    for (let passed = 0; passed < 14; passed++) {
      test.clock.advance(MINUTE);
      push(`data: minute ${passed}\n\n`);
      await stream.has(`minute ${passed}`);
    }
    test.clock.advance(MINUTE);
    await sweep();
    await stream.end();
    expect(stream.received).toContain(lastEvent('idle'));
  });
});

describe('Streams of events', () => {
  it.each(Object.keys(WAYS_TO_BEGIN))(
    'are known by their type, however the handler writes it: %s',
    async (how) => {
      const stream = await opened(`/written-events/${how}`);
      expect(stream.headers.connection).toBe('close');
      await post('/idle-session/sign-out').expect(204);
      await stream.end();
      expect(stream.received.endsWith(lastEvent('signed-out'))).toBe(true);
    },
  );

  it('end together, and only those of the session', async () => {
    const eves = await signInCookie(test);
    const mine = [await opened('/events'), await opened('/events'), await opened('/plain-events')];
    const others = [await opened('/events', eves), await opened('/plain-events', eves)];
    await post('/idle-session/sign-out').expect(204);
    await Promise.all(mine.map((stream) => stream.end()));
    push('data: after\n\n');
    await Promise.all(others.map((stream) => stream.has('after')));
    for (const { received } of mine) expect(received.match(/session-ended/g)).toHaveLength(1);
    for (const { outcome } of others) expect(outcome).toBeUndefined();
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'started', 'ended']);
  });

  it('are held once, also on a marked route, and tell their end once', async () => {
    const stream = await opened('/marked-events');
    expect((await test.sessions.stats()).open).toBe(1);
    await post('/idle-session/sign-out');
    await stream.end();
    expect(stream.received.match(/session-ended/g)).toHaveLength(1);
    expect((await test.sessions.stats()).open).toBe(0);
  });

  it('stop their handlers, also if the client keeps the connection for more requests', async () => {
    const agent = new Agent({ keepAlive: true });
    const stream = await OpenStream.open(test.app, '/events', { cookie, agent });
    expect(StreamsController.working.size).toBe(1);
    await post('/idle-session/sign-out');
    await stream.end();
    const took = await until('it stopped', () => StreamsController.working.size === 0);
    expect(took).toBeLessThan(2 * SECOND);
    // The client of a response that ended opens another connection.
    expect((await OpenStream.open(test.app, '/public-events', { agent })).status).toBe(200);
    agent.destroy();
  });

  it('are left alone on exempt routes', async () => {
    const stream = await opened('/public-events');
    await post('/idle-session/sign-out');
    push('data: after\n\n');
    await stream.has('after');
  });

  it('are left alone where nobody is signed in, or is any more', async () => {
    const anonymous = await opened('/events', '');
    await post('/idle-session/sign-out');
    const signedOut = await opened('/events');
    push('data: after\n\n');
    await Promise.all([anonymous, signedOut].map((stream) => stream.has('after')));
  });

  it.each([
    ['to anything', () => false],
    ['to the stream', ({ path }: Request) => path !== '/events'],
  ])('are left alone where the idle timeout does not apply %s', async (_, appliesTo) => {
    test = await start({ options: { appliesTo } });
    cookie = await signInCookie(test);
    const stream = await opened('/events');
    await post('/sign-out').expect(204);
    push('data: after\n\n');
    await stream.has('after');
  });

  it('end at once if the session ended before they began', async () => {
    const coming = OpenStream.open(test.app, '/late-events', { cookie });
    await StreamsController.gate.reached;
    await post('/idle-session/sign-out');
    StreamsController.gate.open();
    const stream = await coming;
    await stream.end();
    expect(stream.received).toBe(lastEvent('signed-out'));
  });

  it('that began while the storage was away end once it is back, and says so', async () => {
    test = await start({ options: { onStorageError: 'allow' }, logger: new RecordingLogger() });
    cookie = await signInCookie(test);
    const reads = jest.spyOn(test.storage as ActivityStorage, 'read');
    reads.mockRejectedValue(new Error('away'));
    const stream = await OpenStream.open(test.app, '/events', { cookie });
    await test.storage.end(sessionRef(sessionIdOf(cookie)), 'revoked');
    reads.mockRestore();
    await stream.end();
    expect(stream.received).toContain('"reason":"revoked"');
  });

  it('whose handler gives the session another id, and saves it, end with that', async () => {
    const stream = await opened('/renewed-events');
    await post('/sign-out').expect(204);
    push('data: meanwhile\n\n');
    await stream.has('meanwhile');
    [cookie = ''] = stream.headers['set-cookie'] ?? [];
    await post('/idle-session/sign-out').expect(204);
    await stream.end();
    expect(stream.received).toContain('"reason":"signed-out"');
  });

  it('end after a message of which only a part was written', async () => {
    const stream = await opened('/plain-events');
    push('data: {"half":');
    await stream.has('half');
    await post('/idle-session/sign-out');
    await stream.end();
    expect(stream.received.endsWith(`data: {"half":${lastEvent('signed-out')}`)).toBe(true);
  });
});
