import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  HttpCode,
  Injectable,
  Post,
  Req,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthGuard, PassportModule, PassportSerializer, PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import { IdleSessionService, SkipIdleSession } from 'nestjs-idle-session';
import passport, { Strategy } from 'passport';
import { serverTiming } from '../support/server-timing.js';
import { MINUTE, type TestAppOptions } from '../support/test-app.js';
import { cookiesOf } from '../support/cookies.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

interface Person {
  name: string;
}

/** Signs in whoever says a name and the password. */
class SpokenStrategy extends Strategy {
  override authenticate(request: Request): void {
    const { name, password } = request.body as { name?: string; password?: string };
    if (name !== undefined && password === 'demo') this.success({ name });
    else this.fail(401);
  }
}

@Injectable()
class NestSpokenStrategy extends PassportStrategy(SpokenStrategy, 'spoken') {
  validate(): never {
    throw new Error('A strategy of our own verifies by itself.');
  }
}

@Injectable()
class PersonSerializer extends PassportSerializer {
  serializeUser(user: Person, done: (error: unknown, id: string) => void): void {
    done(null, user.name);
  }

  deserializeUser(id: string, done: (error: unknown, user: Person) => void): void {
    done(null, { name: id });
  }
}

@Injectable()
class SpokenGuard extends AuthGuard('spoken') {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const accepted = (await super.canActivate(context)) as boolean;
    await super.logIn(context.switchToHttp().getRequest<Request>());
    return accepted;
  }
}

const PUBLIC = new Set(['login', 'logout', 'cart', 'loginWithCart']);

@Injectable()
class AuthenticatedGuard implements CanActivate {
  static readonly users: unknown[] = [];

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    AuthenticatedGuard.users.push(request.user);
    if (PUBLIC.has(context.getHandler().name) || request.isAuthenticated()) return true;
    throw new UnauthorizedException('please sign in');
  }
}

@Controller('desk')
class DeskController {
  @Post('login')
  @SkipIdleSession()
  @HttpCode(200)
  @UseGuards(SpokenGuard)
  login(@Req() request: Request) {
    return request.user;
  }

  @Post('cart')
  @SkipIdleSession()
  @HttpCode(200)
  cart(@Req() request: Request) {
    request.session.note = 'a lamp';
    return {};
  }

  @Post('login-with-cart')
  @SkipIdleSession()
  @HttpCode(200)
  async loginWithCart(@Req() request: Request) {
    const user = { name: 'ada' };
    await new Promise<void>((resolve, reject) =>
      request.logIn(user, { session: true, keepSessionInfo: true }, (error: unknown) =>
        error ? reject(error as Error) : resolve(),
      ),
    );
    return user;
  }

  @Get('cart')
  readCart(@Req() request: Request) {
    return { note: request.session.note ?? null };
  }

  @Post('logout')
  @HttpCode(204)
  async logout(@Req() request: Request) {
    await new Promise<void>((resolve, reject) =>
      request.logOut((error: unknown) => (error ? reject(error as Error) : resolve())),
    );
  }

  @Get('me')
  me(@Req() request: Request) {
    return request.user;
  }
}

/** As `main.ts` does it, with Passport's session strategy. */
const withPassport = (): TestAppOptions => ({
  metadata: {
    imports: [PassportModule.register({ session: true })],
    controllers: [DeskController],
    providers: [
      NestSpokenStrategy,
      PersonSerializer,
      { provide: APP_GUARD, useClass: AuthenticatedGuard },
    ],
  },
  configure: (app) => app.use(app.get(IdleSessionService).middleware(), passport.session()),
});

afterEach(() => {
  passport.unuse('spoken');
  AuthenticatedGuard.users.length = 0;
});

const ADA = { name: 'ada', password: 'demo' };

async function signedIn() {
  const test = await start(withPassport());
  const ada = test.browser();
  const response = await ada.post('/desk/login').send(ADA).expect(200, { name: 'ada' });
  return { ...test, ada, before: cookiesOf(response) };
}

