import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Module, Post, Req, type INestApplication, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import type { Request, RequestHandler } from 'express';
import {
  IdleSessionGuard,
  IdleSessionInterceptor,
  IdleSessionModule,
  IdleSessionService,
  SkipIdleSession,
} from 'nestjs-idle-session';
import supertest from 'supertest';
import { start as startBehindProxy } from '../../docs/examples/behind-a-proxy.js';
import * as configuration from '../../docs/examples/configuration.js';
import { SessionMetrics } from '../../docs/examples/events.js';
import * as globalGuard from '../../docs/examples/recipes/global-guard.js';
import { start as startWithPassport } from '../../docs/examples/recipes/passport.js';
import { ClaimsModule } from '../../docs/examples/recipes/graphql.js';
import { start as startWithMiddleware } from '../../docs/examples/express-middleware.js';
import {
  PricesController,
  sending,
  StatementsController,
} from '../../docs/examples/recipes/streams.js';
import * as routes from '../../docs/examples/routes.js';
import { fetchNews } from '../../docs/examples/browser/passive-request.js';
import { ExpiredSessionSweeper } from '../../libs/idle-session/src/session/expired-session.sweeper.js';
import { signInCookie } from '../support/cookies.js';
import { OpenStream } from '../support/open-stream.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { serverTiming } from '../support/server-timing.js';
import {
  createTestApp,
  HOUR,
  MINUTE,
  SECRET,
  TestController,
  type TestAppOptions,
} from '../support/test-app.js';

const running: INestApplication[] = [];
afterEach(async () => {
  OpenStream.leaveAll();
  await Promise.all(running.splice(0).map((app) => app.close()));
});

async function start(options: TestAppOptions) {
  const test = await createTestApp(options);
  running.push(test.app);
  return test;
}

/** An app of one of the examples' root modules. */
async function startModule(module: Type, controllers: Type[] = []) {
  const built = await Test.createTestingModule({ imports: [module], controllers }).compile();
  const app = built.createNestApplication();
  await app.init();
  running.push(app);
  return supertest.agent(app.getHttpServer());
}

async function idleTimeoutOf(browser: supertest.Agent): Promise<number | null> {
  const { body } = await browser.get('/idle-session/status').expect(200);
  return (body as { idleTimeoutMs: number | null }).idleTimeoutMs;
}

describe('docs/configuration.md', () => {
  it('forRoot() takes the options', async () => {
    const browser = await startModule(configuration.WithOptions, [TestController]);
    await browser.post('/sign-in').expect(200);
    const { body } = await browser.get('/idle-session/status').expect(200);
    expect(body).toMatchObject({
      state: 'active',
      idleTimeoutMs: 15 * MINUTE,
      warnBeforeMs: 2 * MINUTE,
      loginUrl: '/login',
    });
    expect(Math.ceil((body as { absoluteExpiresInMs: number }).absoluteExpiresInMs / HOUR)).toBe(
      12,
    );
  });

  it('forRootAsync() takes them from a factory', async () => {
    await expect(startModule(configuration.WithFactory)).rejects.toThrow('SESSION_SECRET');
    process.env.SESSION_SECRET = 'a secret out of the environment';
    try {
      const browser = await startModule(configuration.WithFactory, [TestController]);
      await browser.post('/sign-in').expect(200);
      expect(await idleTimeoutOf(browser)).toBe(15 * MINUTE);
    } finally {
      delete process.env.SESSION_SECRET;
    }
  });

  it('functions decide for each request', async () => {
    const browser = await startModule(configuration.WithFunctions, [TestController]);
    await browser.post('/sign-in').send({ role: 'admin' }).expect(200);
    await browser.get('/page').expect(200);
    expect(await idleTimeoutOf(browser)).toBe(10 * MINUTE);
    await browser.post('/sign-in').send({ user: 'bob' }).expect(200);
    await browser.get('/page').expect(200);
    expect(await idleTimeoutOf(browser)).toBe(15 * MINUTE);
    await browser.get('/idle-session/draft-key').expect(200);
  });

  it('several secrets are taken', async () => {
    const browser = await startModule(configuration.WithTwoSecrets, [TestController]);
    await browser.post('/sign-in').expect(200);
    await browser.get('/page').expect(200, { user: 'ada' });
  });
});

