import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { createGzip } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { RequestHandler } from 'express';
import supertest from 'supertest';
import { OpenSessions } from '../../libs/idle-session/src/session/open/open-sessions.js';
import { connectionsOf } from '../support/connections.js';
import { signInCookie } from '../support/cookies.js';
import { OpenStream } from '../support/open-stream.js';
import { openedStream, StreamsController } from '../support/streams-controller.js';
import { SECOND, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import { unlessStoodStill } from '../support/unless-stood-still.js';
import { until } from '../support/until.js';

afterEach(() => OpenStream.leaveAll());
const startApp = testApps();

let test: TestApp;
let cookie: string;
async function start(options: TestAppOptions = {}): Promise<void> {
  test = await startApp({ metadata: { controllers: [StreamsController] }, ...options });
  await test.app.listen(0, '127.0.0.1');
  cookie = await signInCookie(test);
}

beforeEach(() => StreamsController.reset());

const push = (text: string) => StreamsController.pushed.next(text);
const signOut = () =>
  supertest(test.app.getHttpServer()).post('/sign-out').set('Cookie', cookie).expect(204);

/** A client that speaks HTTP as the test says. */
async function rawClient(requestLine: string, connection: string): Promise<Socket> {
  const { port } = (test.app.getHttpServer() as Server).address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.write(
    `${requestLine}\r\nHost: 127.0.0.1\r\nCookie: ${cookie}\r\nConnection: ${connection}\r\n\r\n`,
  );
  return socket;
}

/** As the `compression` package does it: with a `write` and an `end` of its own. */
const gzipping: RequestHandler = (_, response, next) => {
  const write = response.write.bind(response) as (chunk: Buffer) => boolean;
  const end = response.end.bind(response) as () => unknown;
  const gzip = createGzip();
  gzip.on('data', (chunk: Buffer) => write(chunk)).on('end', () => end());
  response.setHeader('Content-Encoding', 'gzip');
  response.write = (chunk: unknown) => {
    gzip.write(chunk);
    gzip.flush();
    return true;
  };
  response.end = (chunk?: unknown) => {
    gzip.end(chunk);
    return response;
  };
  next();
};

describe('A stream of events', () => {
  it('tells its end through a middleware that compresses', () =>
    unlessStoodStill(async () => {
      await start({ configure: (app) => app.use('/events', gzipping) });
      const stream = await openedStream(test.app, '/events', cookie);
      await signOut();
      push('after');
      expect(await stream.end()).toBe('whole');
      expect(stream.received).toMatch(/event: session-ended\ndata: .*\n\n$/);
      expect(stream.received).not.toContain('after');
    }));

  it.each([
    ['GET', 'HTTP/1.0', 'close'],
    ['GET', 'HTTP/1.0', 'keep-alive'],
    ['GET', 'HTTP/1.1', 'close'],
    ['GET', 'HTTP/1.1', 'keep-alive'],
    ['HEAD', 'HTTP/1.1', 'keep-alive'],
  ])('ends with its connection: %s, %s, Connection: %s', async (method, version, kept) => {
    await start();
    const socket = await rawClient(`${method} /events ${version}`, kept);
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    await until('it has begun', () => received.includes('text/event-stream'));
    await signOut();
    const took = await until('the connection is closed', () => socket.readableEnded);
    expect(took).toBeLessThan(2 * SECOND);
    expect(received.includes('event: session-ended\n')).toBe(method === 'GET');
    await until('the handler stopped', () => StreamsController.working.size === 0);
  });

  it('that its client does not read is cut off a second later', async () => {
    await start();
    const socket = await rawClient('GET /plain-events HTTP/1.1', 'keep-alive');
    socket.pause();
    await until('the handler listens', () => StreamsController.pushed.observed);
    push('x'.repeat(32 * 1024 * 1024));
    const before = await connectionsOf(test);
    await signOut();
    const closed = await until('it is cut off', async () => (await connectionsOf(test)) < before);
    expect(closed).toBeLessThan(2 * SECOND);
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString().slice(-100)));
    socket.on('error', () => {});
    socket.resume();
    await until('the client notices', () => socket.destroyed);
    expect(received).not.toContain('session-ended');
  });

  it('is held until its client leaves, and no longer', async () => {
    await start();
    const release = jest.fn();
    const hold = jest.spyOn(test.app.get(OpenSessions), 'hold').mockReturnValue(release);
    const stream = await OpenStream.open(test.app, '/events', { cookie });
    expect(hold).toHaveBeenCalledTimes(1);
    expect(release).not.toHaveBeenCalled();
    stream.leave();
    await until('it is released', () => release.mock.calls.length > 0);
  });

  it.each(['/public-events', '/events'])(
    'is not held after its client left, while it waits for the answer of %s before it',
    async (before) => {
      await start();
      const open = test.app.get(OpenSessions);
      const socket = await rawClient(`GET ${before} HTTP/1.1`, 'keep-alive');
      for (let i = 0; i < 20; i++)
        socket.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${cookie}\r\n\r\n`);
      await until('all are held', () => open.count >= 20);
      socket.destroy();
      await until('all are released', () => open.count === 0);
    },
  );

  it.each([
    ['', () => rawClient('GET /late-events HTTP/1.1', 'close')],
    [
      ', waiting behind another answer,',
      async () => {
        const socket = await rawClient('GET /public-events HTTP/1.1', 'keep-alive');
        socket.write(`GET /late-events HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: ${cookie}\r\n\r\n`);
        return socket;
      },
    ],
  ])('is not held%s if its client left before it began', async (_, ask) => {
    await start();
    const hold = jest.spyOn(test.app.get(OpenSessions), 'hold');
    const socket = await ask();
    await StreamsController.gate.reached;
    socket.destroy();
    await until('the server noticed', async () => (await connectionsOf(test)) === 0);
    StreamsController.gate.open();
    await until('the handler began', () => StreamsController.pushed.observed);
    expect(hold).not.toHaveBeenCalled();
  });
});

describe('Any other answer', () => {
  it('is not held', async () => {
    await start();
    const hold = jest.spyOn(test.app.get(OpenSessions), 'hold');
    for (const path of ['/page', '/download', '/idle-session/status']) {
      const stream = await OpenStream.open(test.app, path, { cookie });
      stream.leave();
    }
    expect(hold).not.toHaveBeenCalled();
  });
});
