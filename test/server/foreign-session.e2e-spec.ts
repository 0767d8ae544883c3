import { Controller, Get, Module, Req, type MiddlewareConsumer } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import type { NextFunction, Request, Response } from 'express';
import expressSession from 'express-session';
import { sessionIdOf, signInCookie } from '../support/cookies.js';
import { PATIENCE_MS } from '../support/durations.js';
import { MINUTE, SECRET } from '../support/test-app.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

const plainSession = expressSession({ secret: SECRET, resave: false, saveUninitialized: true });

/** As cookie-session does it: the data comes from the cookie, and there is no store. */
function cookieSession(request: Request, _: Response, next: NextFunction): void {
  Object.assign(request, { session: { user: 'ada' } });
  next();
}

describe.each([
  ['express-session, mounted beside the module,', plainSession],
  ['a session middleware without a store', cookieSession],
])('A session from %s', (_, middleware) => {
  it.each([
    ['get', '/page'],
    ['post', '/page'],
    ['get', '/exempt'],
    ['get', '/poll'],
    ['get', '/idle-session/status'],
    ['post', '/idle-session/sign-out'],
  ] as const)(
    'is an error that names the cure, never half-guarded: %s %s',
    async (method, path) => {
      const logger = new RecordingLogger();
      const test = await start({ logger, configure: (app) => app.use(middleware) });
      const { body, headers } = await test.browser()[method](path).expect(500);
      expect(body).toEqual({ statusCode: 500, message: 'Internal server error' });
      expect(headers['server-timing']).toBeUndefined();
      const logged = logger.errors.join('\n');
      expect(logged).toContain('has a session that IdleSessionModule does not guard');
      expect(logged).toContain('IdleSessionModule.forRoot({ session })');
      expect(logged).toContain('app.use(app.get(IdleSessionService).middleware())');
    },
  );

  it('leaves what has no route the 404 that it is', async () => {
    const test = await start({
      logger: new RecordingLogger(),
      configure: (app) => app.use(middleware),
    });
    await test.browser().get('/nowhere').expect(404);
  });

  it('is an error when it is mounted for some paths only, and the others are guarded', async () => {
    const test = await start({
      logger: new RecordingLogger(),
      configure: (app) => app.use('/poll', middleware),
    });
    const ada = await test.signedIn();
    await ada.get('/poll').expect(500);
    await ada.get('/page').expect(200, { user: 'ada' });
  });
});

/** As cookie-session does it, also where there is a session. */
function replaceSession(request: Request, _: Response, next: NextFunction): void {
  const session = { user: 'ada' };
  Object.defineProperty(request, 'session', { configurable: true, get: () => session });
  next();
}

@Controller('assigned')
class AssigningController {
  @Get()
  get(@Req() request: Request) {
    Object.assign(request, { session: { user: 'eve' } });
    return {};
  }
}

describe('A session middleware that replaces the session of the module', () => {
  const started = async () => {
    const logger = new RecordingLogger();
    let isReplacing = false;
    @Module({})
    class ReplacingModule {
      configure(consumer: MiddlewareConsumer) {
        const replace = (request: Request, response: Response, next: NextFunction) =>
          isReplacing ? replaceSession(request, response, next) : next();
        consumer.apply(replace).forRoutes('{*path}');
      }
    }
    const controllers = [AssigningController];
    const test = await start({ logger, metadata: { imports: [ReplacingModule], controllers } });
    const ada = await test.signedIn();
    return { test, logger, ada, replace: (on = true) => (isReplacing = on) };
  };

  it.each([
    ['get', '/page'],
    ['post', '/page'],
    ['get', '/exempt'],
    ['get', '/members'],
    ['get', '/idle-session/status'],
  ] as const)(
    'is an error that names the cure, and no request that hangs: %s %s',
    async (method, path) => {
      const { test, logger, ada, replace } = await started();
      replace();
      for (const browser of [ada, test.browser()])
        await browser[method](path).timeout(PATIENCE_MS).expect(500);
      expect(logger.errors.join('\n')).toContain('a session that IdleSessionModule does not guard');
      replace(false);
      await ada.get('/page').expect(200, { user: 'ada' });
    },
  );

  it('leaves what has no route the 404 that it is', async () => {
    const { ada, replace } = await started();
    replace();
    await ada.get('/nowhere').timeout(PATIENCE_MS).expect(404);
  });

  it('is logged once where a handler does it: its answer goes out, and the session is as it was', async () => {
    const { logger, ada } = await started();
    await ada.get('/assigned').timeout(PATIENCE_MS).expect(200);
    await ada.get('/assigned').timeout(PATIENCE_MS).expect(200);
    expect(logger.errors).toEqual([
      expect.stringContaining('a session that IdleSessionModule does not guard'),
    ]);
    await ada.get('/page').expect(200, { user: 'ada' });
  });
});

/** As apps do that take the session's id from elsewhere than the cookie. */
type Load = (sid: string, request: Request, next: NextFunction) => void;

describe.each<[string, Load]>([
  [
    'was loaded for another request',
    (sid, request, next) => {
      request.sessionStore.load(sid, (_, session) => {
        Object.assign(request, { session });
        next();
      });
    },
  ],
  [
    'was made of data that the store gave out before',
    (sid, request, next) => {
      request.sessionID = sid;
      request.sessionStore.get(sid, (_, data) => {
        setImmediate(() => {
          if (data) request.sessionStore.createSession(request, data);
          next();
        });
      });
    },
  ],
])('A session that %s', (_, load) => {
  @Module({})
  class LoadingModule {
    configure(consumer: MiddlewareConsumer) {
      const loadSession = (request: Request, __: Response, next: NextFunction) =>
        typeof request.query.sid === 'string' ? load(request.query.sid, request, next) : next();
      consumer.apply(loadSession).forRoutes('{*path}');
    }
  }

  it('is an error that names the cure, never half-guarded: it may be locked', async () => {
    const logger = new RecordingLogger();
    const options = { idleTimeout: '1h', lockAfter: '15m' } as const;
    const test = await start({ logger, options, metadata: { imports: [LoadingModule] } });
    const sid = sessionIdOf(await signInCookie(test));
    test.clock.advance(15 * MINUTE);
    for (const path of ['/page', '/exempt', '/idle-session/status'])
      await test.browser().get(`${path}?sid=${sid}`).timeout(PATIENCE_MS).expect(500);
    expect(logger.errors.join('\n')).toContain('a session that IdleSessionModule does not guard');
  });
});
