import { setTimeout as delay } from 'node:timers/promises';
import {
  Controller,
  Get,
  HttpCode,
  Post,
  Req,
  UnauthorizedException,
  UseGuards,
  type CanActivate,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Request } from 'express';
import { SkipIdleSession } from 'nestjs-idle-session';
import type { Response } from 'supertest';
import { Stopwatch } from '../support/stopwatch.js';
import {
  createRedisApp,
  patientStorage,
  type RedisApp,
  type RedisAppOptions,
} from '../support/redis-app.js';
import { answered } from '../support/answered.js';
import { sessionIdOf } from '../support/cookies.js';
import { aMinuteLater } from '../support/minute-later.js';
import { passTime } from '../support/activity-records.js';
import { RedisServer } from '../support/redis-server.js';
import { SHORT_STORAGE_TIMEOUT } from '../support/short-storage-timeout.js';
import { until } from '../support/until.js';
import { MINUTE, SignedInGuard } from '../support/test-app.js';

/** How long a question to Redis is waited for at least. */
const WAITED_FOR = 0.85 * SHORT_STORAGE_TIMEOUT;

let redis: RedisServer;
let test: RedisApp;
let ada: string;
afterEach(async () => {
  jest.restoreAllMocks();
  await RedisServer.stopAll();
  await test?.app.close();
});

async function createApp({ options, ...others }: RedisAppOptions = {}): Promise<void> {
  redis = await RedisServer.start();
  test = await createRedisApp(redis, {
    options: { loginUrl: '/login', storageTimeout: SHORT_STORAGE_TIMEOUT, ...options },
    ...others,
  });
  ada = await test.signIn();
}

/** Every way in which a server can be away, and how it comes back. */
const outages: {
  kind: string;
  begin: (server: RedisServer) => void | Promise<void>;
  end: (server: RedisServer) => void | Promise<void>;
}[] = [
  { kind: 'stopped', begin: (server) => server.kill(), end: (server) => server.launch() },
  { kind: 'hung', begin: (server) => server.freeze(), end: (server) => server.thaw() },
];

const page = (cookie: string) => test.ask.get('/page').set('Cookie', cookie);

/** As an answer that asks to come again. Says nothing about the session, and leaves the cookie. */
function expectUnavailable(response: Response): void {
  expect(response.status).toBe(503);
  expect(response.type).toBe('application/problem+json');
  expect(response.body).toMatchObject({ status: 503, detail: expect.any(String) });
  expect(response.body).not.toHaveProperty('reason');
  expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
  expect(response.headers['cache-control']).toBe('no-store');
  expect(response.headers).not.toHaveProperty('set-cookie');
}

