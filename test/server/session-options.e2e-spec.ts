import { describe, expect, it } from '@jest/globals';
import { Controller, HttpCode, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { MemoryActivityStorage, type IdleSessionSessionOptions } from 'nestjs-idle-session';
import { ManualClock } from 'nestjs-idle-session/testing';
import { MINUTE, SECRET, type TestAppOptions } from '../support/test-app.js';
import { cookiesOf, setCookiesOf } from '../support/cookies.js';
import { MinimalStore } from '../support/minimal-store.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

const OLD_SECRET = 'an old secret that is on its way out';

@Controller('unset')
class UnsettingController {
  @Post('null')
  @HttpCode(204)
  setToNull(@Req() request: Request) {
    Object.assign(request, { session: null });
  }

  @Post('deleted')
  @HttpCode(204)
  deleted(@Req() request: Request) {
    Reflect.deleteProperty(request, 'session');
  }
}

async function startWith(session: Partial<IdleSessionSessionOptions>, more: TestAppOptions = {}) {
  const store = new MinimalStore();
  const test = await start({
    ...more,
    options: { ...more.options, session: { secret: SECRET, store, ...session } },
  });
  return { ...test, store };
}

describe('By default', () => {
  it('an anonymous request gets no cookie, and nothing is stored', async () => {
    const { browser, store, storage } = await startWith({});
    const response = await browser().get('/page').expect(200, { user: null });
    expect(setCookiesOf(response)).toEqual([]);
    expect(store.calls).toEqual([]);
    expect(storage.size).toBe(0);
  });

  it('a request that changes nothing in its session writes nothing to the store', async () => {
    const { signedIn, store } = await startWith({});
    const ada = await signedIn();
    store.calls.length = 0;
    for (let i = 0; i < 3; i++)
      expect(setCookiesOf(await ada.get('/page').expect(200))).toEqual([]);
    expect(store.calls).toEqual(['get', 'get', 'get']);
  });
});

describe('What the user sets wins:', () => {
  it('saveUninitialized gives an anonymous visitor a session, too, which expires', async () => {
    const { browser, clock, events } = await startWith({ saveUninitialized: true });
    const stranger = browser();
    expect(setCookiesOf(await stranger.get('/page').expect(200))).toHaveLength(1);
    expect(events.map(({ type }) => type)).toEqual(['started']);
    clock.advance(15 * MINUTE);
    await stranger.get('/page').expect(401);
  });

  it('resave saves with each request, which is no activity', async () => {
    const { signedIn, store, clock } = await startWith({ resave: true });
    const ada = await signedIn();
    store.calls.length = 0;
    await ada.get('/poll').expect(200);
    expect(store.calls).toContain('set');
    clock.advance(10 * MINUTE);
    await ada.get('/poll').expect(200);
    clock.advance(5 * MINUTE);
    await ada.get('/poll').expect(401);
  });

  it('rolling sends the cookie with each response, and the server decides all the same', async () => {
    const { signedIn, clock } = await startWith({ rolling: true });
    const ada = await signedIn();
    expect(setCookiesOf(await ada.get('/page').expect(200))).toHaveLength(1);
    for (let i = 0; i < 2; i++) {
      clock.advance(5 * MINUTE);
      expect(setCookiesOf(await ada.get('/poll').expect(200))).toHaveLength(1);
    }
    clock.advance(5 * MINUTE);
    await ada.get('/poll').expect(401);
  });

  it('genid makes the ids, and is called with the request', async () => {
    const asked: Request[] = [];
    const { browser, store } = await startWith({
      genid: (request) => {
        asked.push(request);
        return `own-id-${asked.length}`;
      },
    });
    const ada = browser();
    const cookie = cookiesOf(await ada.post('/sign-in').send({}).expect(200));
    expect(decodeURIComponent(cookie)).toMatch(/^app-sid=s:own-id-\d+\./);
    expect([...store.sessions.keys()]).toEqual([`own-id-${asked.length}`]);
    expect(asked.every((request) => request.path === '/sign-in')).toBe(true);
    await ada.get('/page').expect(200, { user: 'ada' });
  });

  it('out of the path of the cookie there is no session, and nothing breaks', async () => {
    const { browser } = await startWith({ cookie: { path: '/members' } });
    await browser().get('/page').expect(200, { user: null });
    await browser().get('/members').expect(401);
    expect((await browser().get('/idle-session/status').expect(200)).body).toMatchObject({
      state: 'none',
    });
  });

  it.each<[string, IdleSessionSessionOptions['secret']]>([
    ['a Buffer', Buffer.from(SECRET)],
    ['several', [SECRET, Buffer.from(OLD_SECRET)]],
  ])('the secret may be %s', async (_, secret) => {
    const { signedIn } = await startWith({ secret });
    await (await signedIn()).get('/page').expect(200, { user: 'ada' });
  });

  it.each(['null', 'deleted'])(
    "unset: 'destroy' makes a session that is %s a sign-out",
    async (how) => {
      const { signedIn, store, events } = await startWith(
        { unset: 'destroy' },
        { metadata: { controllers: [UnsettingController] } },
      );
      const ada = await signedIn();
      const { headers } = await ada.post(`/unset/${how}`).expect(204);
      expect(headers['server-timing']).toBeUndefined();
      expect(store.sessions.size).toBe(0);
      expect(events.at(-1)).toMatchObject({ type: 'ended', reason: 'signed-out' });
      expect((await ada.get('/idle-session/status').expect(200)).body).toMatchObject({
        state: 'expired',
        reason: 'signed-out',
      });
    },
  );

  it.each(['null', 'deleted'])(
    "unset is 'keep' by default: a session that is %s in one request is there in the next",
    async (how) => {
      const { signedIn } = await startWith(
        {},
        { metadata: { controllers: [UnsettingController] } },
      );
      const ada = await signedIn();
      await ada.post(`/unset/${how}`).expect(204);
      await ada.get('/page').expect(200, { user: 'ada' });
    },
  );
});

describe('A secret that is rotated', () => {
  const shared = () => {
    const clock = new ManualClock();
    const storage = new MemoryActivityStorage({ now: clock.now });
    const store = new MinimalStore();
    const on = (secret: IdleSessionSessionOptions['secret']) =>
      start({ options: { storage, session: { secret, store } } });
    return { clock, on };
  };

  it('signs nobody out while the old one still verifies', async () => {
    const { on } = shared();
    const before = await on(OLD_SECRET);
    const cookie = cookiesOf(await before.browser().post('/sign-in').send({}).expect(200));
    const during = await on([SECRET, OLD_SECRET]);
    await during.browser().get('/page').set('Cookie', cookie).expect(200, { user: 'ada' });
  });

  it('signs with the new one from then on', async () => {
    const { on } = shared();
    const during = await on([SECRET, OLD_SECRET]);
    const cookie = cookiesOf(await during.browser().post('/sign-in').send({}).expect(200));
    const after = await on(SECRET);
    await after.browser().get('/page').set('Cookie', cookie).expect(200, { user: 'ada' });
  });

  it('signs out those whose cookie the old one signed, once it is gone', async () => {
    const { on, clock } = shared();
    const before = await on(OLD_SECRET);
    const cookie = cookiesOf(await before.browser().post('/sign-in').send({}).expect(200));
    const after = await on(SECRET);
    await after.browser().get('/page').set('Cookie', cookie).expect(200, { user: null });
    clock.advance(15 * MINUTE);
    await after.browser().get('/page').set('Cookie', cookie).expect(200, { user: null });
    expect(after.events).toEqual([]);
  });
});
