import { promisify } from 'node:util';
import { describe, expect, it, jest } from '@jest/globals';
import type { Request } from 'express';
import expressSession from 'express-session';
import type { WebSocket } from 'ws';
import { OpenSessions } from '../../libs/idle-session/src/session/open/open-sessions.js';
import { loseRecords } from '../support/lose-records.js';
import { cookiesOf, sessionIdOf, signInCookie } from '../support/cookies.js';
import { Gate } from '../support/gate.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { REFUSED_HANDSHAKES } from '../support/refused-handshakes.js';
import { statusOf, type Browser } from '../support/requests.js';
import { join, open, signIn, socketApps } from '../support/socket-app.js';
import { SocketClient } from '../support/socket-client.js';
import { MINUTE, SECRET, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';

const start = socketApps();

/** Lets the person go, and another request find that the time is up. */
async function idleEnd({ clock }: TestApp, browser: Browser): Promise<void> {
  clock.advance(15 * MINUTE);
  await browser.get('/page').expect(401);
}

/** Reads of the storage wait at the gate. */
function pauseReads({ storage }: TestApp): Gate {
  const gate = new Gate();
  const read = storage.read.bind(storage);
  jest.spyOn(storage, 'read').mockImplementation(async (key) => {
    await gate.pass();
    return read(key);
  });
  return gate;
}

const cookieOf = async (test: TestApp) => ({ Cookie: await signInCookie(test) });

describe('A WebSocket', () => {
  it.each(REFUSED_HANDSHAKES)('is refused %s', async (_, headersOf, reason) => {
    const test = await start();
    const client = await open(test, await headersOf(test));
    client.send('edit');
    expect(await client.closed).toEqual({ code: 1008, reason });
    expect(test.gateway.members).toEqual([]);
    expect(test.gateway.handled).toEqual([]);
    expect(client.received).toEqual([]);
  });

  it('of a live session is let in, which is no activity', async () => {
    const test = await start();
    const { browser, Cookie } = await signIn(test);
    test.clock.advance(10 * MINUTE);
    await join(test, { Cookie });
    expect(await statusOf(browser)).toMatchObject({ expiresInMs: 5 * MINUTE });
  });

  it.each<[string, (test: TestApp, browser: Browser, id: string) => Promise<unknown>, string]>([
    ['the idle timeout', idleEnd, 'idle'],
    [
      'the absolute timeout',
      async (test, browser) => {
        test.clock.advance(10 * MINUTE);
        await browser.get('/page').expect(200);
        test.clock.advance(10 * MINUTE);
        await browser.get('/page').expect(401);
      },
      'absolute',
    ],
    [
      'signing out',
      (_, browser) => browser.post('/idle-session/sign-out').expect(204),
      'signed-out',
    ],
    ['session.destroy()', (_, browser) => browser.post('/sign-out').expect(204), 'signed-out'],
    ['revoke()', ({ sessions }, _, id) => sessions.revoke(id), 'revoked'],
  ])('is closed with the reason by %s', async (_, end, reason) => {
    const test = await start({ options: { absoluteTimeout: '20m' } });
    const { browser, Cookie } = await signIn(test);
    const client = await join(test, { Cookie });
    await end(test, browser, sessionIdOf(Cookie));
    test.gateway.members[0]!.send('{ "event": "too late" }');
    expect(await client.closed).toEqual({ code: 1008, reason });
    expect(client.received).toEqual([]);
  });

  it.each(['/sign-in', '/confirm'])(
    'is closed with 1012 when its session gets another id, and may come back with that: %s',
    async (path) => {
      const test = await start();
      const { browser, Cookie } = await signIn(test);
      const client = await join(test, { Cookie });
      const renewed = cookiesOf(await browser.post(path).expect(200));
      expect(await client.closed).toEqual({ code: 1012, reason: 'replaced' });
      const again = await join(test, { Cookie: renewed });
      expect(await again.ask('edit', 'a')).toEqual({ event: 'edited', data: 'active' });
    },
  );

  it("stays open when another person's session ends", async () => {
    const test = await start();
    const ada = await join(test, await cookieOf(test));
    const eve = await signIn(test);
    await eve.browser.post('/sign-out').expect(204);
    expect(await ada.ask('edit', 'a')).toEqual({ event: 'edited', data: 'active' });
  });

  it('that the browser closed is forgotten', async () => {
    const test = await start();
    const openSessions = test.app.get(OpenSessions);
    const client = await join(test, await cookieOf(test));
    expect(openSessions.count).toBe(1);
    client.socket.close(1000);
    await until('the server has seen it', () => test.gateway.members[0]!.readyState === 3);
    expect(openSessions.count).toBe(0);
  });

  it('that the browser closed while it was being attached is not let in, and forgotten', async () => {
    const test = await start();
    const { Cookie } = await signIn(test);
    const gate = pauseReads(test);
    const attach = jest.spyOn(test.sessions, 'attach');
    const client = await open(test, { Cookie });
    await gate.reached;
    client.socket.terminate();
    const [socket] = attach.mock.calls[0]!;
    await until('the server has seen it', () => (socket as WebSocket).readyState === 3);
    gate.open();
    expect(await attach.mock.results[0]!.value).toBe(false);
    expect(test.app.get(OpenSessions).count).toBe(0);
  });
});

describe('A message', () => {
  it('is activity, as often as it comes', async () => {
    const test = await start();
    const { browser, Cookie } = await signIn(test);
    const client = await join(test, { Cookie });
    for (let i = 0; i < 3; i++) {
      test.clock.advance(14 * MINUTE);
      expect(await client.ask('edit', 'a')).toEqual({ event: 'edited', data: 'active' });
    }
    expect(await statusOf(browser)).toMatchObject({ expiresInMs: 15 * MINUTE });
  });

  it('that asks for a fresh proof is refused once the sign-in is older, and is no activity', async () => {
    const test = await start();
    const { browser, Cookie } = await signIn(test);
    const client = await join(test, { Cookie });
    expect(await client.ask('transfer')).toEqual({ event: 'transferred', data: null });
    test.clock.advance(6 * MINUTE);
    client.received.length = 0;
    // NestJS 11 says nothing of a refusal.
    client.send('transfer');
    client.send('poll');
    await until('the other is answered', () => client.has('polled'));
    expect(client.has('transferred')).toBe(false);
    expect(await statusOf(browser)).toMatchObject({ expiresInMs: 9 * MINUTE });
    expect(await client.ask('edit', 'a')).toEqual({ event: 'edited', data: 'active' });
  });

  it('is none if it is passive', async () => {
    const test = await start();
    const { browser, Cookie } = await signIn(test);
    const client = await join(test, { Cookie });
    test.clock.advance(10 * MINUTE);
    expect(await client.ask('poll')).toEqual({ event: 'polled', data: null });
    expect(await statusOf(browser)).toMatchObject({ expiresInMs: 5 * MINUTE });
  });

  it('is none on a socket that called itself passive', async () => {
    const test = await start();
    const { browser, Cookie } = await signIn(test);
    const client = await join(test, { Cookie, 'Idle-Session': 'passive' });
    test.clock.advance(10 * MINUTE);
    await client.ask('edit', 'a');
    expect(await statusOf(browser)).toMatchObject({ expiresInMs: 5 * MINUTE });
  });

  it('from the server is none', async () => {
    const test = await start();
    const { browser, Cookie } = await signIn(test);
    const client = await join(test, { Cookie });
    test.clock.advance(10 * MINUTE);
    test.gateway.members[0]!.send('{ "event": "news" }');
    await until('it arrives', () => client.received.length > 0);
    expect(await statusOf(browser)).toMatchObject({ expiresInMs: 5 * MINUTE });
  });

  it('of a session that has ended is not answered, its handler does not run, and the socket is closed', async () => {
    const test = await start();
    const { Cookie } = await signIn(test);
    const client = await join(test, { Cookie });
    test.clock.advance(15 * MINUTE);
    client.send('edit', 'a');
    client.send('edit', 'b');
    expect(await client.closed).toEqual({ code: 1008, reason: 'idle' });
    expect(test.gateway.handled).toEqual([]);
    expect(client.received).toEqual([]);
  });

  it('is refused, and the socket closed, once the record of its session is lost', async () => {
    const test = await start();
    const client = await join(test, await cookieOf(test));
    loseRecords(test.storage);
    client.send('edit', 'a');
    expect(await client.closed).toEqual({ code: 1008, reason: 'lost' });
    expect(test.gateway.handled).toEqual([]);
  });

  it.each([
    ['just after sign-in', 0, 'none'],
    ['later', MINUTE, 'revoked'],
  ])(
    'is refused, and the socket closed, once the store has no data any more: %s',
    async (_, afterMs, reason) => {
      const store = new expressSession.MemoryStore();
      const test = await start({ options: { session: { secret: SECRET, store } } });
      const { Cookie } = await signIn(test);
      const client = await join(test, { Cookie });
      test.clock.advance(afterMs);
      await promisify(store.destroy.bind(store))(sessionIdOf(Cookie));
      client.send('edit', 'a');
      expect(await client.closed).toEqual({ code: 1008, reason });
      expect(test.gateway.handled).toEqual([]);
    },
  );

  it('finds the data that the session has now', async () => {
    const test = await start();
    const { browser, Cookie } = await signIn(test);
    const client = await join(test, { Cookie });
    await browser.post('/page').send({ note: 'new' }).expect(200);
    expect(await client.ask('note')).toEqual({ event: 'noted', data: 'new' });
  });

  it('goes by the idle timeout of the role that the person has now', async () => {
    const idleTimeout = (request: Request) => (request.session.note === 'short' ? '5m' : '15m');
    const test = await start({ options: { idleTimeout } });
    const { browser, Cookie } = await signIn(test);
    const client = await join(test, { Cookie });
    expect(await statusOf(browser)).toMatchObject({ idleTimeoutMs: 15 * MINUTE });
    await browser.post('/page').send({ note: 'short' }).expect(200);
    await client.ask('edit', 'a');
    test.clock.advance(5 * MINUTE);
    client.send('edit', 'b');
    expect(await client.closed).toEqual({ code: 1008, reason: 'idle' });
    expect(test.gateway.handled).toEqual(['a']);
  });

  it('waits while its socket is being attached', async () => {
    const test = await start();
    const { Cookie } = await signIn(test);
    const gate = pauseReads(test);
    const client = await open(test, { Cookie });
    const answer = client.ask('edit', 'a');
    await gate.reached;
    expect(test.gateway.handled).toEqual([]);
    gate.open();
    expect(await answer).toEqual({ event: 'edited', data: 'active' });
  });

  it('is not handled if its socket is refused in the end', async () => {
    const gate = new Gate();
    let asked = 0;
    const idleTimeout = async ({ headers }: Request) => {
      if (!headers['x-refused'] || ++asked > 1) return '15m' as const;
      await gate.pass();
      throw new Error('on purpose');
    };
    const test = await start({ options: { idleTimeout }, logger: new RecordingLogger() });
    const { Cookie } = await signIn(test);
    const other = await join(test, { Cookie });
    const client = await open(test, { Cookie, 'X-Refused': 'yes' });
    client.send('edit', 'a');
    await gate.reached;
    await other.ask('edit', 'b');
    gate.open();
    expect(await client.closed).toMatchObject({ code: 1011 });
    expect(test.gateway.handled).toEqual(['b']);
  });

  it('is refused on a socket that is not attached, and the log names the cure', async () => {
    const logger = new RecordingLogger();
    const test = await start({ logger });
    const { Cookie } = await signIn(test);
    const client = await SocketClient.open(test, '/forgotten', { Cookie });
    client.send('edit');
    client.send('edit');
    client.send('ping');
    await until('the last is answered', () => client.has('pong'));
    expect(client.has('edited')).toBe(false);
    expect(logger.warnings.filter((line) => /IdleSessionService\.attach/.test(line))).toHaveLength(
      1,
    );
  });

  it('to an exempt handler is never refused', async () => {
    const test = await start();
    const forgotten = await SocketClient.open(test, '/forgotten');
    expect(await forgotten.ask('ping')).toEqual({ event: 'pong', data: null });

    const { browser, Cookie } = await signIn(test);
    const client = await join(test, { Cookie });
    test.clock.advance(10 * MINUTE);
    expect(await client.ask('ping')).toEqual({ event: 'pong', data: null });
    expect(await statusOf(browser)).toMatchObject({ expiresInMs: 5 * MINUTE });
  });
});
