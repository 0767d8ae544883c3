import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { IdleSessionService, SkipIdleSession } from 'nestjs-idle-session';
import supertest from 'supertest';
import { createTestApp, MINUTE, SECRET, type TestApp } from '../support/test-app.js';
import { CROSS_SITE, expectEnded, SAME_SITE, statusOf } from '../support/requests.js';
import { Gate } from '../support/gate.js';
import { signInCookie } from '../support/cookies.js';

let test: TestApp;
afterEach(() => test.app.close());

@Controller()
class OtherWaysController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Post('end')
  @HttpCode(204)
  async end(@Req() request: Request) {
    await this.sessions.end(request);
  }

  @Post('unset')
  @HttpCode(204)
  unset(@Req() request: Request) {
    request.session = null as never;
  }
}

describe('Signing out', () => {
  it.each([
    ['the endpoint', '/idle-session/sign-out'],
    ['request.session.destroy()', '/sign-out'],
    ['IdleSessionService.end()', '/end'],
    ["request.session = null, with unset: 'destroy',", '/unset'],
  ])('by %s ends the session at once, in every tab', async (_, path) => {
    test = await createTestApp({
      options: { session: { secret: SECRET, unset: 'destroy' } },
      metadata: { controllers: [OtherWaysController] },
    });
    const cookie = await signInCookie(test);
    const tab = () => test.browser().set('Cookie', cookie);
    await tab().post(path).expect(204);
    expect(await statusOf(tab())).toMatchObject({
      state: 'expired',
      reason: 'signed-out',
      expiresInMs: 0,
    });
    await tab().get('/page').expect(200, { user: null });
    const { body } = await expectEnded(tab(), 'signed-out', '/members');
    expect(body.detail).toBe('You signed out.');
    await tab().post('/idle-session/heartbeat').send({ idleForMs: 0 }).expect(401);
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'ended']);
    expect(test.events[1]).toMatchObject({ reason: 'signed-out' });
  });

  it('is idempotent', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    await ada.post('/idle-session/sign-out').expect(204).expect('Cache-Control', 'no-store');
    await ada.post('/idle-session/sign-out').expect(204);
    await test.browser().post('/idle-session/sign-out').expect(204);
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'ended']);
  });

  it('does not change why a session had ended before', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await ada.post('/idle-session/sign-out').expect(204);
    expect((await statusOf(ada)).reason).toBe('idle');
  });

  it.each(CROSS_SITE)('is refused from another site: %o', async (headers) => {
    test = await createTestApp();
    const ada = await test.signedIn();
    await ada.post('/idle-session/sign-out').set(headers).expect(403);
    await ada.get('/page').expect(200, { user: 'ada' });
  });

  it.each(SAME_SITE)('is accepted from the site itself: %o', async (headers) => {
    test = await createTestApp();
    const ada = await test.signedIn();
    await ada.post('/idle-session/sign-out').set(headers).expect(204);
    expect((await statusOf(ada)).reason).toBe('signed-out');
  });

  it.each(['get', 'put', 'delete'] as const)('is not there for %s', async (method) => {
    test = await createTestApp();
    const ada = await test.signedIn();
    await ada[method]('/idle-session/sign-out').expect(404);
    await ada.get('/page').expect(200, { user: 'ada' });
  });
});

// expressjs/session 632, django-session-security 89: a request in flight brought the session back.
describe('A sign-out while another request is still writing to the session', () => {
  it.each([
    ['on a guarded route', '/slow', '/idle-session/sign-out'],
    ['on a guarded route, by destroy(),', '/slow', '/sign-out'],
    ['on an exempt route', '/slow-exempt', '/idle-session/sign-out'],
    ['and signs in again with a new id', '/slow', '/sign-in'],
  ])('is not undone by its late save (%s)', async (_, slowPath, endPath) => {
    const gate = new Gate();
    @Controller()
    class SlowController {
      @Post('slow')
      async slow(@Req() request: Request) {
        await gate.pass();
        request.session.note = 'late';
        return {};
      }

      @Post('slow-exempt')
      @SkipIdleSession()
      slowExempt(@Req() request: Request) {
        return this.slow(request);
      }
    }
    test = await createTestApp({ metadata: { controllers: [SlowController] } });
    const cookie = await signInCookie(test);
    const to = supertest(test.app.getHttpServer());
    const slow = to
      .post(slowPath)
      .set('Cookie', cookie)
      .then(({ status }) => status);
    await gate.reached;
    await to
      .post(endPath)
      .set('Cookie', cookie)
      .expect(({ ok }) => expect(ok).toBe(true));
    gate.open();
    expect(await slow).toBe(201);
    const tab = () => test.browser().set('Cookie', cookie);
    await tab().get('/page').expect(200, { user: null });
    await expectEnded(tab(), 'signed-out', '/members');
  });
});
