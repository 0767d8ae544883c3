import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  Catch,
  Controller,
  ForbiddenException,
  Get,
  HttpCode,
  HttpException,
  Injectable,
  Post,
  Req,
  Res,
  StreamableFile,
  UnauthorizedException,
  UseFilters,
  UseGuards,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_GUARD, ApplicationConfig } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Request, Response } from 'express';
import { MemoryStore } from 'express-session';
import {
  ActivityStorage,
  IdleSessionInterceptor,
  IdleSessionService,
  MemoryActivityStorage,
  type ActivityReading,
  type EndReason,
} from 'nestjs-idle-session';
import { ManualClock } from 'nestjs-idle-session/testing';
import { createTestApp, MINUTE, SECOND, SECRET, type TestApp } from '../support/test-app.js';
import { CROSS_SITE, NAVIGATION, statusOf, type Browser } from '../support/requests.js';
import { Gate } from '../support/gate.js';

const saved = (request: Request) =>
  new Promise<void>((resolve) => request.session.save(() => resolve()));

/** Writes to the session, has it saved, and then refuses. */
@Injectable()
class SavingGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    request.session.note = `attempt at ${request.url}`;
    await saved(request);
    return false;
  }
}

/** As a guard of the app's root module, it runs before the library's. */
@Injectable()
class EarlyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<Request>().get('X-Refuse') === undefined;
  }
}

class Forbidden extends Error {}

@Catch(Forbidden)
class ForbiddenFilter implements ExceptionFilter {
  catch(_: Forbidden, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<Response>().status(403).json({ why: 'no' });
  }
}

@Controller()
class MoreRoutes {
  static gate = new Gate();

  constructor(private readonly sessions: IdleSessionService) {}

  @Get('slow')
  async slow() {
    await MoreRoutes.gate.pass();
    return {};
  }

  @Post('slow-write')
  @HttpCode(200)
  async slowWrite(@Req() request: Request) {
    await MoreRoutes.gate.pass();
    request.session.note = 'written late';
    return {};
  }

  @Get('missing')
  missing() {
    throw new HttpException('no such claim', 404);
  }

  @Get('throws/:status')
  throws(@Req() request: Request) {
    throw new HttpException('on purpose', Number(request.params.status));
  }

  @Get('answers/:status')
  answers(@Req() request: Request, @Res() response: Response) {
    response.status(Number(request.params.status)).send('on purpose');
  }

  @Get('filtered')
  @UseFilters(ForbiddenFilter)
  filtered() {
    throw new Forbidden();
  }

  @Post('saves/:status')
  async saves(@Req() request: Request) {
    request.session.note = 'the first of two steps';
    await saved(request);
    throw new HttpException('at the second', Number(request.params.status));
  }

  @Get('saving-guard')
  @UseGuards(SavingGuard)
  savingGuard() {
    return {};
  }

  @Get('streamed')
  streamed() {
    const parts = ['a', 'b', 'c'].map((part) => Buffer.from(part));
    return new StreamableFile(Readable.from(parts), { type: 'text/plain' });
  }

  @Get('written')
  async written(@Res() response: Response) {
    response.write('part 1, ');
    await MoreRoutes.gate.pass();
    response.end('part 2');
  }

  @Get('refreshes')
  async refreshes(@Req() request: Request) {
    await MoreRoutes.gate.pass();
    await this.sessions.refresh(request);
    return {};
  }

  @Post('end-and-refuse')
  async endAndRefuse(@Req() request: Request) {
    await this.sessions.end(request, 'revoked');
    throw new UnauthorizedException('too many attempts');
  }

  @Post('change-password')
  changePassword() {
    throw new ForbiddenException('that is not your current password');
  }
}

let test: TestApp;
let ada: Browser;
beforeEach(() => {
  MoreRoutes.gate = new Gate();
});
afterEach(async () => {
  jest.restoreAllMocks();
  test.app.getHttpServer().closeAllConnections();
  await test.app.close();
});

type AppOptions = NonNullable<Parameters<typeof createTestApp>[0]>;

async function create({ options, metadata, ...others }: AppOptions = {}): Promise<void> {
  test = await createTestApp({
    options: { refreshOn: 'response', ...options },
    metadata: {
      ...metadata,
      controllers: [MoreRoutes, ...(metadata?.controllers ?? [])],
    },
    configure: (app) => app.useLogger(false),
    ...others,
  });
  ada = await test.signedIn();
}

