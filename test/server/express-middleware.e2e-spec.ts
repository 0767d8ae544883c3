import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  Catch,
  Injectable,
  Module,
  type ArgumentsHost,
  type ExceptionFilter,
  type INestApplication,
} from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { ServeStaticModule } from '@nestjs/serve-static';
import type { RequestHandler, Response } from 'express';
import {
  IdleSessionGuard,
  IdleSessionModule,
  IdleSessionService,
  MemoryActivityStorage,
  SessionExpiredException,
  type ProtectOptions,
} from 'nestjs-idle-session';
import { ManualClock } from 'nestjs-idle-session/testing';
import supertest from 'supertest';
import { PATIENCE_MS } from '../support/durations.js';
import { expectEnded, NAVIGATION } from '../support/requests.js';
import { serverTiming } from '../support/server-timing.js';
import { MINUTE, SECRET, TestController, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

const RESTARTED = serverTiming('active', 900_000);

/** An admin page of another package, as Express middleware. */
const queues: RequestHandler = (request, response) => {
  if (request.method === 'GET')
    response.json({ user: request.session.user ?? null, url: request.originalUrl });
  else response.status(403).json({ why: 'not allowed to' });
};

/** What `main.ts` says before the app listens. */
const protectingQueues =
  (options?: ProtectOptions): NonNullable<TestAppOptions['configure']> =>
  (app) =>
    app.use('/queues', app.get(IdleSessionService).protect(options), queues);

describe('Express middleware behind protect()', () => {
  it('serves people, and each of their requests is activity', async () => {
    const test = await start({ configure: protectingQueues() });
    const ada = await test.signedIn();
    for (let click = 0; click < 3; click++) {
      test.clock.advance(14 * MINUTE);
      await ada
        .get('/queues')
        .expect(200, { user: 'ada', url: '/queues' })
        .expect('Server-Timing', RESTARTED);
    }
  });

  it('refuses a script of a session that ended, with the reason', async () => {
    const test = await start({ configure: protectingQueues() });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await expectEnded(ada, 'idle', '/queues');
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'expired']);
  });

  it.each([[''], ['api']])(
    'sends a person whose session ended to the login page, with the way back: prefix %j',
    async (prefix) => {
      const test = await start({
        options: { loginUrl: '/login' },
        configure(app) {
          app.setGlobalPrefix(prefix);
          protectingQueues()(app);
        },
      });
      const ada = test.browser();
      await ada.post(`/${prefix}/sign-in`.replace('//', '/')).expect(200);
      test.clock.advance(15 * MINUTE);
      await ada
        .get('/queues?page=2')
        .set(NAVIGATION)
        .expect(303)
        .expect('Location', '/login?reason=idle&returnTo=%2Fqueues%3Fpage%3D2');
      // The person has been told: from now on it is a stranger's.
      await ada.get('/queues').set(NAVIGATION).expect(200, { user: null, url: '/queues' });
    },
  );

  it('lets strangers pass: who may see it is for the app to say', async () => {
    const test = await start({ configure: protectingQueues() });
    await test.browser().get('/queues').expect(200, { user: null, url: '/queues' });
  });

  it('keeps refusals of its own', async () => {
    const test = await start({ configure: protectingQueues() });
    const ada = await test.signedIn();
    await ada.post('/queues/retry').expect(403, { why: 'not allowed to' });
  });

  it.each<[string, Record<string, string>, ProtectOptions]>([
    ['says that it is passive', { 'Idle-Session': 'passive' }, {}],
    ['comes from another site', { 'Sec-Fetch-Site': 'cross-site' }, {}],
    ['is none by the options', {}, { isActivity: ({ method }) => method !== 'GET' }],
  ])('counts no request that %s', async (_, headers, options) => {
    const test = await start({ configure: protectingQueues(options) });
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE);
    await ada
      .get('/queues')
      .set(headers)
      .expect(200)
      .expect('Server-Timing', serverTiming('active', 300_000));
    await ada
      .post('/queues/retry')
      .expect(403)
      .expect('Server-Timing', serverTiming('active', 900_000, ', http-status;dur=403'));
    test.clock.advance(15 * MINUTE);
    await ada.get('/queues').set(headers).expect(401);
  });

  it('is 503 while the storage is away, and nobody is signed out', async () => {
    const test = await start({ configure: protectingQueues() });
    const ada = await test.signedIn();
    const read = jest.spyOn(test.storage, 'read').mockRejectedValue(new Error('on purpose'));
    test.app.useLogger(false);
    await ada
      .get('/queues')
      .expect(503)
      .expect('Retry-After', '1')
      .expect('Content-Type', /^application\/problem\+json/);
    read.mockRestore();
    await ada.get('/queues').expect(200);
  });

  it('is a 500 for an error of an option, and no sign-out', async () => {
    let isBroken = false;
    const idleTimeout = () => {
      if (isBroken) throw new Error('on purpose');
      return '15m';
    };
    const test = await start({ options: { idleTimeout }, configure: protectingQueues() });
    const ada = await test.signedIn();
    test.app.useLogger(false);
    isBroken = true;
    await ada.get('/queues').expect(500);
    isBroken = false;
    await ada.get('/queues').expect(200);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('on purpose');
      },
    ],
    ['rejects', () => Promise.reject(new Error('on purpose'))],
  ])('is a 500 where a filter of the app %s, and the process lives on', async (_, does) => {
    @Catch(SessionExpiredException)
    class FailingFilter implements ExceptionFilter {
      catch = does;
    }
    const test = await start({
      logger: { log() {}, warn() {}, error() {} },
      configure: (app) => {
        app.useGlobalFilters(new FailingFilter());
        protectingQueues()(app);
      },
    });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await ada.get('/queues').timeout(PATIENCE_MS).expect(500);
    await ada.get('/exempt').expect(200);
  });

  it('comes after a session middleware that main.ts has mounted, and before one that the module mounts', async () => {
    const test = await start({
      configure(app) {
        const sessions = app.get(IdleSessionService);
        app.use(sessions.middleware());
        app.use('/queues', sessions.middleware(), sessions.protect(), queues);
      },
    });
    const ada = await test.signedIn();
    await ada.get('/queues').expect(200, { user: 'ada', url: '/queues' });
  });
});

