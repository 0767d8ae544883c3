import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ForbiddenException, Injectable, type CanActivate } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Request, Response } from 'express';
import { IdleSessionService, type IdleSessionModuleOptions } from 'nestjs-idle-session';
import { ConfirmController } from '../support/confirm-controller.js';
import { setCookiesOf, signInCookie } from '../support/cookies.js';
import { Gate } from '../support/gate.js';
import { LockController } from '../support/lock-controller.js';
import { expectEnded, NAVIGATION, statusOf, type Browser } from '../support/requests.js';
import { serverTiming } from '../support/server-timing.js';
import { HOUR, MINUTE, SECOND, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();
afterEach(() => void jest.restoreAllMocks());

const LOCK = 15 * MINUTE;

const startLocking = (
  options: Partial<IdleSessionModuleOptions> = {},
  { metadata, ...more }: TestAppOptions = {},
) =>
  start({
    options: { idleTimeout: '1h', lockAfter: '15m', ...options },
    metadata: { ...metadata, controllers: [LockController, ConfirmController] },
    ...more,
  });

/** Somebody who signed in and went away. */
async function lockedApp(...given: Parameters<typeof startLocking>) {
  const test = await startLocking(...given);
  const ada = await test.signedIn();
  test.clock.advance(LOCK);
  return { ...test, ada };
}

const heartbeat = (browser: Browser, idleForMs: number) =>
  browser.post('/idle-session/heartbeat').send({ idleForMs });

describe('A session that is idle for lockAfter', () => {
  it('is refused from then on, and not a millisecond earlier', async () => {
    const test = await startLocking();
    const ada = await test.signedIn();
    test.clock.advance(LOCK - 1);
    await ada.get('/poll').expect(200);
    test.clock.advance(1);
    const { body } = await ada
      .get('/page')
      .expect(401)
      .expect('Content-Type', /^application\/problem\+json/)
      .expect('Cache-Control', 'no-store')
      .expect('WWW-Authenticate', 'Session error="locked"')
      .expect('Server-Timing', serverTiming('locked', 2_700_000, ', http-status;dur=401'));
    expect(body).toEqual({
      type: 'urn:nestjs-idle-session:session-locked',
      title: 'Locked',
      status: 401,
      detail: 'For your security, we locked this page because you were inactive.',
      reason: 'locked',
      unlockUrl: null,
    });
  });

  it('is not locked while its person is active', async () => {
    const test = await startLocking();
    const ada = await test.signedIn();
    for (let passed = 0; passed < 3 * HOUR; passed += LOCK - 1) {
      await ada.get('/page').expect(200);
      test.clock.advance(LOCK - 1);
    }
    expect(await statusOf(ada)).toMatchObject({ state: 'active', locksInMs: 1 });
  });

  it('says in its status how long it is to the lock, and to the end', async () => {
    const test = await startLocking({ unlockUrl: '/unlock' });
    const ada = await test.signedIn();
    test.clock.advance(MINUTE);
    const before = { state: 'active', expiresInMs: 59 * MINUTE, locksInMs: 14 * MINUTE };
    expect(await statusOf(ada)).toMatchObject({ ...before, unlockUrl: '/unlock' });
    test.clock.advance(LOCK);
    const after = { state: 'locked', reason: null, expiresInMs: 44 * MINUTE, locksInMs: 0 };
    expect(await statusOf(ada)).toMatchObject(after);
  });

  it.each([0, 1, 6 * MINUTE, 20 * MINUTE, Number.MAX_SAFE_INTEGER])(
    'is unlocked by no request, and by no heartbeat that claims activity %p ms ago',
    async (idleForMs) => {
      const { ada, clock } = await lockedApp();
      clock.advance(5 * MINUTE);
      const before = await statusOf(ada);
      expect(before).toMatchObject({ state: 'locked' });
      expect((await heartbeat(ada, idleForMs).expect(200)).body).toEqual(before);
      const path = `/refresh-locked?idleForMs=${idleForMs}`;
      expect((await ada.post(path).expect(200)).body).toEqual(before);
      await ada.get('/page').expect(401);
      await ada.get('/unlock').expect(200);
      await ada.get('/exempt').expect(200);
      expect(await statusOf(ada)).toEqual(before);
    },
  );

  it('is unlocked by no request that began before it and claims activity only after it', async () => {
    const { clock, signedIn } = await startLocking();
    const ada = await signedIn();
    const gate = new Gate();
    const path = `/refresh-locked?idleForMs=1000&gate=${gate.name}`;
    const answer = ada.post(path).set('Idle-Session', 'passive');
    const answered = answer.then((response) => response);
    await gate.reached;
    clock.advance(LOCK);
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 2 * SECOND);
    gate.open();
    expect((await answered).body).toMatchObject({ state: 'locked' });
    expect(await statusOf(ada)).toMatchObject({ state: 'locked' });
  });

  it('ends once it was idle for its whole timeout, and the event is the only one', async () => {
    const { ada, clock, events } = await lockedApp();
    clock.advance(HOUR - LOCK - 1);
    expect(await statusOf(ada)).toMatchObject({ state: 'locked', expiresInMs: 1 });
    clock.advance(1);
    await expectEnded(ada, 'idle');
    expect(events.map(({ type }) => type)).toEqual(['started', 'expired']);
  });

  it('ends at its absolute limit', async () => {
    const test = await startLocking({ absoluteTimeout: '70m' });
    const ada = await test.signedIn();
    test.clock.advance(LOCK - 1);
    await ada.get('/page').expect(200);
    test.clock.advance(LOCK);
    expect(await statusOf(ada)).toMatchObject({ state: 'locked' });
    test.clock.advance(70 * MINUTE - 2 * LOCK + 1);
    await expectEnded(ada, 'absolute');
  });

  it('is let in to exempt routes, which learn that it is locked', async () => {
    const { ada } = await lockedApp();
    const { body } = await ada.get('/exempt').expect(200);
    expect(body).toMatchObject({ user: 'ada', status: { state: 'locked' } });
  });

  it('keeps the timeout that it has, whatever a function says meanwhile', async () => {
    let idleTimeout = '1h';
    const { ada, clock } = await lockedApp({ idleTimeout: () => idleTimeout as '1h' });
    idleTimeout = '3h';
    await ada.get('/page').expect(401);
    expect(await statusOf(ada)).toMatchObject({ idleTimeoutMs: HOUR });
    clock.advance(HOUR);
    await expectEnded(ada, 'idle');
  });

  it('may be replaced by signing in anew', async () => {
    const { ada } = await lockedApp();
    await ada.post('/sign-in').expect(200);
    await ada.get('/page').expect(200);
    expect(await statusOf(ada)).toMatchObject({ state: 'active', locksInMs: LOCK });
  });

  it('is refused a confirm, also on a route that locked sessions may use', async () => {
    const { ada } = await lockedApp();
    expect((await ada.post('/confirm').expect(401)).body.reason).toBe('locked');
    expect((await ada.post('/confirm-locked').expect(401)).body.reason).toBe('locked');
    await ada.post('/unlock').expect(200);
    await ada.post('/confirm-locked').expect(200, { isConfirmed: true });
  });

  it('is refused a confirm also where the options do not apply', async () => {
    const appliesTo = ({ path }: Request) => path !== '/confirm-locked';
    const { ada } = await lockedApp({ appliesTo });
    await ada.post('/confirm-locked').expect(401);
    expect(await statusOf(ada)).toMatchObject({ state: 'locked' });
  });
});