describe('docs/what-counts.md', () => {
  it('a passive route is no activity', async () => {
    const { clock, signedIn } = await start({ metadata: { controllers: [routes.NewsController] } });
    const ada = await signedIn();
    clock.advance(14 * MINUTE);
    await ada.get('/news').expect(200, { news: [] });
    clock.advance(MINUTE);
    await ada.get('/news').expect(401);
  });

  it('a request may say of itself that it is passive', async () => {
    const sent: RequestInit[] = [];
    const { fetch } = globalThis;
    globalThis.fetch = async (_, init) => {
      sent.push(init!);
      return new Response();
    };
    try {
      await fetchNews();
    } finally {
      globalThis.fetch = fetch;
    }
    const { clock, signedIn } = await start({});
    const ada = await signedIn();
    clock.advance(14 * MINUTE);
    await ada
      .get('/page')
      .set(sent[0]!.headers as Record<string, string>)
      .expect(200);
    clock.advance(MINUTE);
    await ada.get('/page').expect(401);
  });

  it('an exempt route is open to a session that has ended', async () => {
    const { clock, signedIn } = await start({
      metadata: { controllers: [routes.HealthController] },
    });
    const ada = await signedIn();
    clock.advance(15 * MINUTE);
    await ada.get('/health').expect(200, { status: 'up' });
    await ada.get('/page').expect(401);
  });

  it('middleware of another package is protected', async () => {
    const answering =
      (text: string): RequestHandler =>
      (_, response) => {
        response.send(text);
      };
    const app = await startWithMiddleware(
      ProxiedModule,
      answering('the queues'),
      answering('the reports'),
    );
    await app.init();
    running.push(app);
    const browser = supertest.agent(app.getHttpServer());
    await browser.get('/reports').expect(401, 'Unauthorized');
    await browser.post('/sign-in').expect(200);
    await browser.get('/reports').expect(200, 'the reports');
    await browser.get('/admin/queues').expect(200, 'the queues');
    await browser.post('/idle-session/sign-out').expect(204);
    await browser.get('/admin/queues').expect(401, 'Unauthorized');
  });

  it("a filter of the app's own answers a person with a page while the storage is away", async () => {
    const { storage, signedIn } = await start({
      metadata: { providers: [{ provide: APP_FILTER, useClass: routes.OutagePageFilter }] },
      logger: new RecordingLogger(),
    });
    const ada = await signedIn();
    storage.read = () => Promise.reject(new Error('away'));
    await ada
      .get('/page')
      .set('Accept', 'text/html,*/*;q=0.8')
      .expect(503, /still signed in/);
    await ada
      .get('/page')
      .expect('Retry-After', '1')
      .expect(503, /storage-unavailable/);
  });
});

describe('docs/api.md', () => {
  it('a handler is given the status, and the service ends the session', async () => {
    const { signedIn } = await start({
      metadata: { controllers: [routes.TimeLeftController, routes.AccountController] },
    });
    const ada = await signedIn();
    await ada.get('/time-left').expect(200, { seconds: 900 });
    await ada.post('/account/sign-out').expect(204);
    expect((await ada.get('/idle-session/status')).body).toMatchObject({ reason: 'signed-out' });
  });

  it('a handler that runs for long asks whether the session is alive', async () => {
    const { app, clock, signedIn } = await start({
      metadata: { controllers: [routes.ImportController] },
    });
    const ada = await signedIn();
    await ada.post('/claims/import').send([1, 2, 3]).expect(201, { imported: 3 });
    const sessions = app.get(IdleSessionService);
    const check = sessions.check.bind(sessions);
    let checks = 0;
    sessions.check = (request) => {
      if (++checks === 3) clock.advance(15 * MINUTE);
      return check(request);
    };
    await ada.post('/claims/import').send([1, 2, 3]).expect(201, { imported: 2 });
  });

  it("a filter of the app's own gives the answer", async () => {
    const { clock, signedIn } = await start({
      metadata: { providers: [{ provide: APP_FILTER, useClass: routes.OwnAnswerFilter }] },
    });
    const ada = await signedIn();
    clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401, { error: 'session_ended', reason: 'idle' });
  });

  it('a guard and an interceptor that extend ours change a step', async () => {
    const { clock, signedIn } = await start({
      override: (builder) =>
        builder
          .overrideProvider(IdleSessionGuard)
          .useClass(routes.OwnIdleSessionGuard)
          .overrideProvider(IdleSessionInterceptor)
          .useClass(routes.OnlyFormsAreActivity),
    });
    const ada = await signedIn();
    clock.advance(14 * MINUTE);
    await ada.get('/page').expect('Server-Timing', serverTiming('warning', 60_000));
    await ada.post('/page').send({}).expect('Server-Timing', serverTiming('active', 900_000));
  });
});

describe('docs/operations.md', () => {
  it('events are counted', async () => {
    const { app, clock, signedIn } = await start({ metadata: { providers: [SessionMetrics] } });
    const ada = await signedIn();
    clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401);
    expect([...app.get(SessionMetrics).counts]).toEqual([
      ['started', 1],
      ['expired:idle', 1],
    ]);
  });
});

@Module({
  imports: [IdleSessionModule.forRoot({ session: { secret: SECRET } })],
  controllers: [TestController],
})
class ProxiedModule {}