/** To the second: requests take some time of their own, while the clock stands still. */
const expiresInMs = async () => toTheSecond((await statusOf(ada)).expiresInMs ?? 0);
const toTheSecond = (milliseconds: number) => Math.round(milliseconds / SECOND) * SECOND;

/** What `Server-Timing` tells is left. */
const toldMs = (response: { headers: Record<string, string | undefined> }) =>
  Number(/idle-session;desc=\w+;dur=(\d+)/.exec(response.headers['server-timing'] ?? '')?.[1]);

describe('With refreshOn: response', () => {
  beforeEach(() => create());

  it('no interceptor is registered, and a request passes none', async () => {
    const interceptors = test.app.get(ApplicationConfig).getGlobalInterceptors();
    expect(interceptors.filter((interceptor) => interceptor && 'intercept' in interceptor)).toEqual(
      [],
    );
    const intercept = jest.spyOn(IdleSessionInterceptor.prototype, 'intercept');
    await ada.get('/page').expect(200);
    expect(intercept).not.toHaveBeenCalled();
  });

  it('a request that was answered is activity', async () => {
    for (let request = 0; request < 5; request++) {
      test.clock.advance(14 * MINUTE);
      await ada.get('/page').expect(200, { user: 'ada' });
      expect(await expiresInMs()).toBe(15 * MINUTE);
    }
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401);
  });

  it.each([
    ['a 404 of its handler', '/missing', 404],
    ['a 500 of its handler', '/broken', 500],
    ['a 400 that is thrown', '/throws/400', 400],
    ['a 409 that is sent', '/answers/409', 409],
    ['a redirect', '/answers/302', 302],
    ['an answer without content', '/answers/204', 204],
    ['a file that is streamed', '/streamed', 200],
  ])('so is one with %s', async (_, path, status) => {
    test.clock.advance(5 * MINUTE);
    await ada.get(path).expect(status);
    expect(await expiresInMs()).toBe(15 * MINUTE);
  });

  it.each([
    ['a guard that throws', '/refused?how=throw', 403],
    ['a guard that returns false', '/refused', 403],
    ['a handler that throws 401', '/throws/401', 401],
    ['a handler that throws 403', '/throws/403', 403],
    ['a handler that sends 403', '/answers/403', 403],
    ['a filter that says 403', '/filtered', 403],
  ])('one that is refused by %s is not', async (_, path, status) => {
    test.clock.advance(14 * MINUTE);
    const response = await ada.get(path).expect(status);
    expect(response.body).not.toHaveProperty('reason');
    expect(toldMs(response)).toBe(MINUTE);
    expect(await expiresInMs()).toBe(MINUTE);
    test.clock.advance(MINUTE);
    await ada.get('/page').expect(401);
  });

  it.each([
    ['a guard', 'get', '/saving-guard', 403],
    ['a handler', 'post', '/saves/401', 401],
    ['a handler', 'post', '/saves/403', 403],
  ] as const)(
    'nor is one that is refused by %s after the session was saved (%s %s)',
    async (_, method, path, status) => {
      test.clock.advance(14 * MINUTE);
      await ada[method](path).expect(status);
      expect(await expiresInMs()).toBe(MINUTE);
    },
  );

  it('one that failed after the session was saved is activity all the same', async () => {
    test.clock.advance(14 * MINUTE);
    await ada.post('/saves/500').expect(500);
    expect(await expiresInMs()).toBe(15 * MINUTE);
  });

  it.each<[string, string, Record<string, string>]>([
    ['a passive route', '/poll', {}],
    ['an exempt route', '/exempt', {}],
    ['an event stream', '/stream', { Accept: 'text/event-stream' }],
    ['a prefetch', '/page', { 'Sec-Purpose': 'prefetch' }],
    ['a request that says so', '/page', { 'Idle-Session': 'passive' }],
    ['status', '/idle-session/status', {}],
  ])('%s is no activity', async (_, path, headers) => {
    test.clock.advance(14 * MINUTE);
    const response = await ada.get(path).set(headers).expect(200);
    expect(toldMs(response)).toBe(MINUTE);
    expect(await expiresInMs()).toBe(MINUTE);
  });

  it('a heartbeat counts from when the person did something, not from now', async () => {
    test.clock.advance(10 * MINUTE);
    await ada
      .post('/idle-session/heartbeat')
      .send({ idleForMs: 4 * MINUTE })
      .expect(200);
    expect(await expiresInMs()).toBe(11 * MINUTE);
  });

  it('a heartbeat that another site had sent is none', async () => {
    test.clock.advance(10 * MINUTE);
    await ada
      .post('/idle-session/heartbeat')
      .set(CROSS_SITE[0]!)
      .send({ idleForMs: 0 })
      .expect(403);
    expect(await expiresInMs()).toBe(5 * MINUTE);
  });

  it('the Server-Timing of that very response tells the new deadline', async () => {
    for (const passed of [MINUTE, 8 * MINUTE, 15 * MINUTE - 1]) {
      test.clock.advance(passed);
      await ada.get('/page').expect('Server-Timing', 'idle-session;desc=active;dur=900000');
    }
  });

  it('so it does when the session was written to', async () => {
    test.clock.advance(14 * MINUTE);
    const response = await ada.post('/page').send({ note: 'draft' }).expect(200);
    expect(toldMs(response)).toBe(15 * MINUTE);
    expect(await expiresInMs()).toBe(15 * MINUTE);
  });

  it('a long request counts from when it came, and takes nothing back', async () => {
    test.clock.advance(10 * MINUTE);
    const slow = ada.get('/slow').then(({ status }) => status);
    await MoreRoutes.gate.reached;
    expect(await expiresInMs()).toBe(5 * MINUTE);
    test.clock.advance(2 * MINUTE);
    await ada.get('/page').expect(200);
    test.clock.advance(MINUTE);
    MoreRoutes.gate.open();
    expect(await slow).toBe(200);
    expect(await expiresInMs()).toBe(14 * MINUTE);
  });

  it('a long request counts by when it came also where that took real time', async () => {
    const slow = ada.get('/slow').then(({ status }) => status);
    await MoreRoutes.gate.reached;
    await delay(500);
    test.clock.advance(2 * MINUTE);
    MoreRoutes.gate.open();
    expect(await slow).toBe(200);
    expect((await statusOf(ada)).expiresInMs).toBeLessThan(13 * MINUTE + 400);
  });

  it('what a handler refreshed itself is not told as older', async () => {
    const slow = ada.get('/refreshes').then((response) => response);
    await MoreRoutes.gate.reached;
    await delay(500);
    test.clock.advance(300);
    MoreRoutes.gate.open();
    expect(toldMs(await slow)).toBe(15 * MINUTE);
  });

  it('an answer that is written piece by piece counts at its end', async () => {
    test.clock.advance(10 * MINUTE);
    const written = ada.get('/written').then(({ text }) => text);
    await MoreRoutes.gate.reached;
    MoreRoutes.gate.open();
    expect(await written).toBe('part 1, part 2');
    expect(await expiresInMs()).toBe(15 * MINUTE);
  });

  it('a session that was destroyed is not revived, nor one that was signed out meanwhile', async () => {
    const slow = ada.post('/slow-write').then(({ status }) => status);
    await MoreRoutes.gate.reached;
    await ada.post('/idle-session/sign-out').expect(204);
    MoreRoutes.gate.open();
    expect(await slow).toBe(200);
    expect(await statusOf(ada)).toMatchObject({ state: 'expired', reason: 'signed-out' });
    await ada.get('/page').expect(200, { user: null });

    const eve = await test.signedIn({ user: 'eve' });
    await eve.post('/sign-out').expect(204);
    expect(await statusOf(eve)).toMatchObject({ state: 'expired', reason: 'signed-out' });
  });

  it('an id that was replaced stays ended, and the new session has all its time', async () => {
    test.clock.advance(10 * MINUTE);
    await ada.post('/sign-in').send({ user: 'ada' }).expect(200);
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'ended', 'started']);
    expect(await expiresInMs()).toBe(15 * MINUTE);
  });

  it('a session whose time ran out during the request is told at the next one', async () => {
    const slow = ada.get('/slow').then(({ status }) => status);
    await MoreRoutes.gate.reached;
    test.clock.advance(10 * MINUTE);
    await ada.get('/poll').expect(200);
    test.clock.advance(20 * MINUTE);
    await ada.get('/poll').expect(401);
    MoreRoutes.gate.open();
    expect(await slow).toBe(200);
    expect((await ada.get('/page').expect(401)).body.reason).toBe('idle');
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'expired']);
  });

  it('a session past its absolute limit is not prolonged', async () => {
    for (let passed = 0; passed < 12 * 60 - 10; passed += 10) {
      test.clock.advance(10 * MINUTE);
      await ada.get('/page').expect(200);
    }
    test.clock.advance(10 * MINUTE - 1);
    expect(toldMs(await ada.get('/page').expect(200))).toBe(1);
    test.clock.advance(1);
    expect((await ada.get('/page').expect(401)).body.reason).toBe('absolute');
  });

  it('strangers come and go', async () => {
    await test.browser().get('/page').expect(200, { user: null });
    await test.browser().get('/nowhere').expect(404);
    await test.browser().get('/page').set(NAVIGATION).expect(200);
  });

  it('a refusal by a handler is passed on as it is', async () => {
    const { body } = await ada.post('/change-password').expect(403);
    expect(body.message).toBe('that is not your current password');
  });

  it('so is one by a handler that ended the session itself', async () => {
    const { body } = await ada.post('/end-and-refuse').expect(401);
    expect(body.message).toBe('too many attempts');
  });
});

