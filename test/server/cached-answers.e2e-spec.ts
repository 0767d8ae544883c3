import { CacheInterceptor, CacheModule } from '@nestjs/cache-manager';
import {
  Controller,
  Get,
  Injectable,
  Scope,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type ModuleMetadata,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { of } from 'rxjs';
import { serverTiming } from '../support/server-timing.js';
import { MINUTE, type TestAppOptions } from '../support/test-app.js';
import { expectEnded } from '../support/requests.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

const RESTARTED = serverTiming('active', 900_000);

/** Answers each GET without asking its handler, as a cache does. */
class CannedInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    const { method } = context.switchToHttp().getRequest<Request>();
    return method === 'GET' ? of({ canned: true }) : next.handle();
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestScopedInterceptor extends CannedInterceptor {}

@Controller('canned')
@UseInterceptors(CannedInterceptor)
class CannedController {
  @Get('by-controller')
  byController() {
    return {};
  }

  @Get('by-route')
  @UseInterceptors(RequestScopedInterceptor)
  byRoute() {
    return {};
  }
}

const withCache = (metadata: ModuleMetadata = {}): ModuleMetadata => ({
  ...metadata,
  imports: [CacheModule.register({ ttl: 0 })],
});

// nest 1016 and 12194: an interceptor of the root module comes before those of other modules.
describe.each<[string, TestAppOptions]>([
  [
    'APP_INTERCEPTOR in the root module',
    {
      metadata: withCache({
        providers: [{ provide: APP_INTERCEPTOR, useClass: CacheInterceptor }],
      }),
    },
  ],
  [
    'useGlobalInterceptors() in main.ts',
    {
      metadata: withCache({ providers: [CacheInterceptor] }),
      configure: (app) => app.useGlobalInterceptors(app.get(CacheInterceptor)),
    },
  ],
])('A cache by %s', (_, options) => {
  it('answers a person who clicks, and each click is activity', async () => {
    const test = await start(options);
    const ada = await test.signedIn();
    await ada.get('/page').expect('X-Cache', 'MISS');
    for (let click = 0; click < 4; click++) {
      test.clock.advance(10 * MINUTE);
      await ada
        .get('/page')
        .expect(200, { user: 'ada' })
        .expect('X-Cache', 'HIT')
        .expect('Server-Timing', RESTARTED);
    }
  });

  it('answers no session that ended', async () => {
    const test = await start(options);
    const ada = await test.signedIn();
    await ada.get('/page').expect('X-Cache', 'MISS');
    test.clock.advance(15 * MINUTE);
    const { headers } = await expectEnded(ada, 'idle');
    expect(headers).not.toHaveProperty('x-cache');
  });

  it('makes no activity of polling', async () => {
    const test = await start(options);
    const ada = await test.signedIn();
    await ada.get('/poll').expect(200);
    test.clock.advance(10 * MINUTE);
    await ada
      .get('/poll')
      .expect('X-Cache', 'HIT')
      .expect('Server-Timing', serverTiming('active', 300_000));
  });
});

describe('An interceptor that answers in place of the handler', () => {
  it.each<[string, string, TestAppOptions]>([
    ['on a controller', '/canned/by-controller', {}],
    ['on a route', '/canned/by-route', {}],
    [
      'with the scope of a request, in the root module',
      '/page',
      {
        metadata: { providers: [{ provide: APP_INTERCEPTOR, useClass: RequestScopedInterceptor }] },
      },
    ],
  ])('comes after activity is counted: %s', async (_, path, { metadata }) => {
    const test = await start({
      metadata: { ...metadata, controllers: [CannedController] },
    });
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE);
    await ada.get(path).expect(200, { canned: true }).expect('Server-Timing', RESTARTED);
  });
});
