import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryActivityStorage, type IdleSessionModuleOptions } from 'nestjs-idle-session';
import { signInCookie } from '../support/cookies.js';
import { LockController } from '../support/lock-controller.js';
import { OpenStream } from '../support/open-stream.js';
import { join, open, signIn, socketApps } from '../support/socket-app.js';
import { StreamsController } from '../support/streams-controller.js';
import { MINUTE, SECRET, type TestApp } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import { until } from '../support/until.js';
import type { SocketClient } from '../support/socket-client.js';

const LOCKING = { idleTimeout: '1h', lockAfter: '15m', unlockUrl: '/unlock' } as const;

const startApp = testApps();
afterEach(() => OpenStream.leaveAll());
beforeEach(() => StreamsController.reset());

/** An app on the real clock, whose sessions lock within a second: its timers are real, too. */
async function startReal(options: Partial<IdleSessionModuleOptions> = {}): Promise<TestApp> {
  const storage = new MemoryActivityStorage();
  const test = await startApp({
    options: { ...LOCKING, lockAfter: '1s', storage, ...options },
    metadata: { controllers: [StreamsController, LockController] },
  });
  await test.app.listen(0, '127.0.0.1');
  return test;
}

/** A stream that has delivered before the lock: where a busy machine needs longer for that, another session has one. */
async function openedBeforeLock(test: TestApp, path: string) {
  for (;;) {
    const cookie = await signInCookie(test);
    const stream = await OpenStream.open(test.app, path, { cookie });
    if (await deliversBeforeLock(stream)) return { stream, cookie };
  }
}

async function deliversBeforeLock(stream: OpenStream): Promise<boolean> {
  const delivers = () => stream.status === 200 && stream.received.includes('before');
  await until('it delivers, or is over', () => {
    StreamsController.pushed.next('data: before\n\n');
    return delivers() || stream.outcome !== undefined;
  });
  return delivers();
}

describe('At the lock', () => {
  it.each(['/events', '/plain-events', '/marked-events'])(
    'a stream of events ends, and says why: %s',
    async (path) => {
      const test = await startReal();
      const { stream } = await openedBeforeLock(test, path);
      expect(await stream.end()).toBe('whole');
      const last = '{"reason":"locked","unlockUrl":"/unlock"}';
      expect(stream.received.endsWith(`\n\nevent: session-locked\ndata: ${last}\n\n`)).toBe(true);
      expect(new Set(test.events.map(({ type }) => type))).toEqual(new Set(['started']));
    },
  );

  it("a stream ends, and the session goes on, also with unset: 'destroy'", async () => {
    const test = await startReal({ session: { secret: SECRET, unset: 'destroy' } });
    const { stream, cookie } = await openedBeforeLock(test, '/events');
    expect(await stream.end()).toBe('whole');
    const { body } = await test.browser().get('/page').set('Cookie', cookie).expect(401);
    expect(body.reason).toBe('locked');
    expect(new Set(test.events.map(({ type }) => type))).toEqual(new Set(['started']));
    const unlocked = await test.browser().post('/unlock').set('Cookie', cookie).expect(200);
    expect(unlocked.body.isUnlocked).toBe(true);
  });

  it('another marked answer is cut off', async () => {
    const { stream } = await openedBeforeLock(await startReal(), '/lines');
    expect(await stream.end()).toBe('cut');
  });

  it('a marked answer that has not begun is refused', async () => {
    const test = await startReal();
    const cookie = await signInCookie(test);
    const { body } = await test
      .browser()
      .get('/slow-answer')
      .set('Cookie', cookie)
      .expect(401)
      .expect('WWW-Authenticate', 'Session error="locked"');
    expect(body).toMatchObject({ reason: 'locked', unlockUrl: '/unlock' });
    StreamsController.gate.open();
  });

  it('a stream is refused that is opened again, until an unlock', async () => {
    const test = await startReal();
    const { stream, cookie } = await openedBeforeLock(test, '/events');
    expect(await stream.end()).toBe('whole');
    const refused = await OpenStream.open(test.app, '/events', { cookie });
    expect(refused.status).toBe(401);
    let delivers = false;
    while (!delivers) {
      await test.browser().post('/unlock').set('Cookie', cookie).expect(200);
      const next = await OpenStream.open(test.app, '/events', { cookie });
      delivers = await deliversBeforeLock(next);
    }
  });
});

const startSockets = socketApps();

describe('A WebSocket of a session that locks', () => {
  it('is closed with the reason by its next message, whose handler does not run', async () => {
    const test = await startSockets({ options: LOCKING });
    const { Cookie } = await signIn(test);
    const client = await join(test, { Cookie });
    test.clock.advance(15 * MINUTE);
    client.send('edit', 'a');
    expect(await client.closed).toEqual({ code: 1008, reason: 'locked' });
    expect(test.gateway.handled).toEqual([]);
    expect(test.events.map(({ type }) => type)).toEqual(['started']);
  });

  it('is not let in while it is locked, and is once it is unlocked', async () => {
    const test = await startSockets({ options: LOCKING });
    const { Cookie, browser } = await signIn(test);
    test.clock.advance(15 * MINUTE);
    const refused = await open(test, { Cookie });
    expect(await refused.closed).toEqual({ code: 1008, reason: 'locked' });
    await test.storage.unlock((await browser.get('/idle-session/status')).body.sessionRef, MINUTE);
    const client = await join(test, { Cookie });
    expect(await client.ask('edit', 'a')).toEqual({ event: 'edited', data: 'active' });
  });

  it('is closed at the lock, without a message', async () => {
    const storage = new MemoryActivityStorage();
    const test = await startSockets({ options: { ...LOCKING, lockAfter: '1s', storage } });
    let client: SocketClient;
    do {
      const { Cookie } = await signIn(test);
      client = await open(test, { Cookie });
      // On a busy machine the lock may come first.
      const { socket } = client;
      const isClosed = () => socket.readyState === socket.CLOSED;
      await until('it is let in, or closed', () => test.gateway.members.length > 0 || isClosed());
    } while (test.gateway.members.length === 0);
    expect(await client.closed).toEqual({ code: 1008, reason: 'locked' });
  });
});