describe.each(outages)('While Redis is $kind', ({ begin, end }) => {
  beforeEach(async () => {
    await createApp();
    await begin(redis);
  });

  it('requests of a session are answered 503, and never with a sign-out', async () => {
    const answers = await Promise.all([
      page(ada),
      page(ada).set('Sec-Fetch-Mode', 'navigate').set('Accept', 'text/html'),
      test.ask.post('/page').set('Cookie', ada).send({ note: 'lost' }),
      test.ask.get('/poll').set('Cookie', ada),
      test.ask.get('/members').set('Cookie', ada),
      test.ask.get('/refused').set('Cookie', ada),
      test.ask.post('/sign-out').set('Cookie', ada),
      test.ask.get('/idle-session/status').set('Cookie', ada),
      test.ask.post('/idle-session/heartbeat').set('Cookie', ada).send({ idleForMs: 0 }),
      test.ask.post('/idle-session/sign-out').set('Cookie', ada),
    ]);
    answers.forEach(expectUnavailable);
    for (const { headers } of answers) expect(headers).not.toHaveProperty('server-timing');
  });

  it('anonymous requests and exempt routes go on', async () => {
    await test.ask.get('/page').expect(200, { user: null });
    await test.ask.get('/page').set('Cookie', 'app-sid=s%3Aforged.signature').expect(200);
    await test.ask.get('/exempt').expect(200);
    await test.ask.get('/members').expect(401);
    await test.ask.get('/idle-session/status').expect(200);
    const { body, headers } = await test.ask.get('/exempt').set('Cookie', ada).expect(200);
    expect(body).toEqual({ user: null, status: null });
    expect(headers).not.toHaveProperty('set-cookie');
  });

  it('nobody signs in, neither with a cookie nor without', async () => {
    const signIn = (cookie: string) => test.ask.post('/sign-in').set('Cookie', cookie);
    const answers = await Promise.all([signIn(ada), signIn('other=1')]);
    answers.forEach(expectUnavailable);
    expect(answers).toHaveLength(2);
  });

  it('a sign-out that could not be done is not done later either, and the person knows', async () => {
    expectUnavailable(await test.ask.post('/sign-out').set('Cookie', ada));
    await end(redis);
    expect((await answered(() => page(ada))).body).toEqual({ user: 'ada' });
  });

  it('one line is logged when it begins and one when it is over, without ids', async () => {
    const status = () => test.ask.get('/idle-session/status').set('Cookie', ada);
    const pages = Array.from({ length: 10 }, () => page(ada));
    await Promise.all([status(), test.ask.post('/sign-in').set('Cookie', ada), ...pages]);
    await end(redis);
    const { body } = await answered(status);
    aMinuteLater();
    await Promise.all(Array.from({ length: 3 }, () => answered(() => page(ada))));
    expect(test.log.map(({ level }) => level)).toEqual(['error', 'log']);
    expect(test.log[0]!.text).toMatch(/does not answer/);
    const all = JSON.stringify(test.log);
    expect(all).not.toContain(sessionIdOf(ada));
    expect(all).not.toContain(body.sessionRef);
    expect(all).not.toContain('ada');

    await begin(redis);
    await page(ada).expect(503);
    expect(test.log.map(({ level }) => level)).toEqual(['error', 'log', 'error']);
  });

  it('sessions in time are there again afterwards, with their data', async () => {
    await Promise.all([page(ada).expect(503), page(ada).expect(503)]);
    await end(redis);
    const { status, body } = await answered(() => page(ada));
    expect([status, body]).toEqual([200, { user: 'ada' }]);
    const write = () => test.ask.post('/page').set('Cookie', ada).send({ note: 'kept' });
    expect((await answered(write)).status).toBe(200);
    expect(test.events.map(({ type }) => type)).toEqual(['started']);
  });

  it('requests that were refused are no activity, not even afterwards', async () => {
    await Promise.all(Array.from({ length: 5 }, () => page(ada).expect(503)));
    await end(redis);
    const { body } = await answered(() => test.ask.get('/idle-session/status').set('Cookie', ada));
    expect(body.expiresInMs).toBeLessThan(15 * MINUTE - WAITED_FOR);
  });
});

