import { describe, expect, it, jest } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { IncomingMessage } from 'node:http';
import { RecordingLogger } from '../support/recording-logger.js';
import { statusOf } from '../support/requests.js';
import { join, open, signIn, socketApps, type SocketApp } from '../support/socket-app.js';
import { MINUTE } from '../support/test-app.js';
import { until } from '../support/until.js';

const start = socketApps();

const Host = 'claims.example';

const trustProxy = (app: unknown) => (app as NestExpressApplication).set('trust proxy', 1);

/** The storage fails from now on, until what this returns is called. */
function breakStorage({ storage, app }: SocketApp): () => void {
  app.useLogger(false);
  const read = jest.spyOn(storage, 'read').mockRejectedValue(new Error('on purpose'));
  return () => read.mockRestore();
}

describe('A WebSocket of a page of another origin', () => {
  it.each<Record<string, string>>([
    { Host, Origin: 'http://evil.example' },
    { Host, Origin: 'http://app.claims.example' },
    { Host, Origin: 'http://claims.example:8080' },
    { Host, Origin: 'http://claims.example.evil.example' },
    // As socket.io's polling: a GET for an image, say, that browsers send without Origin.
    { Host, 'Sec-Fetch-Site': 'cross-site' },
    // A proxy that is not trusted changes nothing.
    { Host, Origin: 'http://public.example', 'X-Forwarded-Host': 'public.example' },
  ])('is refused: %j', async (headers) => {
    const logger = new RecordingLogger();
    const test = await start({ logger });
    const { Cookie } = await signIn(test);
    const client = await open(test, { ...headers, Cookie });
    expect(await client.closed).toEqual({ code: 1008, reason: 'other-origin' });
    expect(test.gateway.members).toEqual([]);
    expect(logger.warnings).toEqual([expect.stringContaining('allowedOrigins')]);
  });

  it.each(['null', ''])(
    'is refused where Origin is %j, which no option can list',
    async (origin) => {
      const logger = new RecordingLogger();
      const test = await start({ logger });
      const { Cookie } = await signIn(test);
      const client = await open(test, { Host, Origin: origin, Cookie });
      expect(await client.closed).toEqual({ code: 1008, reason: 'other-origin' });
      expect(test.gateway.members).toEqual([]);
      expect(logger.warnings).toEqual([
        expect.stringContaining(`its Origin is ${JSON.stringify(origin)}, which names no origin`),
      ]);
    },
  );

  it.each<Record<string, string>>([
    {},
    { Host, Origin: 'http://claims.example' },
    { Host, Origin: 'https://claims.example' },
    { Host: 'claims.example:3000', Origin: 'http://claims.example:3000' },
    { Host, 'Sec-Fetch-Site': 'same-origin' },
    // A proxy changed the host, and scripts cannot set what the browser says.
    { Host: 'inner', Origin: 'http://claims.example', 'Sec-Fetch-Site': 'same-origin' },
  ])('is let in if it is the app itself: %j', async (headers) => {
    const test = await start();
    const { Cookie } = await signIn(test);
    await join(test, { ...headers, Cookie });
  });

  it('is told by the host that a trusted proxy names', async () => {
    const test = await start({ configure: trustProxy });
    const { Cookie } = await signIn(test);
    const forwarded = { Host: 'inner', 'X-Forwarded-Host': 'claims.example', Cookie };
    await join(test, { ...forwarded, Origin: 'https://claims.example' });
    const client = await open(test, { ...forwarded, Origin: 'http://inner' });
    expect(await client.closed).toMatchObject({ reason: 'other-origin' });
  });

  it('is refused with a line that says what the browser said of it', async () => {
    const logger = new RecordingLogger();
    const test = await start({ logger });
    const { Cookie } = await signIn(test);
    const said = { Host, Origin: 'http://claims.example', 'Sec-Fetch-Site': 'cross-site' };
    expect(await (await open(test, { ...said, Cookie })).closed).toMatchObject({ code: 1008 });
    expect(logger.warnings).toEqual([
      expect.stringContaining(
        'another origin (Sec-Fetch-Site: "cross-site", Origin: "http://claims.example")',
      ),
    ]);
  });

  it.each(['https', 'wss'])(
    'is refused where a trusted proxy says %s and the page is of http, or the browser names another site',
    async (scheme) => {
      const logger = new RecordingLogger();
      const test = await start({ logger, configure: trustProxy });
      const { Cookie } = await signIn(test);
      const over = { Host, Cookie, 'X-Forwarded-Proto': scheme };
      await join(test, { ...over, Origin: 'https://claims.example' });
      for (const refused of [
        { ...over, Origin: 'http://claims.example' },
        { ...over, Origin: 'https://claims.example', 'Sec-Fetch-Site': 'cross-site' },
      ]) {
        const client = await open(test, refused);
        expect(await client.closed).toMatchObject({ reason: 'other-origin' });
      }
      expect(logger.warnings).toEqual([
        expect.stringContaining(
          'came by https, but the page is on plain http: its Origin is "http://claims.example"',
        ),
        expect.stringContaining('Sec-Fetch-Site: "cross-site"'),
      ]);
    },
  );

  it('is let in if the app allows that origin, and its messages are activity', async () => {
    const test = await start();
    test.gateway.options = { allowedOrigins: ['https://app.example'] };
    const { browser, Cookie } = await signIn(test);
    const headers = { Host, Origin: 'https://app.example', 'Sec-Fetch-Site': 'cross-site' };
    const client = await join(test, { ...headers, Cookie });
    test.clock.advance(10 * MINUTE);
    await client.ask('edit', 'a');
    expect(await statusOf(browser)).toMatchObject({ expiresInMs: 15 * MINUTE });
  });
});

