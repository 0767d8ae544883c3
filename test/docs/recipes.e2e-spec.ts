import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { INestApplication, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import expressSession, { type Store } from 'express-session';
import { IdleSessionService } from 'nestjs-idle-session';
import supertest from 'supertest';
import { WebSocket, WebSocketServer } from 'ws';
import { appModuleOn } from '../../docs/examples/recipes/migrating.js';
import * as fresh from '../../docs/examples/recipes/fresh.js';
import * as lock from '../../docs/examples/recipes/lock.js';
import * as rememberMe from '../../docs/examples/recipes/remember-me.js';
import { start as startWithPassport } from '../../docs/examples/recipes/passport.js';
import { TestController } from '../support/test-app.js';

const running: INestApplication[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((app) => app.close()));
});

async function startModule(module: Type | undefined, configure?: (app: INestApplication) => void) {
  const imports = module ? [module] : [];
  const built = await Test.createTestingModule({
    imports,
    controllers: [TestController],
  }).compile();
  const app = built.createNestApplication();
  configure?.(app);
  await app.init();
  running.push(app);
  return supertest.agent(app.getHttpServer());
}

const statusOf = async (browser: supertest.Agent) =>
  (await browser.get('/idle-session/status').expect(200)).body as {
    state: string;
    sessionRef: string;
  };

describe('docs/recipes/passport.md', () => {
  it('after signing out, what Passport leaves in the store has no deadline and warns nobody', async () => {
    const app = await startWithPassport();
    running.push(app);
    await app.init();
    const browser = supertest.agent(app.getHttpServer());
    await browser.post('/login').send({ name: 'ada', password: 'demo' }).expect(200);
    const signedOut = await browser.post('/logout').expect(204);
    expect(signedOut.get('Set-Cookie')).toHaveLength(1);
    await browser.get('/me').expect(401);
    expect(await statusOf(browser)).toMatchObject({ state: 'none', expiresInMs: null });
  });

  it('attach() lets the socket of a signed-in person in, though Passport has not seen its handshake', async () => {
    const app = await startWithPassport();
    running.push(app);
    await app.listen(0, '127.0.0.1');
    const signedIn = await supertest(app.getHttpServer())
      .post('/login')
      .send({ name: 'ada', password: 'demo' })
      .expect(200);
    const sockets = new WebSocketServer({ server: app.getHttpServer() as Server });
    const isLetIn = once(sockets, 'connection').then(([socket, request]) =>
      app.get(IdleSessionService).attach(socket as WebSocket, request as IncomingMessage),
    );
    const cookie = signedIn.get('Set-Cookie')![0]!.split(';')[0]!;
    const socket = new WebSocket((await app.getUrl()).replace('http', 'ws'), {
      headers: { cookie },
    });
    const [isMember] = await Promise.all([isLetIn, once(socket, 'open')]);
    expect(isMember).toBe(true);
    socket.terminate();
    sockets.close();
  });
});

describe('docs/recipes/lock.md', () => {
  /** Signed in, and idle since then for as long as the recipe says, by the clock that the storage in memory goes by. */
  async function locked() {
    const browser = await startModule(lock.AppModule);
    await browser.post('/sign-in').expect(200);
    const began = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => began() + 15 * 60_000);
    expect((await browser.get('/page').expect(401)).body).toMatchObject({
      reason: 'locked',
      unlockUrl: '/unlock',
    });
    return browser;
  }
  afterEach(() => void jest.restoreAllMocks());

  it('the unlock page leads back to where the person was, once the password is right', async () => {
    const browser = await locked();
    const page = await browser.get('/unlock?returnTo=%2Fpage').expect(200);
    const [, action = ''] = /action="([^"]+)"/.exec(page.text) ?? [];
    await browser.post(action).send({ password: 'wrong' }).expect(422);
    expect(await statusOf(browser)).toMatchObject({ state: 'locked' });
    const unlocked = await browser.post(action).send({ password: 'demo' }).expect(303);
    expect(unlocked.headers.location).toBe('/page');
    await browser.get('/page').expect(200);
  });

  it('a form within the page is answered without a way back', async () => {
    const browser = await locked();
    await browser.post('/unlock').send({ password: 'demo' }).expect(204);
    await browser.get('/page').expect(200);
  });

  it('after five wrong tries, however many come at once, the session is over', async () => {
    const browser = await locked();
    const guess = () => browser.post('/unlock').send({ password: 'guess' });
    await Promise.all([1, 2, 3, 4, 5].map(() => guess().expect(422)));
    expect(await statusOf(browser)).toMatchObject({ state: 'locked' });
    await browser.post('/unlock').send({ password: 'demo' }).expect(401);
    expect(await statusOf(browser)).toMatchObject({ state: 'expired', reason: 'signed-out' });
  });

  it('who signed in again after too many wrong tries can unlock again', async () => {
    const browser = await locked();
    for (let tries = 0; tries < 6; tries++)
      await browser
        .post('/unlock')
        .send({ password: 'guess' })
        .expect(tries < 5 ? 422 : 401);
    await browser.post('/sign-in').expect(200);
    await browser.post('/unlock').send({ password: 'demo' }).expect(204);
  });

  it('the person may leave instead', async () => {
    const browser = await locked();
    await browser.post('/leave').expect(303);
    expect(await statusOf(browser)).toMatchObject({ state: 'expired', reason: 'signed-out' });
  });
});

