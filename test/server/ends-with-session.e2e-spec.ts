import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import supertest from 'supertest';
import { IdleSessionService } from 'nestjs-idle-session';
import { ExpiredSessionSweeper } from '../../libs/idle-session/src/session/expired-session.sweeper.js';
import { signInCookie } from '../support/cookies.js';
import { OpenStream } from '../support/open-stream.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { NAVIGATION } from '../support/requests.js';
import { openedStream, StreamsController } from '../support/streams-controller.js';
import { MINUTE, type TestApp } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import { until } from '../support/until.js';

afterEach(() => OpenStream.leaveAll());
const start = testApps();

let test: TestApp;
let cookie: string;
let logger: RecordingLogger;
beforeEach(async () => {
  StreamsController.reset();
  logger = new RecordingLogger();
  test = await start({
    options: { loginUrl: '/login' },
    metadata: { controllers: [StreamsController] },
    logger,
    configure: (app) => {
      const sessions = app.get(IdleSessionService);
      app.use('/middleware', sessions.protect(), (request: Request, response: Response) => {
        sessions.endWithSession(request);
        response.flushHeaders();
        StreamsController.pushed.subscribe((text) => response.write(text));
      });
    },
  });
  await test.app.listen(0, '127.0.0.1');
  cookie = await signInCookie(test);
});

const push = (text: string) => StreamsController.pushed.next(text);
const ask = (method: 'get' | 'post', path: string) =>
  supertest(test.app.getHttpServer())[method](path).set('Cookie', cookie);
const signOut = () => ask('post', '/idle-session/sign-out').expect(204);
const idleOut = () => {
  test.clock.advance(15 * MINUTE);
  return test.app.get(ExpiredSessionSweeper).sweep();
};

const opened = (path: string) => openedStream(test.app, path, cookie);

describe('An answer that has begun', () => {
  it.each([
    ['a stream of lines', '/lines'],
    ['one that its handler chose', '/chosen-lines'],
    ['a download', '/marked-download'],
    ['a download of known length', '/sized-download'],
    ['one of Express middleware', '/middleware'],
  ])(
    'is cut off when its session ends, so that no client takes it for whole: %s',
    async (_, path) => {
      const stream = await opened(path);
      await idleOut();
      push('after');
      expect(await stream.end()).toBe('cut');
      expect(stream.received).not.toMatch(/after|session-ended/);
      await until('the handler stopped', () => StreamsController.working.size === 0);
      push('later');
      expect(logger.errors).toEqual([]);
    },
  );

  it('is left alone without the mark', async () => {
    const stream = await opened('/download');
    await signOut();
    push('after');
    await stream.has('after');
  });

  it('is left alone when another session ends', async () => {
    const stream = await opened('/lines');
    cookie = await signInCookie(test);
    await signOut();
    push('after');
    await stream.has('after');
  });
});

describe('An answer that has not begun', () => {
  /** What comes of a request whose session ends while its handler works. */
  async function answerOf(path: string, headers: Record<string, string> = {}) {
    const answer = ask('get', path)
      .set(headers)
      .redirects(0)
      .then((response) => response);
    await StreamsController.gate.reached;
    await idleOut();
    const response = await answer;
    StreamsController.gate.open();
    await test.browser().get('/page');
    return response;
  }

  it.each([
    ['returns its answer', '/slow-answer'],
    ['sends its answer itself', '/slow-own-answer'],
  ])('is the 401 with the reason, where the handler %s', async (_, path) => {
    const { status, body, headers } = await answerOf(path);
    expect(status).toBe(401);
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({ reason: 'idle', loginUrl: '/login' });
    expect(JSON.stringify({ body, headers })).not.toContain('balance');
    expect(logger.errors).toEqual([]);
  });

  it('is the way to the login page for a person who opens a page', async () => {
    const { status, headers } = await answerOf('/slow-answer', NAVIGATION);
    expect(status).toBe(303);
    expect(headers.location).toMatch(/^\/login\?reason=idle/);
  });

  it('is the 401 also if the handler fails afterwards, which is logged', async () => {
    const { status } = await answerOf('/slow-error');
    expect(status).toBe(401);
    await until('it is logged', () => logger.errors.length > 0);
    expect(logger.errors).toEqual([expect.stringContaining('broken on purpose')]);
  });

  it('is cut off once it begins, if the session has another id by then', async () => {
    const answer = OpenStream.open(test.app, '/late-lines', { cookie });
    await StreamsController.gate.reached;
    await ask('post', '/regenerate').expect(204);
    StreamsController.gate.open();
    expect(await (await answer).end()).toBe('cut');
  });

  it('is the handler’s own, if that gives the session another id', async () => {
    await ask('post', '/marked-regenerate').expect(200, { user: 'ada' });
  });

  it('is the handler’s own, if that ends the session', async () => {
    for (const how of ['destroy', 'end']) {
      await ask('post', `/marked-sign-out?how=${how}`).expect(200, { signedOut: true });
      cookie = await signInCookie(test);
    }
  });
});
