import {
  Controller,
  Get,
  HttpCode,
  Post,
  Req,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { SkipIdleSession } from 'nestjs-idle-session';
import { Stopwatch } from '../support/stopwatch.js';
import { createRedisApp, type RedisApp } from '../support/redis-app.js';
import { RedisServer } from '../support/redis-server.js';
import { SHORT_STORAGE_TIMEOUT } from '../support/short-storage-timeout.js';
import { until } from '../support/until.js';

const servers = {} as Record<'sessions' | 'activity', RedisServer>;

/** Runs after the session was found and let in: what is asked from here on is not answered. */
class Freeze implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { hangs } = context.switchToHttp().getRequest<Request>().query;
    servers[hangs as keyof typeof servers].freeze();
    return true;
  }
}

const settled = (run: (done: (error: unknown) => void) => void) =>
  new Promise<void>((resolve, reject) =>
    run((error) => (error ? reject(error as Error) : resolve())),
  );

@Controller('midway')
@UseGuards(Freeze)
class MidwayController {
  @Get()
  read() {
    return {};
  }

  @Post('write')
  @HttpCode(200)
  write(@Req() request: Request) {
    request.session.note = 'from the handler';
    return {};
  }

  @Post('sign-out')
  @HttpCode(200)
  async signOut(@Req() request: Request) {
    await settled((done) => request.session.destroy(done));
    return {};
  }

  @Post('sign-in')
  @HttpCode(200)
  @SkipIdleSession()
  async signIn(@Req() request: Request) {
    await settled((done) => request.session.regenerate(done));
    request.session.user = 'ada';
    await settled((done) => request.session.save(done));
    return {};
  }
}

let one: RedisApp;
/** Another process, which does not know until when the first one had sessions kept. */
let two: RedisApp;
beforeAll(async () => {
  [servers.sessions, servers.activity] = [await RedisServer.start(), await RedisServer.start()];
  const options = { storageTimeout: SHORT_STORAGE_TIMEOUT };
  const create = () =>
    createRedisApp(servers.sessions, {
      activity: servers.activity,
      options,
      metadata: { controllers: [MidwayController] },
    });
  [one, two] = [await create(), await create()];
});
afterAll(async () => {
  await RedisServer.stopAll();
  await one?.close();
  await two?.close();
});

let ada: string;
beforeEach(async () => {
  ada = await one.signIn();
});
afterEach(async () => {
  for (const server of Object.values(servers)) server.thaw();
  await until('it works again', async () => (await one.ask.post('/sign-in')).status === 200);
});

const requests = ['GET /midway', 'POST /midway/write', 'POST /midway/sign-out'];

it.each(
  requests.flatMap((request) => [
    { request, hangs: 'sessions' },
    { request, hangs: 'activity' },
  ]),
)('$request is answered in time although the $hangs hang midway', async ({ request, hangs }) => {
  const [method, path] = request.split(' ') as ['GET' | 'POST', string];
  const ask = method === 'GET' ? two.ask.get(path) : two.ask.post(path);
  const stopwatch = new Stopwatch();
  const { status, headers } = await ask.query({ hangs }).set('Cookie', ada);
  expect(stopwatch.stop()).toBeLessThan(2 * SHORT_STORAGE_TIMEOUT + 10_000);
  // What was done when it hung is as it may be, but it is nobody's end.
  expect([200, 503]).toContain(status);
  expect(headers).not.toHaveProperty('set-cookie');
});

it.each([
  { who: 'somebody', hangs: 'sessions' },
  { who: 'somebody', hangs: 'activity' },
  { who: 'a stranger', hangs: 'sessions' },
  { who: 'a stranger', hangs: 'activity' },
])(
  'Signing in $who is answered 503 in time when the $hangs hang midway',
  async ({ who, hangs }) => {
    const signIn = two.ask.post('/midway/sign-in').query({ hangs });
    if (who === 'somebody') signIn.set('Cookie', ada);
    const stopwatch = new Stopwatch();
    const { status } = await signIn;
    expect(stopwatch.stop()).toBeLessThan(2 * SHORT_STORAGE_TIMEOUT + 10_000);
    expect(status).toBe(503);
  },
);
