import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { UserStore } from '../../libs/idle-session/src/session/user-store.js';
import { ConfirmController } from '../support/confirm-controller.js';
import { cookiesOf, sessionIdOf, setCookiesOf, signInCookie } from '../support/cookies.js';
import { Gate } from '../support/gate.js';
import { statusOf } from '../support/requests.js';
import { HOUR, MINUTE, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();
afterEach(() => void jest.restoreAllMocks());

const startConfirming = (options: TestAppOptions['options'] = {}) =>
  start({ options, metadata: { controllers: [ConfirmController] } });

const as = (test: TestApp, cookie: string) => ({
  get: (path: string) => test.browser().get(path).set('Cookie', cookie),
  post: (path: string) => test.browser().post(path).set('Cookie', cookie),
});

/** A request that waits at a gate, as if its handler checked a password. */
async function confirmSlowly(test: TestApp, cookie: string) {
  const gate = new Gate();
  const answer = as(test, cookie)
    .post(`/confirm?gate=${gate.name}`)
    .then((response) => response);
  await gate.reached;
  return { gate, answer };
}

describe('A confirm', () => {
  it('makes the proof fresh, and gives a new id to the same data', async () => {
    const test = await startConfirming();
    const before = await signInCookie(test);
    await as(test, before).post('/page').send({ note: 'half a claim' }).expect(200);
    test.clock.advance(10 * MINUTE);
    const response = await as(test, before).post('/confirm').expect(200);
    expect(response.body).toEqual({ isConfirmed: true, user: 'ada', note: 'half a claim' });
    const after = cookiesOf(response);
    expect(sessionIdOf(after)).not.toBe(sessionIdOf(before));
    await as(test, after).get('/email').expect(200, { user: 'ada' });
    await as(test, before).get('/members').expect(401);
    await as(test, before).get('/email').expect(401);
  });

  it('lets both limits begin anew', async () => {
    const test = await startConfirming();
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    await ada.post('/confirm').expect(200);
    expect(await statusOf(ada)).toMatchObject({
      expiresInMs: 15 * MINUTE,
      absoluteExpiresInMs: 12 * HOUR,
    });
  });

  it('may be repeated, and the proof grows old again', async () => {
    const test = await startConfirming();
    const ada = await test.signedIn();
    for (let time = 0; time < 3; time++) {
      test.clock.advance(6 * MINUTE);
      await ada.get('/email').expect(401);
      await ada.post('/confirm').expect(200);
      await ada.get('/email').expect(200);
    }
  });

  it('leaves browsers the reference that they know the session by', async () => {
    const test = await startConfirming();
    const ada = await test.signedIn();
    const { sessionRef } = await statusOf(ada);
    await ada.post('/confirm').expect(200);
    await ada.post('/confirm').expect(200);
    expect((await statusOf(ada)).sessionRef).toBe(sessionRef);
    await ada.post('/sign-in').expect(200);
    expect((await statusOf(ada)).sessionRef).not.toBe(sessionRef);
  });

  it('is told to auditors as what it is, and not as a sign-out', async () => {
    const test = await startConfirming({ ownerOf: ({ session }) => session?.user });
    const ada = await test.signedIn();
    test.clock.advance(MINUTE);
    await ada.post('/confirm').expect(200);
    const [before, ended, started] = test.events;
    expect(ended).toMatchObject({
      type: 'ended',
      reason: 'confirmed',
      cause: 'request',
      owner: 'ada',
      sessionRef: before!.sessionRef,
    });
    expect(started).toMatchObject({
      type: 'started',
      owner: 'ada',
      startedAt: test.clock.now(),
      previousRef: before!.sessionRef,
    });
    expect(test.events).toHaveLength(3);
    const none = { idle: 0, absolute: 0, 'signed-out': 0, revoked: 0, lost: 0 };
    expect(await test.sessions.stats()).toMatchObject({ active: 1 });
    expect((await test.sessions.stats()).ended).toEqual(none);
  });

  it('leaves nothing of the old id in the session store', async () => {
    const test = await startConfirming();
    const before = await signInCookie(test);
    const after = cookiesOf(await as(test, before).post('/confirm').expect(200));
    await as(test, before).get('/page').expect(200, { user: null });
    await as(test, after).get('/page').expect(200, { user: 'ada' });
  });

  it("takes the new id from the app's genid", async () => {
    let count = 0;
    const session = { genid: () => `id-${++count}-of-the-app` } as never;
    const test = await startConfirming({ session });
    const before = await signInCookie(test);
    const after = cookiesOf(await as(test, before).post('/confirm').expect(200));
    expect(sessionIdOf(after)).toMatch(/^id-\d+-of-the-app$/);
    await as(test, after).get('/page').expect(200, { user: 'ada' });
  });

  it('is refused without a session, with 401', async () => {
    const test = await startConfirming();
    await test.browser().post('/confirm').expect(401);
    expect(test.events).toEqual([]);
  });
});

describe('A confirm whose session ended while the password was checked', () => {
  it.each<[string, (test: TestApp, cookie: string) => unknown]>([
    ['signed-out', (test, cookie) => as(test, cookie).post('/sign-out').expect(204)],
    ['revoked', (test, cookie) => test.sessions.revoke(sessionIdOf(cookie))],
    ['idle', (test) => test.clock.advance(15 * MINUTE)],
  ])('is refused, and revives nothing: %s', async (reason, end) => {
    const test = await startConfirming();
    const cookie = await signInCookie(test);
    const { gate, answer } = await confirmSlowly(test, cookie);
    await end(test, cookie);
    gate.open();
    const response = await answer;
    expect([response.status, response.body.reason]).toEqual([401, reason]);
    expect(setCookiesOf(response)).toEqual([]);
    await as(test, cookie).get('/members').expect(401);
    expect(await test.storage.count()).toBe(0);
    expect(test.events.map(({ type }) => type)).toEqual([
      'started',
      reason === 'idle' ? 'expired' : 'ended',
    ]);
  });
});

it('A confirm whose session was deleted in the store brings it back under no id', async () => {
  const test = await startConfirming();
  test.app.useLogger(false);
  const cookie = await signInCookie(test);
  const { gate, answer } = await confirmSlowly(test, cookie);
  await test.app.get(UserStore).destroy(sessionIdOf(cookie));
  gate.open();
  const response = await answer;
  expect([response.status, response.body.reason]).toEqual([401, 'revoked']);
  expect(setCookiesOf(response)).toEqual([]);
  expect(await test.storage.count()).toBe(0);
  expect(test.events.at(-1)).toMatchObject({ type: 'ended', reason: 'revoked', cause: 'store' });
});

describe('Two confirms at once', () => {
  it('end in one new session, and the second answer leaves the cookie alone', async () => {
    const test = await startConfirming({ session: { rolling: true } as never });
    const cookie = await signInCookie(test);
    const first = await confirmSlowly(test, cookie);
    const second = await confirmSlowly(test, cookie);
    first.gate.open();
    const won = await first.answer;
    second.gate.open();
    const lost = await second.answer;
    expect(won.body).toMatchObject({ isConfirmed: true, user: 'ada' });
    expect([lost.status, lost.body]).toEqual([200, { isConfirmed: false, user: null }]);
    expect(setCookiesOf(lost)).toEqual([]);
    await as(test, cookiesOf(won)).get('/email').expect(200, { user: 'ada' });
    expect(await test.storage.count()).toBe(1);
  });

  it('have one winner also where both have written their new session', async () => {
    const test = await startConfirming({ session: { rolling: true } as never });
    const cookie = await signInCookie(test);
    const gates = [new Gate(), new Gate()];
    const end = test.storage.end.bind(test.storage);
    let calls = 0;
    jest.spyOn(test.storage, 'end').mockImplementation(async (...given) => {
      await gates[calls++]?.pass();
      return end(...given);
    });
    const answers = [as(test, cookie).post('/confirm'), as(test, cookie).post('/confirm')].map(
      (request) => request.then((response) => response),
    );
    for (const { reached } of gates) await reached;
    for (const { open } of gates) open();
    const responses = await Promise.all(answers);
    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    expect(responses.filter(({ body }) => body.isConfirmed)).toHaveLength(1);
    expect(responses.flatMap(setCookiesOf)).toHaveLength(1);
    expect(await test.storage.count()).toBe(1);
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'ended', 'started']);
  });
});