it('With refreshOn: response, what a guard refused that comes before ours is no activity', async () => {
  await create({ metadata: { providers: [{ provide: APP_GUARD, useClass: EarlyGuard }] } });
  test.clock.advance(14 * MINUTE);
  await ada.get('/page').set('X-Refuse', 'yes').expect(403);
  expect(await expiresInMs()).toBe(MINUTE);
});

describe('With refreshOn: response, an idleTimeout', () => {
  it.each([
    ['a function', (role: unknown) => (role === 'clerk' ? '5m' : '15m')],
    ['an async function', async (role: unknown) => (role === 'clerk' ? '5m' : '15m')],
  ])('that is %s decides for each request', async (_, timeoutOf) => {
    const idleTimeout = (request: Request) => timeoutOf(request.session.role) as '5m';
    await create({ options: { idleTimeout } });
    const clerk = await test.signedIn({ role: 'clerk' });
    test.clock.advance(4 * MINUTE);
    const response = await clerk.get('/page').expect(200);
    expect(toldMs(response)).toBe(5 * MINUTE);
    await ada.get('/page').expect(200);
    test.clock.advance(5 * MINUTE);
    await clerk.get('/page').expect(401);
    expect((await statusOf(ada)).expiresInMs).toBe(10 * MINUTE);
  });

  it.each([false, true])(
    'that fails at the response does not break the answer (async: %p)',
    async (slow) => {
      const calls = { count: 0 };
      const idleTimeout = (): '15m' | Promise<'15m'> => {
        // One call for the guard, and one for the response.
        if (++calls.count % 2 === 0 && failing) {
          if (slow) return Promise.reject(new Error('the tenant is gone'));
          throw new Error('the tenant is gone');
        }
        return '15m';
      };
      let failing = false;
      await create({ options: { idleTimeout } });
      calls.count = 0;
      failing = true;
      await ada
        .get('/page')
        .timeout(2 * SECOND)
        .expect(200, { user: 'ada' });
      calls.count = 0;
      await ada
        .post('/page')
        .timeout(2 * SECOND)
        .expect(200, {});
    },
  );
});

