import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryActivityStorage } from 'nestjs-idle-session';
import { signInCookie } from '../support/cookies.js';
import { LockController } from '../support/lock-controller.js';
import { OpenStream } from '../support/open-stream.js';
import { join, open, signIn, socketApps } from '../support/socket-app.js';
import { openedStream, StreamsController } from '../support/streams-controller.js';
import { MINUTE, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const LOCKING = { idleTimeout: '1h', lockAfter: '15m', unlockUrl: '/unlock' } as const;

const startApp = testApps();
afterEach(() => OpenStream.leaveAll());
beforeEach(() => StreamsController.reset());

/** An app on the real clock, whose sessions lock within a second: its timers are real, too. */
async function startReal(options: TestAppOptions['options'] = {}) {
  const storage = new MemoryActivityStorage();
  const test = await startApp({
    options: { ...LOCKING, lockAfter: '1s', storage, ...options },
    metadata: { controllers: [StreamsController, LockController] },
  });
  await test.app.listen(0, '127.0.0.1');
  return { test, cookie: await signInCookie(test) };
}

describe('At the lock', () => {
  it.each(['/events', '/plain-events', '/marked-events'])(
    'a stream of events ends, and says why: %s',
    async (path) => {
      const { test, cookie } = await startReal();
      const stream = await openedStream(test.app, path, cookie);
      expect(await stream.end()).toBe('whole');
      const last = '{"reason":"locked","unlockUrl":"/unlock"}';
      expect(stream.received.endsWith(`\n\nevent: session-locked\ndata: ${last}\n\n`)).toBe(true);
      expect(test.events.map(({ type }) => type)).toEqual(['started']);
    },
  );

  it('another marked answer is cut off', async () => {
    const { test, cookie } = await startReal();
    const stream = await openedStream(test.app, '/lines', cookie);
    expect(await stream.end()).toBe('cut');
  });

  it('a marked answer that has not begun is refused', async () => {
    const { test, cookie } = await startReal();
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
    const { test, cookie } = await startReal();
    const first = await openedStream(test.app, '/events', cookie);
    expect(await first.end()).toBe('whole');
    const refused = await OpenStream.open(test.app, '/events', { cookie });
    expect(refused.status).toBe(401);
    await test.browser().post('/unlock').set('Cookie', cookie).expect(200);
    const second = await openedStream(test.app, '/events', cookie);
    expect(second.received).toContain('before');
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
    const { Cookie } = await signIn(test);
    const client = await join(test, { Cookie });
    expect(await client.closed).toEqual({ code: 1008, reason: 'locked' });
  });
});