describe('While the storage is away', () => {
  it('a WebSocket is told to try again later, not that the person signed out', async () => {
    const test = await start();
    const { browser, Cookie } = await signIn(test);
    const mend = breakStorage(test);
    const client = await open(test, { Cookie });
    expect(await client.closed).toEqual({ code: 1013, reason: 'unavailable' });
    expect(test.gateway.members).toEqual([]);
    mend();
    await browser.get('/page').expect(200, { user: 'ada' });
    await join(test, { Cookie });
  });

  it('a message is refused, but not for good', async () => {
    const test = await start();
    const { Cookie } = await signIn(test);
    const client = await join(test, { Cookie });
    // By this answer it is known how long the socket may stay open.
    await client.ask('poll');
    const mend = breakStorage(test);
    client.send('edit', 'a');
    client.send('ping');
    await until('the exempt message is answered', () => client.has('pong'));
    mend();
    client.send('edit', 'b');
    await until('the last is answered', () => client.has('edited'));
    expect(test.gateway.handled).toEqual(['b']);
  });

  it('a WebSocket is let in if the options let requests go on unchecked', async () => {
    const test = await start({ options: { onStorageError: 'allow' } });
    const { Cookie } = await signIn(test);
    breakStorage(test);
    const client = await join(test, { Cookie });
    expect(await client.ask('edit', 'a')).toMatchObject({ event: 'edited' });
  });
});

describe('A WebSocket', () => {
  it('of a session that the options do not apply to is let in, until a message finds that it is gone', async () => {
    const test = await start({ options: { appliesTo: () => false } });
    const { browser, Cookie } = await signIn(test);
    const client = await join(test, { Cookie });
    test.clock.advance(60 * MINUTE);
    expect(await client.ask('edit', 'a')).toEqual({ event: 'edited', data: 'none' });
    await browser.post('/sign-out').expect(204);
    client.send('edit', 'b');
    expect(await client.closed).toEqual({ code: 1008, reason: 'none' });
    expect(test.gateway.handled).toEqual(['a']);
  });

  it("is closed if a function of the app's fails, and the log says so", async () => {
    const logger = new RecordingLogger();
    let fails = false;
    const idleTimeout = () => {
      if (fails) throw new Error('failed on purpose');
      return '15m' as const;
    };
    const test = await start({ logger, options: { idleTimeout } });
    const { Cookie } = await signIn(test);
    fails = true;
    const client = await open(test, { Cookie });
    expect(await client.closed).toEqual({ code: 1011, reason: 'error' });
    expect(test.gateway.members).toEqual([]);
    expect(logger.errors.join('\n')).toContain('failed on purpose');
  });

  it('is closed if its handshake is left out, and the log says so', async () => {
    const logger = new RecordingLogger();
    const test = await start({ logger });
    const attach = test.sessions.attach.bind(test.sessions);
    jest
      .spyOn(test.sessions, 'attach')
      .mockImplementation((client) => attach(client, undefined as unknown as IncomingMessage, {}));
    const client = await open(test);
    expect(await client.closed).toEqual({ code: 1011, reason: 'error' });
    expect(logger.errors.join('\n')).toContain('handshake');
  });
});
