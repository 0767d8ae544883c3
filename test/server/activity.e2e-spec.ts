import {
  Controller,
  ForbiddenException,
  Get,
  Injectable,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { createTestApp, MINUTE, type TestApp } from '../support/test-app.js';
import { Gate } from '../support/gate.js';
import { statusOf } from '../support/requests.js';

let test: TestApp;
afterEach(() => test.app.close());

/** As a guard of the app's root module, it runs before the library's. */
@Injectable()
class EarlyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const how = context.switchToHttp().getRequest<Request>().get('X-Refuse');
    if (how === 'throw') throw new ForbiddenException();
    return how !== 'false';
  }
}

describe('A request that is refused', () => {
  it.each<[string, string, Record<string, string>, number]>([
    ['a guard of its route that throws', '/refused?how=throw', {}, 403],
    ['a guard of its route that returns false', '/refused', {}, 403],
    ["the app's auth guard", '/members', {}, 401],
    ["a guard of the app's root module that throws", '/page', { 'X-Refuse': 'throw' }, 403],
    ["a guard of the app's root module that returns false", '/page', { 'X-Refuse': 'false' }, 403],
  ])('by %s is no activity', async (_, path, headers, code) => {
    test = await createTestApp({
      metadata: { providers: [{ provide: APP_GUARD, useClass: EarlyGuard }] },
    });
    const visitor = test.browser();
    await visitor.post('/page').expect(200);
    test.clock.advance(14 * MINUTE);
    await visitor.get(path).set(headers).expect(code);
    expect(await statusOf(visitor)).toMatchObject({ state: 'warning', expiresInMs: MINUTE });
    test.clock.advance(MINUTE);
    await visitor.get('/page').expect(401);
  });
});

describe('A request that no guard refused', () => {
  it('is activity even when its handler fails', async () => {
    test = await createTestApp({ configure: (app) => app.useLogger(false) });
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    await ada.get('/broken').expect(500);
    expect((await statusOf(ada)).expiresInMs).toBe(15 * MINUTE);
  });

  // django-session-security 1, spring-session 1280: a slow request took the time of a newer one back.
  it('counts from when it came, and never moves activity back when it ends late', async () => {
    const gate = new Gate();
    @Controller()
    class ExportController {
      @Get('export')
      async export() {
        await gate.pass();
        return {};
      }
    }
    test = await createTestApp({ metadata: { controllers: [ExportController] } });
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE);
    const slow = ada.get('/export').then((response) => response.status);
    await gate.reached;
    expect((await statusOf(ada)).expiresInMs).toBe(15 * MINUTE);
    test.clock.advance(10 * MINUTE);
    await ada.get('/page').expect(200);
    test.clock.advance(MINUTE);
    gate.open();
    expect(await slow).toBe(200);
    expect((await statusOf(ada)).expiresInMs).toBe(14 * MINUTE);
  });
});