@Catch(SessionExpiredException)
class OwnAnswerFilter implements ExceptionFilter {
  catch({ reason }: SessionExpiredException, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<Response>().status(440).json({ ended: reason });
  }
}

@Injectable()
class ClosedGuard extends IdleSessionGuard {
  override async canActivate(...[context]: Parameters<IdleSessionGuard['canActivate']>) {
    return (await super.canActivate(context)) && false;
  }
}

it('An overridden guard that says no keeps requests from the middleware, as from a route', async () => {
  const test = await start({
    override: (builder) => builder.overrideProvider(IdleSessionGuard).useClass(ClosedGuard),
    configure: protectingQueues(),
  });
  await test.browser().get('/queues').expect(403);
});

@Injectable()
class LenientGuard extends IdleSessionGuard {
  protected override isExempt(...[context]: Parameters<IdleSessionGuard['canActivate']>): boolean {
    return this.getRequest(context).get('X-Lenient') !== undefined;
  }
}

describe('What an app changes of the steps', () => {
  it('changes them behind protect(), too', async () => {
    const test = await start({
      metadata: { providers: [{ provide: APP_FILTER, useClass: OwnAnswerFilter }] },
      override: (builder) => builder.overrideProvider(IdleSessionGuard).useClass(LenientGuard),
      configure: protectingQueues(),
    });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await ada.get('/queues').expect(440, { ended: 'idle' });
    await ada.get('/queues').set('X-Lenient', 'yes').expect(200, { user: null, url: '/queues' });
  });
});

describe('ServeStaticModule', () => {
  const clock = new ManualClock();
  let rootPath: string;
  let app: INestApplication;
  let ada: ReturnType<typeof supertest.agent>;

  beforeEach(async () => {
    rootPath = mkdtempSync(join(tmpdir(), 'reports-'));
    writeFileSync(join(rootPath, 'report.txt'), 'the report');
    writeFileSync(join(rootPath, 'index.html'), 'the list of reports');
    @Module({
      imports: [
        IdleSessionModule.forRoot({
          session: { secret: SECRET },
          storage: new MemoryActivityStorage({ now: clock.now }),
        }),
        ServeStaticModule.forRoot(
          { rootPath, serveRoot: '/reports' },
          { rootPath, serveRoot: '/public' },
        ),
      ],
      controllers: [TestController],
    })
    class AppModule {}
    // Not a testing module: that has no HTTP server yet when this module looks for one.
    app = await NestFactory.create(AppModule, { logger: false });
    app.use('/reports', app.get(IdleSessionService).protect());
    await app.init();
    ada = supertest.agent(app.getHttpServer());
    await ada.post('/sign-in').expect(200);
  });

  afterEach(async () => {
    await app.close();
    rmSync(rootPath, { recursive: true });
  });

  it.each(['/reports/report.txt', '/reports/any/page'])(
    'behind protect(), serves people whose session is alive, and none that ended: %s',
    async (path) => {
      clock.advance(14 * MINUTE);
      await ada
        .get(path)
        .expect(200, /the (list of )?report/)
        .expect('Server-Timing', RESTARTED);
      clock.advance(15 * MINUTE);
      await expectEnded(ada, 'idle', path);
    },
  );

  it('without protect(), neither refuses nor counts', async () => {
    clock.advance(10 * MINUTE);
    await ada.get('/public/report.txt').expect(200, 'the report');
    const { body } = await ada.get('/idle-session/status').expect(200);
    expect(body.expiresInMs).toBe(5 * MINUTE);
    clock.advance(15 * MINUTE);
    await ada.get('/public/report.txt').expect(200, 'the report');
  });
});
