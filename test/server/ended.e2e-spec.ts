import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import expressSession from 'express-session';
import { IdleSessionService } from 'nestjs-idle-session';
import { createTestApp, HOUR, MINUTE, SECOND, SECRET, type TestApp } from '../support/test-app.js';
import { expectEnded, NAVIGATION, statusOf } from '../support/requests.js';
import { Gate } from '../support/gate.js';
import { setCookiesOf, signInCookie } from '../support/cookies.js';

let test: TestApp;
afterEach(() => test.app.close());

@Controller()
class RevokeController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Post('revoke')
  @HttpCode(204)
  async revoke(@Req() request: Request) {
    await this.sessions.end(request, 'revoked');
  }
}

const sessionsIn = (store: expressSession.MemoryStore): object =>
  (store as unknown as { sessions: object }).sessions;

const types = () => test.events.map(({ type }) => type);

describe('The end of a session', () => {
  it('is the answer to every request of a script: a poll does not use it up', async () => {
    test = await createTestApp({ options: { loginUrl: '/login' } });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    for (let poll = 0; poll < 3; poll++) {
      const response = await expectEnded(ada, 'idle', '/poll');
      expect(setCookiesOf(response)).toEqual([]);
      expect(await statusOf(ada)).toMatchObject({ state: 'expired', reason: 'idle' });
    }
    await ada
      .get('/page')
      .set(NAVIGATION)
      .expect(303)
      .expect('Location', '/login?reason=idle&returnTo=%2Fpage');
  });

  it.each(['get', 'head'] as const)(
    'is used up once a person has seen it (%s): the next request is anonymous',
    async (method) => {
      test = await createTestApp({ options: { loginUrl: '/login' } });
      const ada = await test.signedIn();
      test.clock.advance(15 * MINUTE);
      const response = await ada[method]('/page').set(NAVIGATION).expect(303);
      expect(setCookiesOf(response)).toEqual([expect.stringMatching(/^app-sid=;.*Expires=.*1970/)]);
      expect((await statusOf(ada)).state).toBe('none');
      await ada.get('/page').set(NAVIGATION).expect(200, { user: null });
    },
  );

  it('is seen in every tab: the polls of one tab do not take it from another', async () => {
    test = await createTestApp({ options: { loginUrl: '/login' } });
    const cookie = await signInCookie(test);
    test.clock.advance(15 * MINUTE);
    const tab = () => test.browser().set('Cookie', cookie);
    await Promise.all([expectEnded(tab(), 'idle', '/poll'), expectEnded(tab(), 'idle')]);
    await tab()
      .get('/page')
      .set(NAVIGATION)
      .expect(303)
      .expect('Location', /reason=idle/);
    await expectEnded(tab(), 'idle', '/poll');
    expect(types()).toEqual(['started', 'expired']);
  });

  it('is seen on an exempt page that a person opens, and used up by that', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    expect(setCookiesOf(await ada.get('/exempt').expect(200))).toEqual([]);
    const response = await ada.get('/exempt').set(NAVIGATION).expect(200);
    expect(response.body.status).toMatchObject({ state: 'expired', reason: 'idle' });
    expect(setCookiesOf(response)).toEqual([expect.stringMatching(/^app-sid=;.*Expires=.*1970/)]);
    expect((await ada.get('/exempt')).body.status).toMatchObject({ state: 'none', reason: null });
  });

  it('is not used up by the status, even when a person opens that', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    const response = await ada.get('/idle-session/status').set(NAVIGATION).expect(200);
    expect(response.body.reason).toBe('idle');
    expect(setCookiesOf(response)).toEqual([]);
  });

  it.each(['/page', '/exempt'])(
    'is not used up by a page that is fetched ahead of time: nobody may ever see it (%s)',
    async (path) => {
      test = await createTestApp({ options: { loginUrl: '/login' } });
      const ada = await test.signedIn();
      test.clock.advance(15 * MINUTE);
      const response = await ada.get(path).set({ ...NAVIGATION, 'Sec-Purpose': 'prefetch' });
      expect(setCookiesOf(response)).toEqual([]);
      await ada
        .get('/page')
        .set(NAVIGATION)
        .expect(303)
        .expect('Location', /reason=idle/);
    },
  );

  it('does not stand in the way of signing in again, not even on the same form', async () => {
    test = await createTestApp({ options: { loginUrl: '/login' } });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await ada.post('/sign-in').set(NAVIGATION).send({ user: 'ada' }).expect(200);
    await ada.get('/page').expect(200, { user: 'ada' });
    expect(await statusOf(ada)).toMatchObject({ state: 'active', reason: null });
    expect(types()).toEqual(['started', 'expired', 'started']);
  });

  it('is decided once, however many requests come at that moment', async () => {
    test = await createTestApp();
    const cookie = await signInCookie(test);
    test.clock.advance(15 * MINUTE);
    await Promise.all(
      Array.from({ length: 10 }, () => expectEnded(test.browser().set('Cookie', cookie), 'idle')),
    );
    expect(types()).toEqual(['started', 'expired']);
  });

  it('does not end anybody else', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE);
    const bob = await test.signedIn({ user: 'bob' });
    test.clock.advance(5 * MINUTE);
    await expectEnded(ada, 'idle');
    await bob.get('/page').expect(200, { user: 'bob' });
  });

  it('is for good: nothing that is sent afterwards revives it', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await expectEnded(ada, 'idle');
    test.clock.advance(-10 * MINUTE);
    await expectEnded(ada, 'idle');
    await ada.post('/idle-session/heartbeat').send({ idleForMs: 0 }).expect(401);
    await expectEnded(ada, 'idle');
  });

  it.each([true, false])(
    'is not undone by the late save of a request that came before (seen meanwhile: %s)',
    async (seenMeanwhile) => {
      const gate = new Gate();
      @Controller()
      class ImportController {
        @Post('import')
        async import(@Req() request: Request) {
          await gate.pass();
          request.session.note = 'late';
          return {};
        }
      }
      test = await createTestApp({ metadata: { controllers: [ImportController] } });
      const ada = await test.signedIn();
      const slow = ada.post('/import').then(({ status }) => status);
      await gate.reached;
      test.clock.advance(15 * MINUTE);
      if (seenMeanwhile) await expectEnded(ada, 'idle');
      gate.open();
      expect(await slow).toBe(201);
      await expectEnded(ada, 'idle');
      expect(types()).toEqual(['started', 'expired']);
    },
  );

  it('is not claimed when the record of a session is lost, but it is over, once and for all', async () => {
    const store = new expressSession.MemoryStore();
    test = await createTestApp({ options: { session: { secret: SECRET, store } } });
    const ada = await test.signedIn();
    // Long after the record was dropped; the session is still in its store, which goes by the real time.
    test.clock.advance(48 * HOUR);
    expect(Object.values(sessionsIn(store))).toHaveLength(1);
    await expectEnded(ada, 'lost');
    await expectEnded(ada, 'lost');
    expect(Object.values(sessionsIn(store))).toHaveLength(0);
  });
});

describe('A session that was revoked', () => {
  it('is refused with that reason from the next request on', async () => {
    test = await createTestApp({ metadata: { controllers: [RevokeController] } });
    const ada = await test.signedIn();
    await ada.post('/revoke').expect(204);
    const { body } = await expectEnded(ada, 'revoked');
    expect(body.detail).toBe('You were signed out.');
    expect(await statusOf(ada)).toMatchObject({ state: 'expired', reason: 'revoked' });
    expect(test.events.at(-1)).toMatchObject({ type: 'ended', reason: 'revoked' });
    expect(types()).toEqual(['started', 'ended']);
  });

  it('is known by its absence from the store, once its first save must be through', async () => {
    const store = new expressSession.MemoryStore();
    test = await createTestApp({
      options: { storageTimeout: '1s', session: { secret: SECRET, store } },
    });
    const ada = await test.signedIn();
    await new Promise((resolve) => store.clear(resolve));
    test.clock.advance(2 * SECOND);
    expect((await statusOf(ada)).state).toBe('none');
    test.clock.advance(1);
    await expectEnded(ada, 'revoked');
    expect(types()).toEqual(['started', 'ended']);
  });
});
