import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import type { Duration } from 'nestjs-idle-session';
import { serverTiming } from '../support/server-timing.js';
import { createTestApp, MINUTE, type TestApp } from '../support/test-app.js';
import { expectEnded, statusOf } from '../support/requests.js';

let test: TestApp;
afterEach(() => test.app.close());

@Controller()
class RoleController {
  @Post('role')
  @HttpCode(200)
  change(@Req() request: Request, @Body() body: { role: string }) {
    request.session.role = body.role;
    return {};
  }
}

const perRole = (request: Request): Duration => (request.session.role === 'admin' ? '5m' : '15m');

describe('An idle timeout that is a function of the request', () => {
  it.each([
    { kind: 'sync', idleTimeout: perRole },
    { kind: 'async', idleTimeout: async (request: Request) => perRole(request) },
  ])('differs per role ($kind)', async ({ idleTimeout }) => {
    test = await createTestApp({ options: { idleTimeout } });
    const [admin, user] = [await test.signedIn({ role: 'admin' }), await test.signedIn()];
    expect(await statusOf(admin)).toMatchObject({
      expiresInMs: 5 * MINUTE,
      idleTimeoutMs: 5 * MINUTE,
    });
    expect(await statusOf(user)).toMatchObject({
      expiresInMs: 15 * MINUTE,
      idleTimeoutMs: 15 * MINUTE,
    });
    test.clock.advance(5 * MINUTE);
    await expectEnded(admin, 'idle');
    await user.get('/page').expect(200);
  });

  it('is warned of in time where it is shorter than the usual warning', async () => {
    const idleTimeout = (request: Request) => (request.session.role === 'admin' ? '60s' : '15m');
    test = await createTestApp({ options: { idleTimeout } });
    const [admin, user] = [await test.signedIn({ role: 'admin' }), await test.signedIn()];
    expect(await statusOf(admin)).toMatchObject({ state: 'active', warnBeforeMs: 20_000 });
    expect(await statusOf(user)).toMatchObject({ state: 'active', warnBeforeMs: 2 * MINUTE });
    expect(await statusOf(test.browser())).toMatchObject({ state: 'none', warnBeforeMs: 120_000 });
    test.clock.advance(40_000);
    expect(await statusOf(admin)).toMatchObject({ state: 'warning', expiresInMs: 20_000 });
    expect(await statusOf(user)).toMatchObject({ state: 'active' });
  });

  it('holds from the next request on when the role changes', async () => {
    test = await createTestApp({
      options: { idleTimeout: perRole },
      metadata: { controllers: [RoleController] },
    });
    const ada = await test.signedIn();
    await ada.post('/role').send({ role: 'admin' }).expect(200);
    await ada.get('/page').expect('Server-Timing', serverTiming('active', 300_000));
    await ada.post('/role').send({ role: 'user' }).expect(200);
    await ada.get('/page').expect('Server-Timing', serverTiming('active', 900_000));
    test.clock.advance(5 * MINUTE);
    await ada.get('/page').expect(200);
  });

  it('changes what a poll sees without counting as activity', async () => {
    let idleTimeout = '15m';
    test = await createTestApp({ options: { idleTimeout: () => idleTimeout } });
    const ada = await test.signedIn();
    test.clock.advance(5 * MINUTE);
    idleTimeout = '30m';
    await ada.get('/poll').expect('Server-Timing', serverTiming('active', 1_500_000));
    idleTimeout = '5m';
    await expectEnded(ada, 'idle', '/poll');
    idleTimeout = '30m';
    await expectEnded(ada, 'idle');
  });

  it('is null in the status of an anonymous request', async () => {
    test = await createTestApp({ options: { idleTimeout: perRole } });
    expect(await statusOf(test.browser())).toMatchObject({ state: 'none', idleTimeoutMs: null });
  });

  it.each<[string, () => unknown]>([
    ['returns nothing', () => undefined],
    ['returns null', () => null],
    ['returns an object', () => ({ minutes: 5 })],
    ['returns NaN', () => NaN],
    ['returns a negative number', () => -1],
    ['returns a word', () => 'soon'],
    ['returns more than the absolute timeout', () => '13h'],
    ['returns no more than warnBefore', () => '1m'],
    ['resolves to a word', () => Promise.resolve('soon')],
    [
      'throws',
      () => {
        throw new Error('on purpose');
      },
    ],
    ['rejects', () => Promise.reject(new Error('on purpose'))],
  ])('that %s is a 500, and never a sign-out', async (_, nonsense) => {
    let idleTimeout: () => unknown = () => '15m';
    test = await createTestApp({
      options: { idleTimeout: () => idleTimeout() as Duration, warnBefore: '1m' },
      configure: (app) => app.useLogger(false),
    });
    const ada = await test.signedIn();
    test.clock.advance(5 * MINUTE);
    idleTimeout = nonsense;
    await ada.get('/page').expect(500);
    await ada.get('/idle-session/status').expect(500);
    idleTimeout = () => '15m';
    expect(await statusOf(ada)).toMatchObject({ state: 'active', expiresInMs: 10 * MINUTE });
    expect(test.events.map(({ type }) => type)).toEqual(['started']);
  });
});
