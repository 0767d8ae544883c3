import { describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, HttpCode, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import expressSession, { type SessionData } from 'express-session';
import { serverTiming } from '../support/server-timing.js';
import { HOUR, MINUTE, SECRET, type TestAppOptions } from '../support/test-app.js';
import { cookiesOf } from '../support/cookies.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

@Controller('cart')
class CartController {
  @Get()
  items(@Req() request: Request) {
    return { note: request.session.note ?? null };
  }

  @Post()
  @HttpCode(200)
  add(@Req() request: Request) {
    request.session.note = 'a lamp';
    return {};
  }

  /** Signs in without a new session, as apps should not but do. */
  @Post('sign-in')
  @HttpCode(200)
  signIn(@Req() request: Request, @Body() { user }: { user: string }) {
    Object.assign(request.session, { user });
    return {};
  }

  @Post('become-guest')
  @HttpCode(200)
  becomeGuest(@Req() request: Request) {
    delete request.session.user;
    return {};
  }
}

const signedInOnly: TestAppOptions = {
  metadata: { controllers: [CartController] },
  options: { appliesTo: (request) => request.session.user !== undefined },
};

describe('A session that appliesTo says no to', () => {
  it('has no record, no header and no status, is stored and is never refused', async () => {
    const test = await start(signedInOnly);
    const guest = test.browser();
    await guest.post('/cart').expect(200);
    for (const hours of [0, 1, 10, 100]) {
      test.clock.advance(hours * HOUR);
      const response = await guest.get('/cart').expect(200, { note: 'a lamp' });
      expect(response.headers['server-timing']).toBeUndefined();
      expect((await guest.get('/idle-session/status').expect(200)).body).toMatchObject({
        state: 'none',
        expiresInMs: null,
        absoluteExpiresInMs: null,
        sessionRef: null,
      });
      expect(
        (await guest.post('/idle-session/heartbeat').send({ idleForMs: 0 })).body,
      ).toMatchObject({ state: 'none' });
    }
    expect(test.storage.size).toBe(0);
    expect(test.events).toEqual([]);
  });

  it.each(['/sign-in', '/cart/sign-in'])(
    'starts when it comes to apply, by POST %s',
    async (path) => {
      const test = await start(signedInOnly);
      const guest = test.browser();
      await guest.post('/cart').expect(200);
      test.clock.advance(100 * HOUR);
      await guest.post(path).send({ user: 'ada' }).expect(200);
      expect(test.events.map(({ type }) => type)).toEqual(['started']);

      await guest
        .get('/page')
        .expect(200, { user: 'ada' })
        .expect('Server-Timing', serverTiming('active', 900_000));
      expect((await guest.get('/idle-session/status')).body).toMatchObject({
        state: 'active',
        absoluteExpiresInMs: 12 * HOUR,
      });
      test.clock.advance(15 * MINUTE);
      await guest.get('/page').expect(401);
    },
  );

  it('may be destroyed like any other, which is no event of ours', async () => {
    const test = await start(signedInOnly);
    const guest = test.browser();
    const cookie = cookiesOf(await guest.post('/cart').expect(200));
    await guest.post('/sign-out').expect(204);
    await test.browser().get('/cart').set('Cookie', cookie).expect(200, { note: null });
    expect(test.events).toEqual([]);
  });

  it('is ended by the sign-out endpoint, too', async () => {
    const test = await start(signedInOnly);
    const guest = test.browser();
    const cookie = cookiesOf(await guest.post('/cart').expect(200));
    await guest.post('/idle-session/sign-out').expect(204);
    await test.browser().get('/cart').set('Cookie', cookie).expect(200, { note: null });
  });

  it('has no Server-Timing any more once it ceases to apply', async () => {
    const test = await start(signedInOnly);
    const ada = await test.signedIn();
    await ada.post('/cart/become-guest').expect(200);
    const response = await ada.get('/page').expect(200, { user: null });
    expect(response.headers['server-timing']).toBeUndefined();
    expect((await ada.get('/idle-session/status').expect(200)).body).toMatchObject({
      state: 'none',
    });
  });
});

describe('appliesTo', () => {
  it('is called with the session there, and never for an anonymous request', async () => {
    const sessions: unknown[] = [];
    const test = await start({
      options: {
        appliesTo: (request) => {
          sessions.push(request.session);
          return true;
        },
      },
    });
    await test.browser().get('/page').expect(200);
    expect(sessions).toEqual([]);
    await (await test.signedIn()).get('/page').expect(200);
    expect(sessions.length).toBeGreaterThan(0);
    expect(sessions).not.toContain(undefined);
  });

  it('by default covers a session that was in the store before the module was', async () => {
    const store = new expressSession.MemoryStore();
    const before = await start({
      options: { session: { secret: SECRET, store }, appliesTo: () => false },
    });
    const cookie = cookiesOf(await before.browser().post('/sign-in').send({}).expect(200));

    const test = await start({ options: { session: { secret: SECRET, store } } });
    const get = (path: string) => test.browser().get(path).set('Cookie', cookie);
    await get('/page')
      .expect(200, { user: 'ada' })
      .expect('Server-Timing', serverTiming('active', 900_000));
    expect(test.events.map(({ type }) => type)).toEqual(['started']);
    test.clock.advance(15 * MINUTE);
    await get('/page').expect(401);
    const kept = await new Promise<Record<string, SessionData>>((resolve, reject) =>
      store.all((error, all) => (error ? reject(error as Error) : resolve(all as never))),
    );
    expect(Object.keys(kept)).toEqual([]);
  });
});
