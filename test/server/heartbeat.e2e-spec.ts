import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createTestApp, HOUR, MINUTE, SECOND, type TestApp } from '../support/test-app.js';
import { CROSS_SITE, expectEnded, SAME_SITE, statusOf, type Browser } from '../support/requests.js';

let test: TestApp;
afterEach(() => test.app.close());

const heartbeat = (browser: Browser, idleForMs = 0) =>
  browser.post('/idle-session/heartbeat').send({ idleForMs });

/** The real time between reading and touching goes into the activity's age, up to a second of it. */
const about = (milliseconds: number) => expect.closeTo(milliseconds, -4);

describe('A heartbeat', () => {
  it('is activity, and answers with the status', async () => {
    test = await createTestApp({ options: { loginUrl: '/login' } });
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    const { body } = await heartbeat(ada).expect(200).expect('Cache-Control', 'no-store');
    expect(body).toEqual({
      state: 'active',
      reason: null,
      expiresInMs: 15 * MINUTE,
      locksInMs: null,
      idleTimeoutMs: 15 * MINUTE,
      warnBeforeMs: 2 * MINUTE,
      absoluteExpiresInMs: 12 * HOUR - 14 * MINUTE,
      sessionRef: (await statusOf(ada)).sessionRef,
      loginUrl: '/login',
      unlockUrl: null,
    });
    test.clock.advance(14 * MINUTE);
    await ada.get('/page').expect(200);
  });

  it('moves activity to when the person did something', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    const { body } = await heartbeat(ada, 10 * MINUTE).expect(200);
    expect(body.expiresInMs).toEqual(about(5 * MINUTE));
    expect((await statusOf(ada)).expiresInMs).toEqual(about(5 * MINUTE));
  });

  it.each([14 * MINUTE + SECOND, 15 * MINUTE, 1000 * HOUR, 1e300])(
    'never moves activity back (idleForMs: %d)',
    async (idleForMs) => {
      test = await createTestApp();
      const ada = await test.signedIn();
      test.clock.advance(14 * MINUTE);
      const { body } = await heartbeat(ada, idleForMs).expect(200);
      expect(body).toMatchObject({ state: 'warning', expiresInMs: MINUTE });
    },
  );

  it.each(['1'.padEnd(16, '0'), '9'.repeat(300), '9'.repeat(400)])(
    'asks the storage for no time before its first, however long ago the activity was: %s',
    async (idleForMs) => {
      test = await createTestApp();
      const ada = await test.signedIn();
      const touch = jest.spyOn(test.storage, 'touch');
      const { body } = await ada
        .post('/idle-session/heartbeat')
        .set('Idle-For-Ms', idleForMs)
        .expect(200);
      expect(body.expiresInMs).toBe(15 * MINUTE);
      expect(touch.mock.calls.map(([, , at]) => at)).toEqual([0]);
    },
  );

  it('does not prolong the absolute limit', async () => {
    test = await createTestApp({ options: { absoluteTimeout: '15m' } });
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE);
    const { body } = await heartbeat(ada).expect(200);
    expect(body).toMatchObject({ expiresInMs: 5 * MINUTE, absoluteExpiresInMs: 5 * MINUTE });
    test.clock.advance(5 * MINUTE);
    expect((await heartbeat(ada).expect(401)).body.reason).toBe('absolute');
  });

  it.each([0, 10 * MINUTE])('never revives a session (idleForMs: %d)', async (idleForMs) => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    const { body } = await heartbeat(ada, idleForMs)
      .expect(401)
      .expect('Content-Type', /^application\/problem\+json/);
    expect(body.reason).toBe('idle');
    await expectEnded(ada, 'idle');
  });

  it('of an anonymous request is answered with state none', async () => {
    test = await createTestApp();
    const { body } = await heartbeat(test.browser()).expect(200);
    expect(body).toMatchObject({ state: 'none', expiresInMs: null, sessionRef: null });
  });

  it.each<[string, string, string]>([
    ['no body', 'application/json', ''],
    ['an empty object', 'application/json', '{}'],
    ['null', 'application/json', '{"idleForMs":null}'],
    ['a negative number', 'application/json', '{"idleForMs":-1}'],
    ['a string', 'application/json', '{"idleForMs":"0"}'],
    ['an infinite number', 'application/json', '{"idleForMs":1e999}'],
    ['an array for a number', 'application/json', '{"idleForMs":[0]}'],
    ['true', 'application/json', '{"idleForMs":true}'],
    ['an array', 'application/json', '[{"idleForMs":0}]'],
    ['an unknown key', 'application/json', '{"idleForMs":0,"activeAt":0}'],
    ['broken JSON', 'application/json', '{"idleForMs":'],
    ['text', 'text/plain', '{"idleForMs":0}'],
    ['a form', 'application/x-www-form-urlencoded', 'idleForMs=0'],
  ])('with %s is a 400, and no activity', async (_, type, body) => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    await ada.post('/idle-session/heartbeat').set('Content-Type', type).send(body).expect(400);
    expect((await statusOf(ada)).expiresInMs).toBe(MINUTE);
  });

  it('says what was wrong with it', async () => {
    test = await createTestApp();
    const { body } = await heartbeat(test.browser(), -1).expect(400);
    expect(body.message).toMatch(/"idleForMs" got -1; it takes .*0 or more/);
  });

  it.each(CROSS_SITE)('from another site is a 403, and no activity: %o', async (headers) => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    await heartbeat(ada).set(headers).expect(403);
    expect((await statusOf(ada)).expiresInMs).toBe(MINUTE);
  });

  it.each(SAME_SITE)('from the site itself counts: %o', async (headers) => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    expect((await heartbeat(ada).set(headers).expect(200)).body.expiresInMs).toBe(15 * MINUTE);
  });

  it('that says it is passive is no activity: a header can only withhold', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    const { body } = await heartbeat(ada).set('Idle-Session', 'passive').expect(200);
    expect(body).toMatchObject({ state: 'warning', expiresInMs: MINUTE });
  });

  it('is not there for GET', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    await ada.get('/idle-session/heartbeat').expect(404);
  });
});