describe('The time to the lock', () => {
  it('is decided by a function at the start of a session, which keeps it', async () => {
    let kiosk: false | '2m' = '2m';
    const test = await startLocking({ lockAfter: () => kiosk });
    const one = await test.signedIn();
    kiosk = false;
    const other = await test.signedIn();
    test.clock.advance(2 * MINUTE);
    expect(await statusOf(one)).toMatchObject({ state: 'locked' });
    expect(await statusOf(other)).toMatchObject({ state: 'active', locksInMs: null });
  });

  it('locks nothing where it is no shorter than the session’s idle timeout', async () => {
    const test = await startLocking({ idleTimeout: '10m', lockAfter: () => '10m' });
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE - 1);
    expect(await statusOf(ada)).toMatchObject({ state: 'warning', locksInMs: null });
    test.clock.advance(1);
    await expectEnded(ada, 'idle');
  });

  it('answers the sign-in 500 where the function fails, and names the option', async () => {
    const test = await startLocking({ lockAfter: () => 'soon' as '2m' });
    test.app.useLogger(false);
    await test.browser().post('/sign-in').expect(500);
  });
});

describe('A page navigation of a locked session', () => {
  it('goes to the unlock page, with the way back, and keeps its cookie', async () => {
    const { ada } = await lockedApp({ unlockUrl: '/unlock?lang=de', loginUrl: '/login' });
    const response = await ada
      .get('/page?tab=2')
      .set(NAVIGATION)
      .expect(303)
      .expect('Location', '/unlock?lang=de&reason=locked&returnTo=%2Fpage%3Ftab%3D2')
      .expect('Cache-Control', 'no-store')
      .expect('Vary', /Sec-Fetch-Mode/);
    expect(setCookiesOf(response)).toEqual([]);
    expect((await ada.get('/page').expect(401)).body.unlockUrl).toBe('/unlock?lang=de');
  });

  it.each(['/page', '/page?lang=de', 'http://claims.example/page'])(
    'gets the 401 from an unlock page that is refused itself, and not sent there for ever: %s',
    async (unlockUrl) => {
      const { ada } = await lockedApp({ unlockUrl });
      const request = ada.get('/page?reason=locked&returnTo=%2F').set('Host', 'claims.example');
      expect((await request.set(NAVIGATION).expect(401)).body.reason).toBe('locked');
    },
  );

  it('gets the 401 without an unlock page', async () => {
    const { ada } = await lockedApp({ loginUrl: '/login' });
    await ada.get('/page').set(NAVIGATION).expect(401);
  });
});

