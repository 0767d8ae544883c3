import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  ParseIntPipe,
  Query,
  Scope,
  type CallHandler,
  type ExecutionContext,
  type MiddlewareConsumer,
  type NestInterceptor,
  type NestModule,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE, REQUEST } from '@nestjs/core';
import type { NextFunction, Request, Response } from 'express';
import expressSession from 'express-session';
import { map } from 'rxjs';
import { IdleSessionService, MemoryActivityStorage } from 'nestjs-idle-session';
import { serverTiming } from '../support/server-timing.js';
import { MINUTE, SECRET } from '../support/test-app.js';
import { cookiesOf, setCookiesOf } from '../support/cookies.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

describe("The module's middleware", () => {
  const seen: unknown[] = [];

  @Module({})
  class UserModule implements NestModule {
    configure(consumer: MiddlewareConsumer): void {
      consumer
        .apply((request: Request, _: Response, next: NextFunction) => {
          seen.push(request.session?.user ?? typeof request.session);
          next();
        })
        .forRoutes('page');
    }
  }

  it("comes before other modules', wherever they are imported", async () => {
    seen.length = 0;
    const test = await start({ metadata: { imports: [UserModule] } });
    const ada = await test.signedIn();
    await ada.get('/page').expect(200);
    await test.browser().get('/page').expect(200);
    expect(seen).toEqual(['ada', 'object']);
  });

  it('does nothing when the app has mounted it itself, before what needs it', async () => {
    const users: unknown[] = [];
    const test = await start({
      configure: (app) =>
        app.use(
          app.get(IdleSessionService).middleware(),
          (request: Request, _: Response, next: NextFunction) => {
            users.push(request.session.user);
            next();
          },
        ),
    });
    const ada = await test.signedIn();
    test.clock.advance(MINUTE);
    await ada
      .get('/page')
      .expect(200, { user: 'ada' })
      .expect('Server-Timing', serverTiming('active', 900_000));
    await ada
      .get('/nowhere')
      .expect(404)
      .expect('Server-Timing', serverTiming('active', 900_000, ', http-status;dur=404'));
    expect(users).toEqual([undefined, 'ada', 'ada']);
    expect(test.events).toHaveLength(1);
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401);
  });

  it('sends the cookie once', async () => {
    const test = await start({
      configure: (app) => app.use(app.get(IdleSessionService).middleware()),
    });
    const response = await test.browser().post('/sign-in').send({}).expect(200);
    expect(setCookiesOf(response)).toHaveLength(1);
  });
});

describe('Two apps in one process', () => {
  it('know nothing of each other', async () => {
    const one = await start({ options: { idleTimeout: '5m', path: 'one' } });
    const two = await start({ options: { idleTimeout: '30m', path: 'two', loginUrl: '/login' } });
    const [ada, eve] = [await one.signedIn(), await two.signedIn({ user: 'eve' })];

    expect((await ada.get('/one/status').expect(200)).body).toMatchObject({
      idleTimeoutMs: 5 * MINUTE,
      loginUrl: null,
    });
    expect((await eve.get('/two/status').expect(200)).body).toMatchObject({
      idleTimeoutMs: 30 * MINUTE,
      loginUrl: '/login',
    });
    await ada.get('/two/status').expect(404);
    await eve.get('/one/status').expect(404);

    one.clock.advance(5 * MINUTE);
    two.clock.advance(5 * MINUTE);
    await ada.get('/page').expect(401);
    await eve.get('/page').expect(200, { user: 'eve' });
    expect(one.events.map(({ type }) => type)).toEqual(['started', 'expired']);
    expect(two.events.map(({ type }) => type)).toEqual(['started']);
  });

  it('share sessions if they share store, storage and secret', async () => {
    const storage = new MemoryActivityStorage();
    const session = { secret: SECRET, store: new expressSession.MemoryStore() };
    const one = await start({ options: { storage, session } });
    const two = await start({ options: { storage, session } });
    const cookie = cookiesOf(await one.browser().post('/sign-in').send({}).expect(200));
    await two.browser().get('/page').set('Cookie', cookie).expect(200, { user: 'ada' });
    await two.browser().post('/sign-out').set('Cookie', cookie).expect(204);
    expect(
      (await one.browser().get('/idle-session/status').set('Cookie', cookie)).body,
    ).toMatchObject({ state: 'expired', reason: 'signed-out' });
  });
});

@Injectable({ scope: Scope.REQUEST })
class WhoIsThere {
  constructor(@Inject(REQUEST) private readonly request: Request) {}

  get answer() {
    return { user: this.request.session.user, state: this.request.idleSession?.state };
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestScopedGuard {
  static made = 0;

  constructor() {
    RequestScopedGuard.made++;
  }

  canActivate(): boolean {
    return true;
  }
}

@Injectable()
class Wrapping implements NestInterceptor {
  static readonly states: unknown[] = [];

  intercept(context: ExecutionContext, next: CallHandler) {
    Wrapping.states.push(context.switchToHttp().getRequest<Request>().idleSession?.state);
    return next.handle().pipe(map((data: object) => ({ wrapped: data })));
  }
}

@Controller()
class UserController {
  constructor(private readonly who: WhoIsThere) {}

  @Get('who')
  whoIsThere() {
    return this.who.answer;
  }

  @Get('number')
  number(@Query('n', ParseIntPipe) n: number) {
    return { n };
  }
}

describe("The app's own", () => {
  const metadata = { controllers: [UserController], providers: [WhoIsThere] };

  it('request-scoped providers see the session and its status', async () => {
    RequestScopedGuard.made = 0;
    const test = await start({
      metadata: {
        ...metadata,
        providers: [WhoIsThere, { provide: APP_GUARD, useClass: RequestScopedGuard }],
      },
    });
    const ada = await test.signedIn();
    await ada.get('/who').expect(200, { user: 'ada', state: 'active' });
    expect(RequestScopedGuard.made).toBeGreaterThanOrEqual(2);
    test.clock.advance(15 * MINUTE);
    await ada.get('/who').expect(401);
  });

  it('APP_INTERCEPTOR runs as ever, with the status there', async () => {
    Wrapping.states.length = 0;
    const test = await start({
      metadata: {
        ...metadata,
        providers: [WhoIsThere, { provide: APP_INTERCEPTOR, useClass: Wrapping }],
      },
    });
    const ada = await test.signedIn();
    await ada.get('/page').expect(200, { wrapped: { user: 'ada' } });
    expect(Wrapping.states.at(-1)).toBe('active');
  });

  it('pipes run as ever', async () => {
    const test = await start({
      metadata: {
        ...metadata,
        providers: [
          WhoIsThere,
          { provide: APP_PIPE, useValue: { transform: (value: unknown) => value } },
        ],
      },
    });
    const ada = await test.signedIn();
    await ada.get('/number?n=7').expect(200, { n: 7 });
    await ada.get('/number?n=seven').expect(400);
    await ada.post('/idle-session/heartbeat').send({ idleForMs: 5 }).expect(200);
  });
});