describe.each(outages)('An app whose Redis is $kind', ({ begin, end }) => {
  it('says why afterwards when a session’s time ran out meanwhile', async () => {
    await createApp();
    const admin = await redis.client();
    await begin(redis);
    await page(ada).expect(503);
    await end(redis);
    await answered(() => test.ask.get('/idle-session/status').set('Cookie', ada));
    await passTime(admin, 15 * MINUTE);
    const { status, body } = await answered(() => page(ada));
    expect([status, body.reason]).toEqual([401, 'idle']);
  });

  it('says so in less than two seconds, with the options as they come', async () => {
    await createApp({ options: { storageTimeout: undefined } });
    await begin(redis);
    const stopwatch = new Stopwatch();
    const answers = await Promise.all([
      page(ada),
      test.ask.get('/members').set('Cookie', ada),
      test.ask.post('/idle-session/heartbeat').set('Cookie', ada).send({ idleForMs: 0 }),
      test.ask.post('/idle-session/sign-out').set('Cookie', ada),
    ]);
    expect(stopwatch.stop()).toBeLessThan(2000);
    answers.forEach(expectUnavailable);
  });

  it('says so even where a guard of the app runs first', async () => {
    await createApp({
      metadata: { providers: [{ provide: APP_GUARD, useClass: SignedInGuardButForSignIn }] },
    });
    expect((await answered(() => page(ada))).status).toBe(200);
    await begin(redis);
    const answers = await Promise.all([
      page(ada),
      page(ada).set('Sec-Fetch-Mode', 'navigate').set('Accept', 'text/html'),
    ]);
    answers.forEach(expectUnavailable);
    await test.ask.get('/page').expect(401);
    await end(redis);
    expect((await answered(() => page(ada))).status).toBe(200);
  });

  it('leaves people their cookies when an exempt route writes to the session', async () => {
    await createApp({ metadata: { controllers: [ExemptWriter] } });
    await begin(redis);
    const response = await test.ask.post('/exempt-write').set('Cookie', ada);
    expect(response.headers).not.toHaveProperty('set-cookie');
    await end(redis);
    expect((await answered(() => page(ada))).body).toEqual({ user: 'ada' });
    aMinuteLater();
    expect((await answered(() => page(ada))).status).toBe(200);
    const stored = JSON.parse((await (await redis.client()).get(`sess:${sessionIdOf(ada)}`)) ?? '');
    expect(stored).not.toHaveProperty('note');
    expect(test.log.map(({ level }) => level)).toEqual(['error', 'log']);
  });
});

it('A touch that Redis executes after the outage counts from when it was sent', async () => {
  let freezes = false;
  // Guards come after the session was found, and before the request is noted as activity.
  const freeze: CanActivate = {
    canActivate() {
      if (freezes) redis.freeze();
      return true;
    },
  };
  @Controller()
  @UseGuards(freeze)
  class Freezing {
    @Get('freezing')
    get() {
      return {};
    }
  }
  await createApp({ metadata: { controllers: [Freezing] } });
  const admin = await redis.client();
  // From here on Redis knows the script, and the touch is one command.
  expect((await answered(() => page(ada))).status).toBe(200);
  await passTime(admin, 10 * MINUTE);
  freezes = true;
  expectUnavailable(await test.ask.get('/freezing').set('Cookie', ada));
  freezes = false;
  await delay(700);
  redis.thaw();
  const { body } = await answered(() => test.ask.get('/idle-session/status').set('Cookie', ada));
  expect(body.expiresInMs).toBeGreaterThan(13 * MINUTE);
  expect(body.expiresInMs).toBeLessThan(15 * MINUTE - WAITED_FOR - 700);
});

describe('While Redis refuses to write', () => {
  const refuseWrites = async (refuse: boolean) => {
    await (await redis.client()).configSet('min-replicas-to-write', refuse ? '1' : '0');
  };

  it('people go on, until the deadline that Redis knows', async () => {
    await createApp({ options: { storageTimeout: '20s' } });
    await refuseWrites(true);
    await page(ada).expect(200, { user: 'ada' });
    await test.ask.get('/poll').set('Cookie', ada).expect(200);
    await refuseWrites(false);
    await page(ada).expect(200);
  });

  it('one line says so, however many requests see it', async () => {
    await createApp({ options: { storageTimeout: '20s' } });
    await refuseWrites(true);
    for (let request = 0; request < 3; request++) await page(ada).expect(200);
    expect(test.log.map(({ level }) => level)).toEqual(['error']);
  });
});

describe('When Redis was flushed', () => {
  beforeEach(async () => {
    await createApp({ storage: patientStorage, options: { storageTimeout: '20s' } });
    await (await redis.client()).flushAll();
  });

  it('people are signed out, and can sign in again', async () => {
    await page(ada).expect(200, { user: null });
    await test.ask.get('/members').set('Cookie', ada).expect(401);
    const { body } = await test.ask.get('/idle-session/status').set('Cookie', ada).expect(200);
    expect(body.state).toBe('none');
    const again = await test.signIn(ada);
    await page(again).expect(200, { user: 'ada' });
    expect(sessionIdOf(again)).not.toBe(sessionIdOf(ada));
    expect(test.log).toEqual([]);
  });

  it('heartbeats of pages that are still open break nothing', async () => {
    const { status, body } = await test.ask
      .post('/idle-session/heartbeat')
      .set('Cookie', ada)
      .send({ idleForMs: 0 });
    expect([status, body.state]).toEqual([200, 'none']);
    await test.ask.post('/idle-session/sign-out').set('Cookie', ada).expect(204);
  });
});