describe('docs/proxies-and-https.md', () => {
  it('a proxy that ends TLS is believed, and the cookie is secure', async () => {
    const app = await startBehindProxy(ProxiedModule);
    await app.init();
    running.push(app);
    const signIn = () => supertest(app.getHttpServer()).post('/sign-in').expect(200);
    await signIn()
      .set('X-Forwarded-Proto', 'https')
      .expect('Set-Cookie', /; Secure/);
    await signIn().expect('Set-Cookie', /HttpOnly; SameSite=Lax$/);
  });
});

@Controller()
@globalGuard.Public()
@SkipIdleSession()
class LoginController {
  @Post('login')
  login(@Req() request: Request) {
    request.session.user = 'ada';
    return {};
  }
}

describe('docs/recipes/global-guard.md', () => {
  it('strangers see public pages only', async () => {
    const browser = await startModule(globalGuard.AppModule);
    await browser.get('/imprint').expect(200, 'Imprint');
    await browser.get('/claims').expect(401, { message: 'Unauthorized', statusCode: 401 });
  });

  it('a person whose session has ended is told why, although the guard of the app comes first', async () => {
    const { browser, clock } = await start({
      metadata: {
        controllers: [LoginController, globalGuard.PagesController],
        providers: [{ provide: APP_GUARD, useClass: globalGuard.SignedInGuard }],
      },
    });
    const ada = browser();
    await ada.post('/login').expect(201);
    await ada.get('/claims').expect(200, 'Claims');
    clock.advance(15 * MINUTE);
    expect((await ada.get('/claims').expect(401)).body).toMatchObject({ reason: 'idle' });
  });
});

describe('docs/recipes/graphql.md', () => {
  it('queries and mutations are activity, polling is none, and the end is told', async () => {
    const { clock, signedIn } = await start({
      metadata: { imports: [ClaimsModule] },
    });
    const ada = await signedIn();
    const ask = (query: string) => ada.post('/graphql').send({ query }).expect(200);
    for (const query of ['{ me }', 'mutation { renameClaim }']) {
      clock.advance(10 * MINUTE);
      await ask(query).expect('Server-Timing', serverTiming('active', 900_000));
    }
    clock.advance(14 * MINUTE);
    await ask('{ hasNews }').expect('Server-Timing', serverTiming('warning', 60_000));
    clock.advance(MINUTE);
    const { errors } = (await ask('{ me }')).body as { errors: { extensions: object }[] };
    expect(errors[0]!.extensions).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'idle' });
  });
});

describe('docs/recipes/passport.md', () => {
  it('signs in with a new session id, and the guard lets the person in', async () => {
    const app = await startWithPassport();
    running.push(app);
    await app.init();
    const browser = supertest.agent(app.getHttpServer());
    await browser.get('/me').expect(401);
    await browser.post('/login').send({ name: 'ada', password: 'no' }).expect(401);
    await browser
      .post('/login')
      .send({ name: 'ada', password: 'demo' })
      .expect(200, { name: 'ada' });
    await browser.get('/me').expect(200, { name: 'ada' });
    expect((await browser.get('/idle-session/status')).body).toMatchObject({ state: 'active' });
  });
});

describe('docs/recipes/streams.md', () => {
  async function opened(
    controllers: Type[],
    path: string,
    configure?: TestAppOptions['configure'],
  ) {
    const test = await start({ metadata: { controllers }, configure });
    await test.app.listen(0, '127.0.0.1');
    const stream = await OpenStream.open(test.app, path, { cookie: await signInCookie(test) });
    const idleOut = () => {
      test.clock.advance(15 * MINUTE);
      return test.app.get(ExpiredSessionSweeper).sweep();
    };
    return { stream, idleOut };
  }

  it('a stream of events ends when its session ends, and says why', async () => {
    const { stream, idleOut } = await opened([PricesController], '/prices');
    await stream.has('"price":100');
    await idleOut();
    await stream.end();
    expect(stream.received).toMatch(/event: session-ended\ndata: {"reason":"idle".*\n\n$/);
  });

  it('a download on a marked route is sent as a whole while the session lives', async () => {
    const { stream } = await opened([StatementsController], '/statements/all');
    expect(await stream.end()).toBe('whole');
    expect(stream.received).toBe('a statement');
  });

  it.each([
    ['/follow?follow=true', 'cut'],
    ['/follow', undefined],
  ])('middleware chooses whether its answer is cut off: %s', async (path, outcome) => {
    const { stream, idleOut } = await opened([], path, (app) => {
      const sessions = app.get(IdleSessionService);
      app.use(
        '/follow',
        sessions.protect(),
        sending(sessions, (response) => response.flushHeaders()),
      );
    });
    await idleOut();
    if (outcome) await stream.end();
    expect(stream.outcome).toBe(outcome);
  });
});