/** Answers later, as a storage elsewhere does. */
class AsyncStorage extends ActivityStorage {
  away = false;

  constructor(private readonly memory: MemoryActivityStorage) {
    super();
  }

  override read = (key: string) => this.later<ActivityReading>(() => this.memory.read(key));
  override start = (key: string, idleTimeoutMs: number) =>
    this.later(() => this.memory.start(key, idleTimeoutMs, ''));
  override end = (key: string, reason: EndReason) => this.later(() => this.memory.end(key, reason));

  override async touch(key: string, idleTimeoutMs: number, at: number): Promise<ActivityReading> {
    if (this.away) throw new Error('the storage is away');
    return this.later(() => this.memory.touch(key, idleTimeoutMs, at));
  }

  private async later<T>(answer: () => T): Promise<T> {
    await new Promise(setImmediate);
    return answer();
  }
}

describe('With refreshOn: response and a storage that is waited for', () => {
  let clock: ManualClock;
  let storage: AsyncStorage;
  beforeEach(async () => {
    clock = new ManualClock();
    storage = new AsyncStorage(new MemoryActivityStorage({ now: clock.now }));
    await create({ options: { storage, storageTimeout: '200ms' } });
  });

  it('a request that was answered is activity, and known when the answer is here', async () => {
    clock.advance(14 * MINUTE);
    await ada.get('/page').expect(200, { user: 'ada' });
    expect(await expiresInMs()).toBe(15 * MINUTE);
    clock.advance(14 * MINUTE);
    await ada.post('/page').send({ note: 'draft' }).expect(200, {});
    expect(await expiresInMs()).toBe(15 * MINUTE);
  });

  it("the user's session store hears of activity about once per idle timeout", async () => {
    await test.app.close();
    const store = new MemoryStore();
    const touch = jest.spyOn(store, 'touch');
    await create({ options: { storage, session: { secret: SECRET, store } } });
    for (let minute = 1; minute < 14; minute++) {
      clock.advance(MINUTE);
      await ada.get('/page').expect(200, { user: 'ada' });
    }
    expect(touch).not.toHaveBeenCalled();
    clock.advance(MINUTE);
    await ada.get('/page').expect(200, { user: 'ada' });
    clock.advance(MINUTE);
    await ada.get('/page').expect(200, { user: 'ada' });
    expect(touch).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['/page', 'get'],
    ['/page', 'post'],
    ['/missing', 'get'],
    ['/answers/204', 'get'],
  ] as const)(
    'the Server-Timing of that very response tells the new deadline (%s, %s)',
    async (path, method) => {
      clock.advance(14 * MINUTE);
      expect(toldMs(await ada[method](path))).toBe(15 * MINUTE);
    },
  );

  it.each([
    ['/page', 'get', 200],
    ['/page', 'post', 200],
    ['/streamed', 'get', 200],
    ['/missing', 'get', 404],
  ] as const)(
    'an outage at the response does not break the answer (%s, %s)',
    async (path, method, status) => {
      clock.advance(10 * MINUTE);
      storage.away = true;
      const response = await ada[method](path).expect(status);
      expect(response.text).not.toBe('');
      storage.away = false;
      expect(await expiresInMs()).toBe(5 * MINUTE);
      await ada.get('/page').expect(200);
      expect(await expiresInMs()).toBe(15 * MINUTE);
    },
  );

  it.each(['get', 'post'] as const)('the answer waits until it knows (%s)', async (method) => {
    const gate = new Gate();
    const touch = storage.touch.bind(storage);
    jest.spyOn(storage, 'touch').mockImplementation(async (...activity) => {
      await gate.pass();
      return touch(...activity);
    });
    let answered = false;
    const answer = ada[method]('/page').then(() => (answered = true));
    await gate.reached;
    await delay(50);
    expect(answered).toBe(false);
    gate.open();
    await answer;
  });

  it('a storage that hangs at the response holds it up for storageTimeout at most', async () => {
    jest.spyOn(storage, 'touch').mockReturnValue(new Promise(() => {}));
    const began = performance.now();
    await ada.get('/page').expect(200, { user: 'ada' });
    expect(performance.now() - began).toBeLessThan(SECOND);
  });
});