describe('A request with the old id, at the moment of a confirm', () => {
  it('does not bring the old session back when it saves late', async () => {
    const test = await startConfirming();
    const cookie = await signInCookie(test);
    const late = await confirmSlowly(test, cookie);
    const after = cookiesOf(await as(test, cookie).post('/confirm').expect(200));
    await as(test, cookie).post('/page').send({ note: 'late' }).expect(200);
    late.gate.open();
    await late.answer;
    await as(test, cookie).get('/members').expect(401);
    const { body } = await as(test, after).post('/confirm').expect(200);
    expect(body).toEqual({ isConfirmed: true, user: 'ada' });
  });

  it('is to ask the endpoints again, so that no page is covered before it has the new cookie', async () => {
    const test = await startConfirming();
    const cookie = await signInCookie(test);
    await as(test, cookie).post('/confirm').expect(200);
    const old = as(test, cookie);
    await old.get('/idle-session/status').expect(503).expect('Retry-After', '1');
    await old.post('/idle-session/heartbeat').send({ idleForMs: 0 }).expect(503);
    await old.post('/idle-session/sign-out').expect(503);
  });

  it('is told of the end once the old session would have been idle', async () => {
    const test = await startConfirming();
    const cookie = await signInCookie(test);
    await as(test, cookie).post('/confirm').expect(200);
    test.clock.advance(15 * MINUTE);
    const { body } = await as(test, cookie).get('/idle-session/status').expect(200);
    expect(body).toMatchObject({ state: 'expired', reason: 'signed-out' });
  });
});