describe('With the activity on a Redis of its own', () => {
  let activity: RedisServer;
  const createDivided = async (onStorageError: 'reject' | 'allow') => {
    activity = await RedisServer.start();
    await createApp({ activity, options: { onStorageError } });
  };

  it('sessions that lost their activity are over, not new', async () => {
    await createDivided('reject');
    await (await activity.client()).flushAll();
    const { status, body } = await answered(() => page(ada));
    expect([status, body.reason]).toEqual([401, 'lost']);
    expect(await (await redis.client()).keys('*')).toEqual([]);
  });

  describe.each(outages)('that is $kind', ({ begin, end }) => {
    it('sessions are answered 503 by default', async () => {
      await createDivided('reject');
      await begin(activity);
      expectUnavailable(await page(ada));
      await end(activity);
      expect((await answered(() => page(ada))).body).toEqual({ user: 'ada' });
    });

    it('sessions go on unchecked if the options allow it, and are checked again afterwards', async () => {
      await createDivided('allow');
      await begin(activity);
      const [status] = await Promise.all([
        test.ask.get('/idle-session/status').set('Cookie', ada).expect(200),
        page(ada).expect(200, { user: 'ada' }),
        test.ask.get('/members').set('Cookie', ada).expect(200),
        test.ask.post('/page').set('Cookie', ada).send({ note: 'kept' }).expect(200),
        test.ask.get('/members').expect(401),
      ]);
      expect(status.body.state).toBe('none');
      expect(test.log.map(({ level }) => level)).toEqual(['error']);

      await end(activity);
      const isActive = async () => {
        const { body } = await test.ask.get('/idle-session/status').set('Cookie', ada);
        return body.state === 'active';
      };
      await until('the session is active again', isActive);
      const stored = JSON.parse(
        (await (await redis.client()).get(`sess:${sessionIdOf(ada)}`)) ?? '',
      );
      expect(stored).toMatchObject({ user: 'ada', note: 'kept' });
      await passTime(await activity.client(), 15 * MINUTE);
      aMinuteLater();
      await page(ada).expect(401);
      expect(test.log.map(({ level }) => level)).toEqual(['error', 'log']);
    });

    it('people can sign in and out meanwhile if the options allow it', async () => {
      await createDivided('allow');
      await begin(activity);
      const bob = await test.signIn();
      await page(bob).expect(200, { user: 'ada' });
      await test.ask.post('/sign-out').set('Cookie', bob).expect(204);
      await page(bob).expect(200, { user: null });
      await end(activity);
      expect((await answered(() => test.ask.get('/members').set('Cookie', bob))).status).toBe(401);
    });

    it('without the session store it is 503 whatever the options allow', async () => {
      await createDivided('allow');
      await begin(redis);
      expectUnavailable(await page(ada));
      await end(redis);
      expect((await answered(() => page(ada))).body).toEqual({ user: 'ada' });
    });
  });
});

/** As apps have it in their root module, where Nest asks it before the library's. */
class SignedInGuardButForSignIn extends SignedInGuard {
  override canActivate(context: Parameters<SignedInGuard['canActivate']>[0]): boolean {
    const { path } = context.switchToHttp().getRequest<Request>();
    if (path === '/sign-in') return true;
    if (!super.canActivate(context)) throw new UnauthorizedException();
    return true;
  }
}

@Controller('exempt-write')
@SkipIdleSession()
class ExemptWriter {
  @Post()
  @HttpCode(200)
  write(@Req() request: Request) {
    request.session.note = 'from the exempt route';
    return {};
  }
}