describe('docs/recipes/fresh.md', () => {
  it('the confirm page leads back to what asked for the proof', async () => {
    const browser = await startModule(fresh.AppModule);
    await browser.post('/sign-in').expect(200);
    await browser.post('/account/email').expect(204);
    const page = await browser.get('/confirm?returnTo=%2Faccount').expect(200);
    const [, action = ''] = /action="([^"]+)"/.exec(page.text) ?? [];
    await browser.post(action).send({ password: 'wrong' }).expect(401);
    const before = await statusOf(browser);
    const confirmed = await browser.post(action).send({ password: 'demo' }).expect(303);
    expect(confirmed.headers.location).toBe('/account');
    expect(confirmed.get('Set-Cookie')).toHaveLength(1);
    expect(await statusOf(browser)).toMatchObject({
      state: 'active',
      sessionRef: before.sessionRef,
    });
    await browser.post('/account/email').expect(204);
  });

  it('keeps strangers out', async () => {
    const browser = await startModule(fresh.AppModule);
    await browser.post('/account/email').expect(401);
    await browser.post('/confirm').send({ password: 'demo' }).expect(403);
  });
});

describe('docs/recipes/remember-me.md', () => {
  it('those who ticked it have a cookie with a date and longer limits, and the others have not', async () => {
    const [ada, eve] = [
      await startModule(rememberMe.AppModule),
      await startModule(rememberMe.AppModule),
    ];
    const remembered = await ada.post('/login').send({ name: 'ada', remember: true }).expect(204);
    const other = await eve.post('/login').send({ name: 'eve' }).expect(204);
    expect(remembered.get('Set-Cookie')?.[0]).toMatch(/Expires=/);
    expect(other.get('Set-Cookie')?.[0]).not.toMatch(/Expires=/);
    const day = 24 * 60 * 60_000;
    expect(await statusOf(ada)).toMatchObject({
      expiresInMs: expect.closeTo(7 * day, -5),
      absoluteExpiresInMs: expect.closeTo(30 * day, -5),
    });
    expect(await statusOf(eve)).toMatchObject({ idleTimeoutMs: 15 * 60_000 });
    await ada.get('/page').expect(200, { user: 'ada' });
  });
});

describe('docs/recipes/migrating.md', () => {
  it('people who were signed in with plain express-session stay so', async () => {
    const store: Store = new expressSession.MemoryStore();
    const secret = process.env.SESSION_SECRET ?? 'at least sixteen characters';
    const before = await startModule(undefined, (app) =>
      app.use(expressSession({ secret, store, resave: false, saveUninitialized: false })),
    );
    const signedIn = await before.post('/sign-in').expect(200);
    const [cookie = ''] = signedIn.get('Set-Cookie') ?? [];
    expect(cookie).toMatch(/^connect\.sid=/);
    const after = await startModule(appModuleOn(store));
    await after.get('/page').set('Cookie', cookie.split(';')[0]!).expect(200, { user: 'ada' });
  });
});