describe('A confirm while the storage is away', () => {
  it.each(['start', 'end'] as const)(
    'is answered 503, and leaves the session as it was: %s fails',
    async (operation) => {
      const test = await startConfirming({ onStorageError: 'allow' });
      test.app.useLogger(false);
      const cookie = await signInCookie(test);
      const failing = jest
        .spyOn(test.storage, operation as 'end')
        .mockRejectedValue(new Error('away'));
      const response = await as(test, cookie).post('/confirm').expect(503);
      expect(setCookiesOf(response)).toEqual([]);
      failing.mockRestore();
      await as(test, cookie).get('/members').expect(200, { user: 'ada' });
      await as(test, cookie).post('/confirm').expect(200);
      expect(test.events.map(({ type }) => type)).toEqual(['started', 'ended', 'started']);
    },
  );

  it('brings back no session whose time was up when the storage came back', async () => {
    const test = await startConfirming({ onStorageError: 'allow' });
    test.app.useLogger(false);
    const cookie = await signInCookie(test);
    const read = jest.spyOn(test.storage, 'read').mockRejectedValue(new Error('away'));
    const { gate, answer } = await confirmSlowly(test, cookie);
    test.clock.advance(15 * MINUTE);
    read.mockRestore();
    gate.open();
    const { status, body } = await answer;
    expect([status, body.reason]).toEqual([401, 'idle']);
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'expired']);
  });

  it('is answered 503 when the session store takes nothing, and leaves no record behind', async () => {
    const test = await startConfirming();
    test.app.useLogger(false);
    const cookie = await signInCookie(test);
    const { store } = test.app.get(UserStore);
    jest
      .spyOn(store, 'set')
      .mockImplementationOnce((_, __, done) => done?.(new Error('full')) as undefined);
    await as(test, cookie).post('/confirm').expect(503);
    await as(test, cookie).get('/members').expect(200);
    expect(await test.storage.count()).toBe(1);
  });
});

it('A confirm after the answer has begun fails, and changes nothing', async () => {
  const test = await startConfirming();
  const cookie = await signInCookie(test);
  const { text } = await as(test, cookie).post('/confirm-late').expect(200);
  expect(text).toMatch(/call it for an HTTP request, before its answer begins/);
  await as(test, cookie).get('/members').expect(200);
});

it('A confirm whose new id is in use, by the app’s own genid, leaves all sessions as they are', async () => {
  const ids = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(32));
  const next = () => ids.shift() ?? 'd'.repeat(32);
  const test = await startConfirming({ session: { genid: next } as never });
  const ada = await test.signedIn();
  const bob = await test.signedIn({ user: 'bob' });
  for (const person of [ada, bob]) await person.post('/confirm').expect(503);
  await ada.get('/members').expect(200, { user: 'ada' });
  await bob.get('/members').expect(200, { user: 'bob' });
  expect(test.events.map(({ type }) => type)).toEqual(['started', 'started']);
});