/** As one of a root module, which Nest runs before that of the module. */
@Injectable()
class ClosedGuard implements CanActivate {
  static isClosed = false;

  canActivate(): boolean {
    if (ClosedGuard.isClosed) throw new ForbiddenException('closed');
    return true;
  }
}

describe('A locked session', () => {
  it('is told so also when a guard of the app refuses first', async () => {
    const { ada } = await lockedApp(
      {},
      { metadata: { providers: [{ provide: APP_GUARD, useClass: ClosedGuard }] } },
    );
    ClosedGuard.isClosed = true;
    try {
      expect((await ada.get('/page').expect(401)).body.reason).toBe('locked');
    } finally {
      ClosedGuard.isClosed = false;
    }
  });

  it('is told of a wrong password where a guard of its own checks that', async () => {
    const { ada } = await lockedApp();
    const { body } = await ada.post('/guarded-unlock').expect(401);
    expect(body).toMatchObject({ message: 'wrong password' });
  });

  it('keeps what the unlock route saves in it: wrong tries', async () => {
    const { ada } = await lockedApp();
    for (let tries = 1; tries <= 3; tries++) {
      await ada.post('/unlock').send({ password: 'wrong' }).expect(401);
      await ada.get('/unlock').expect(200, { user: 'ada', tries });
    }
    expect(await statusOf(ada)).toMatchObject({ state: 'locked' });
  });

  it('can be signed out, by a route and by the endpoint', async () => {
    for (const path of ['/leave', '/idle-session/sign-out']) {
      const { ada, events } = await lockedApp();
      await ada.post(path).expect(204);
      expect(events.at(-1)).toMatchObject({ type: 'ended', reason: 'signed-out' });
      await expectEnded(ada, 'signed-out', '/members');
    }
  });

  it('is refused by middleware behind protect()', async () => {
    const { ada } = await lockedApp(
      {},
      {
        configure: (app) =>
          app.use(
            '/files',
            app.get(IdleSessionService).protect(),
            (_: Request, response: Response) => response.end('private'),
          ),
      },
    );
    expect((await ada.get('/files/a').expect(401)).body.reason).toBe('locked');
  });

  it.each([
    ['get', 'draft-key'],
    ['get', 'sessions'],
    ['delete', 'sessions'],
    ['delete', 'sessions/AAAAAAAAAAAAAAAAAAAAAA'],
  ] as const)('is refused by the endpoint: %s %s', async (method, path) => {
    const ownerOf = ({ session }: Request) => session.user;
    const { ada } = await lockedApp({ ownerOf, sessionsEndpoint: true, unlockUrl: '/unlock' });
    const { body } = await ada[method](`/idle-session/${path}`)
      .expect(401)
      .expect('WWW-Authenticate', 'Session error="locked"');
    expect(body).toMatchObject({ reason: 'locked', unlockUrl: '/unlock' });
  });

  it('is in the list of its person’s sessions, and may be ended from another one', async () => {
    const ownerOf = ({ session }: Request) => session.user;
    const { ada, signedIn, sessions, events } = await lockedApp({ ownerOf });
    await signedIn();
    const listed = await sessions.list('ada');
    expect(listed).toHaveLength(2);
    await sessions.endByRef(listed.at(-1)!.ref);
    expect(events.at(-1)).toMatchObject({ type: 'ended', reason: 'revoked' });
    await expectEnded(ada, 'revoked');
  });

  it('goes unchecked while the storage is away and the options allow it, as others do', async () => {
    const test = await lockedApp({ onStorageError: 'allow' });
    test.app.useLogger(false);
    test.storage.read = () => Promise.reject(new Error('away'));
    await test.ada.get('/page').expect(200);
  });

  it('says the same to each of its requests, with the cookie that it has', async () => {
    const test = await startLocking();
    const cookie = await signInCookie(test);
    test.clock.advance(LOCK);
    for (let request = 0; request < 3; request++) {
      const answer = await test.browser().get('/page').set('Cookie', cookie).expect(401);
      expect(answer.body.reason).toBe('locked');
    }
  });
});