describe('Either way', () => {
  /** What people do, how much later, and what comes of it for each. */
  const requests: readonly (readonly [method: 'get' | 'post', path: string, headers?: object])[] = [
    ['get', '/page'],
    ['post', '/page'],
    ['get', '/poll'],
    ['get', '/exempt'],
    ['get', '/members'],
    ['get', '/broken'],
    ['get', '/refused'],
    ['get', '/refused?how=throw'],
    ['get', '/nowhere'],
    ['get', '/streamed'],
    ['get', '/idle-session/status'],
    ['post', '/idle-session/heartbeat'],
    ['get', '/idle-session/client.js'],
    ['get', '/idle-session/draft-key'],
    ['get', '/page?prefetched', { 'Sec-Purpose': 'prefetch' }],
    ['get', '/page?navigated', NAVIGATION],
  ];

  it.each(requests)('%s %s comes to the same', async (method, path, headers = {}) => {
    const outcomes = [];
    for (const refreshOn of ['handler', 'response'] as const) {
      await create({ options: { refreshOn, loginUrl: '/login', idleTimeout: () => '15m' } });
      test.clock.advance(14 * MINUTE);
      const answer = await ada[method](path)
        .set(headers as Record<string, string>)
        .send({ idleForMs: 0 });
      const after = await expiresInMs();
      test.clock.advance(MINUTE);
      const late = await ada[method](path).set(headers as Record<string, string>);
      outcomes.push({
        status: answer.status,
        // A status names its session.
        text: answer.text.replaceAll(/"sessionRef":"[^"]+"/g, ''),
        told: toldMs(answer),
        after,
        late: late.status,
      });
      if (refreshOn === 'handler') await test.app.close();
    }
    const [handler, response] = outcomes;
    expect(response).toEqual(handler);
  });
});
