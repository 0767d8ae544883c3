import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryActivityStorage } from 'nestjs-idle-session';
import supertest from 'supertest';
import { cookiesOf, sessionIdOf, setCookiesOf, signInCookie } from '../support/cookies.js';
import { MinimalStore } from '../support/minimal-store.js';
import { createTestApp, MINUTE, SECRET, type TestApp } from '../support/test-app.js';

let test: TestApp;
afterEach(() => test.app.close());

/** A cookie whose session the person signed out of. */
async function deadCookie(): Promise<string> {
  const cookie = await signInCookie(test);
  await test.browser().post('/sign-out').set('Cookie', cookie).expect(204);
  return cookie;
}

const to = () => supertest(test.app.getHttpServer());

describe('Of two cookies of the session’s name', () => {
  it.each<[string, () => string | Promise<string>]>([
    ['garbage', () => 'app-sid=garbage'],
    ['empty', () => 'app-sid='],
    ['one of another secret', () => 'app-sid=s%3Aan-id.c2lnbmF0dXJl'],
    ['one of a session that ended', deadCookie],
  ])('the valid one counts, wherever it stands: beside %s', async (_, stale) => {
    test = await createTestApp();
    const [dead, ada] = [await stale(), await signInCookie(test)];
    for (const cookies of [`${dead}; ${ada}`, `${ada}; ${dead}`, `a=1; ${dead}; b=2; ${ada}`]) {
      await to().get('/members').set('Cookie', cookies).expect(200, { user: 'ada' });
      const { body } = await to().get('/idle-session/status').set('Cookie', cookies).expect(200);
      expect(body.state).toBe('active');
    }
  });

  it('the valid one counts in quotes, too, in which some clients send it', async () => {
    test = await createTestApp();
    const quoted = (await signInCookie(test)).replace(/=(.*)/, '="$1"');
    for (const cookies of [quoted, `app-sid=garbage; ${quoted}`, `${quoted}; app-sid=garbage`])
      await to().get('/members').set('Cookie', cookies).expect(200, { user: 'ada' });
  });

  it('the one of a sign-in counts, so that a stale one does not make people sign in for ever', async () => {
    test = await createTestApp({ options: { loginUrl: '/login' } });
    const dead = await deadCookie();
    const signedIn = await to().post('/sign-in').set('Cookie', dead).expect(200);
    const both = `${dead}; ${cookiesOf(signedIn)}`;
    await to().get('/members').set('Cookie', both).expect(200);
    await to().post('/idle-session/sign-out').set('Cookie', both).expect(204);
    await to().get('/members').set('Cookie', both).expect(401);
  });

  it('few are looked up, however many there are', async () => {
    const store = new MinimalStore();
    const get = jest.spyOn(store, 'get');
    const storage = new MemoryActivityStorage();
    test = await createTestApp({ options: { session: { secret: SECRET, store }, storage } });
    const cookies = Array.from({ length: 60 }, (_, id) => {
      const hmac = createHmac('sha256', SECRET).update(`${id}`).digest('base64').replace(/=+$/, '');
      return `app-sid=${encodeURIComponent(`s:${id}.${hmac}`)}`;
    });
    await to().get('/page').set('Cookie', cookies.join('; ')).expect(200);
    expect(get.mock.calls.length).toBeLessThanOrEqual(6);
  });

  it('a dead one still tells why, if none lives', async () => {
    test = await createTestApp();
    const [one, two] = [await signInCookie(test), await signInCookie(test)];
    test.clock.advance(15 * MINUTE);
    const { body } = await to().get('/page').set('Cookie', `${one}; ${two}`).expect(401);
    expect(body.reason).toBe('idle');
  });

  it('one does not count whose name begins with what a browser does not take for space, as another host may set it', async () => {
    test = await createTestApp();
    const sign = (user: string) => to().post('/sign-in').send({ user }).expect(200);
    const [ada, bob] = [cookiesOf(await sign('ada')), cookiesOf(await sign('bob'))];
    for (const cookies of [
      `\xa0${ada}; ${bob}`,
      `${bob}; \xa0${ada}`,
      `\xa0${ada}; app-sid=x; ${bob}`,
    ])
      await to().get('/members').set('Cookie', cookies).expect(200, { user: 'bob' });
    await to().get('/members').set('Cookie', `\xa0${ada}; \xa0${bob}`).expect(401);
  });

  it('the first counts, if both live', async () => {
    test = await createTestApp();
    const sign = (user: string) => to().post('/sign-in').send({ user }).expect(200);
    const [ada, bob] = [cookiesOf(await sign('ada')), cookiesOf(await sign('bob'))];
    await to().get('/page').set('Cookie', `${ada}; ${bob}`).expect(200, { user: 'ada' });
  });
});

describe('The default name of the cookie', () => {
  const nameWith = async (cookie: object) => {
    test = await createTestApp({
      options: { session: { secret: SECRET, proxy: true, cookie } },
    });
    const answer = await to().post('/sign-in').set('X-Forwarded-Proto', 'https').expect(200);
    const [set] = setCookiesOf(answer);
    return { name: set!.split('=')[0], set: set!, answer };
  };

  it('binds a secure cookie to the host', async () => {
    const { name, set, answer } = await nameWith({ secure: true });
    expect(name).toBe('__Host-app-sid');
    expect(set).toMatch(/; Path=\/; .*Secure/);
    expect(set).not.toMatch(/Domain/);
    expect(sessionIdOf(cookiesOf(answer))).toMatch(/^[\w-]{32}$/);
    await to()
      .get('/members')
      .set({ Cookie: cookiesOf(answer), 'X-Forwarded-Proto': 'https' })
      .expect(200);
  });

  it.each([
    {},
    { secure: 'auto' },
    { secure: true, path: '/sign-in' },
    { secure: true, domain: 'localhost' },
  ])('does without where browsers would not take it: %j', async (cookie) => {
    expect((await nameWith(cookie)).name).toBe('app-sid');
  });
});