describe("With Passport's session strategy", () => {
  it('request.logIn() starts the clock, and guards and handlers see request.user', async () => {
    const { ada, events } = await signedIn();
    expect(events.map(({ type }) => type)).toEqual(['started']);
    await ada
      .get('/desk/me')
      .expect(200, { name: 'ada' })
      .expect('Server-Timing', serverTiming('active', 900_000));
    expect(AuthenticatedGuard.users.at(-1)).toEqual({ name: 'ada' });
  });

  it('activity keeps a person signed in', async () => {
    const { ada, clock } = await signedIn();
    for (let i = 0; i < 5; i++) {
      clock.advance(14 * MINUTE);
      await ada.get('/desk/me').expect(200, { name: 'ada' });
    }
  });

  it("an expired session has no user any more, and the app guard's 401 says why", async () => {
    const { ada, clock, events } = await signedIn();
    clock.advance(15 * MINUTE);
    const { body } = await ada
      .get('/desk/me')
      .expect(401)
      .expect('Content-Type', /^application\/problem\+json/);
    expect(body).toMatchObject({ reason: 'idle' });
    expect(AuthenticatedGuard.users.at(-1)).toBeUndefined();
    expect(events.map(({ type }) => type)).toEqual(['started', 'expired']);
  });

  it('an anonymous request gets the answer of the app', async () => {
    const test = await start(withPassport());
    await test
      .browser()
      .get('/desk/me')
      .expect(401, { message: 'please sign in', error: 'Unauthorized', statusCode: 401 });
    await test.browser().post('/desk/login').send({ name: 'ada', password: 'no' }).expect(401);
    expect(test.events).toEqual([]);
  });

  it('request.logOut() leaves nobody signed in, and a new session takes the place of the old', async () => {
    const { ada, before, browser, events } = await signedIn();
    await ada.post('/desk/logout').expect(204);
    await ada.get('/desk/me').expect(401);
    await browser().get('/desk/me').set('Cookie', before).expect(401);
    const types = events.map((event) => ('reason' in event ? event.reason : event.type));
    expect(types.filter((type) => type !== 'started')).toEqual(['signed-out']);
  });

  it('signing in again after an expiry gives a whole new session', async () => {
    const { ada, clock, events } = await signedIn();
    clock.advance(15 * MINUTE);
    await ada.get('/desk/me').expect(401);
    await ada.post('/desk/login').send(ADA).expect(200);
    await ada
      .get('/desk/me')
      .expect(200, { name: 'ada' })
      .expect('Server-Timing', serverTiming('active', 900_000));
    const [first, , last] = events;
    expect(events.map(({ type }) => type)).toEqual(['started', 'expired', 'started']);
    expect(last!.sessionRef).not.toBe(first!.sessionRef);
  });

  it('a session of before the sign-in is not kept: its id changes', async () => {
    const test = await start(withPassport());
    const ada = test.browser();
    await ada.post('/desk/login').send(ADA).expect(200);
    const first = (await ada.get('/idle-session/status')).body as { sessionRef: string };
    await ada
      .post('/desk/login')
      .send({ ...ADA, name: 'eve' })
      .expect(200, { name: 'eve' });
    const second = (await ada.get('/idle-session/status')).body as { sessionRef: string };
    expect(second.sessionRef).not.toBe(first.sessionRef);
    await ada.get('/desk/me').expect(200, { name: 'eve' });
  });

  it('keepSessionInfo keeps what was in the session before the sign-in, in a new session with all its time', async () => {
    const test = await start(withPassport());
    const ada = test.browser();
    await ada.post('/desk/cart').expect(200);
    await ada.post('/desk/login-with-cart').expect(200, { name: 'ada' });
    await ada.get('/desk/me').expect(200, { name: 'ada' });
    await ada
      .get('/desk/cart')
      .expect(200, { note: 'a lamp' })
      .expect('Server-Timing', serverTiming('active', 900_000));
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'ended', 'started']);
    test.clock.advance(15 * MINUTE);
    await ada.get('/desk/me').expect(401);
  });
});
