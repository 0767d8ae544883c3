import { Controller, Post, Req, Res } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import type { IdleSessionModuleOptions } from 'nestjs-idle-session';
import supertest from 'supertest';
import {
  createTestApp,
  HOUR,
  MINUTE,
  SECRET,
  type TestApp,
  type TestAppOptions,
} from '../support/test-app.js';
import { NAVIGATION, statusOf } from '../support/requests.js';
import { setCookiesOf, signInCookie } from '../support/cookies.js';

let test: TestApp;
afterEach(() => test.app.close());

type SessionOptions = Partial<IdleSessionModuleOptions['session']>;

const withSession = (session: SessionOptions, more: TestAppOptions = {}) =>
  createTestApp({
    ...more,
    options: { session: { secret: SECRET, ...session }, loginUrl: '/login' },
  });

const HTTPS = { 'X-Forwarded-Proto': 'https' };

async function signIn(headers: Record<string, string> = {}): Promise<string[]> {
  const response = await supertest(test.app.getHttpServer()).post('/sign-in').set(headers);
  return setCookiesOf(response);
}

/** Everything of a `Set-Cookie` header but its value, sorted. */
const attributes = (header: string) => header.split('; ').slice(1).sort();

describe('The session cookie', () => {
  it('is safe by default, and ends with the browser', async () => {
    test = await createTestApp();
    const cookies = await signIn();
    expect(cookies).toHaveLength(1);
    expect(cookies[0]).toMatch(/^app-sid=s%3A/);
    expect(attributes(cookies[0]!)).toEqual(['HttpOnly', 'Path=/', 'SameSite=Lax']);
  });

  it('is sent once: what is written to the session later does not send it again', async () => {
    @Controller()
    class StreamController {
      @Post('streamed')
      write(@Req() request: Request, @Res() response: Response) {
        request.session.note = 'before the headers are sent';
        response.write('first');
        response.end('last');
      }
    }
    test = await createTestApp({ metadata: { controllers: [StreamController] } });
    const ada = await test.signedIn();
    for (const request of [ada.get('/page'), ada.post('/page'), ada.post('/streamed')]) {
      const response = await request.expect(({ ok }) => expect(ok).toBe(true));
      expect(setCookiesOf(response)).toEqual([]);
    }
  });

  it('is what the user says', async () => {
    test = await withSession({
      name: 'desk',
      cookie: { path: '/', domain: '127.0.0.1', httpOnly: false, sameSite: 'strict' },
    });
    const [cookie] = await signIn();
    expect(cookie).toMatch(/^desk=s%3A/);
    expect(attributes(cookie!)).toEqual(['Domain=127.0.0.1', 'Path=/', 'SameSite=Strict']);
  });

  it.each<[string, SessionOptions, TestAppOptions]>([
    ['session.proxy', { proxy: true }, {}],
    [
      "Express's trust proxy",
      {},
      { configure: (app) => (app as NestExpressApplication).set('trust proxy', 1) },
    ],
  ])('is Secure over https, as %s says', async (_, session, more) => {
    test = await withSession(session, more);
    expect(attributes((await signIn(HTTPS))[0]!)).toContain('Secure');
    expect(attributes((await signIn())[0]!)).not.toContain('Secure');
  });

  it('is not Secure, not even over https, where the user wants that', async () => {
    test = await withSession({ proxy: true, cookie: { secure: false } });
    expect(attributes((await signIn(HTTPS))[0]!)).not.toContain('Secure');
  });

  it('is not Secure for who only claims https', async () => {
    test = await createTestApp();
    expect(attributes((await signIn(HTTPS))[0]!)).not.toContain('Secure');
  });

  it('never carries the date until which the store keeps the session', async () => {
    test = await withSession({ rolling: true });
    const ada = await test.signedIn();
    for (const request of [ada.get('/page'), ada.post('/page'), ada.post('/sign-in')]) {
      const [cookie] = setCookiesOf(await request.expect(200));
      expect(attributes(cookie!)).toEqual(['HttpOnly', 'Path=/', 'SameSite=Lax']);
    }
  });

  it('outlives the browser where that is meant, and the server still decides', async () => {
    const cookieOptions = { maxAge: 24 * HOUR };
    test = await withSession({ persistentCookie: true, rolling: true, cookie: cookieOptions });
    const ada = test.browser();
    const [cookie] = setCookiesOf(await ada.post('/sign-in').expect(200));
    const expires = Date.parse(/Expires=([^;]+)/.exec(cookie!)![1]!);
    expect(expires - Date.now()).toBeGreaterThan(23 * HOUR);
    expect(expires - Date.now()).toBeLessThanOrEqual(24 * HOUR);
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401);
  });

  it('stays in the browser of a person who is active: its date moves with each answer', async () => {
    const cookieOptions = { maxAge: 20 * MINUTE };
    test = await withSession({ persistentCookie: true, rolling: true, cookie: cookieOptions });
    const ada = await test.signedIn();
    for (let visit = 0; visit < 3; visit++) {
      const [cookie] = setCookiesOf(await ada.get('/page').expect(200, { user: 'ada' }));
      const expires = Date.parse(/Expires=([^;]+)/.exec(cookie!)![1]!);
      expect(expires - Date.now()).toBeGreaterThan(19 * MINUTE);
    }
  });

  it.each<[string, SessionOptions, Record<string, string>]>([
    ['its defaults', {}, {}],
    [
      'its name, path and domain',
      { name: 'desk', cookie: { path: '/page', domain: '127.0.0.1' } },
      {},
    ],
    ['its Secure over https', { proxy: true }, HTTPS],
    [
      'SameSite and Partitioned',
      { proxy: true, cookie: { sameSite: 'none', partitioned: true } },
      HTTPS,
    ],
    ['its Expires', { persistentCookie: true, rolling: true, cookie: { maxAge: HOUR } }, {}],
  ])('is cleared with what it was set with: %s', async (_, session, headers) => {
    test = await withSession(session);
    const to = supertest(test.app.getHttpServer());
    // Below the path of the cookie, in case it has one.
    const set = setCookiesOf(await to.post('/page').set(headers).expect(200))[0]!;
    test.clock.advance(15 * MINUTE);
    const response = await to
      .get('/page')
      .set({ ...NAVIGATION, ...headers, Cookie: set.split(';')[0]! })
      .expect(303);
    expect(setCookiesOf(response)).toHaveLength(1);
    const cleared = setCookiesOf(response)[0]!;
    const name = set.split('=')[0]!;
    expect(cleared).toMatch(new RegExp(`^${name}=;`));
    const withoutDate = (header: string) =>
      attributes(header).filter((attribute) => !/^(Expires|Max-Age)=/.test(attribute));
    expect(withoutDate(cleared)).toEqual(withoutDate(set));
    expect(cleared).toMatch(/Expires=Thu, 01 Jan 1970/);
  });
});

describe('A cookie that names no session', () => {
  it.each<[string, (valid: string) => string]>([
    ['with a forged signature', (valid) => `${valid.slice(0, -4)}AAAA`],
    ['with another id under the signature', (valid) => valid.replace(/s%3A..../, 's%3AAAAA')],
    ['without a signature', () => 'app-sid=0123456789abcdef0123456789abcdef'],
    ['that is empty', () => 'app-sid='],
    ['of a signature alone', () => 'app-sid=s%3A.'],
    ['of broken percent signs', () => 'app-sid=%E0%A4%A'],
    ['of bytes', () => 'app-sid=\u00ff\u00fe\u0080'],
    ['of 8 kB', () => `app-sid=s%3A${'a'.repeat(8192)}.b`],
    ['that comes twice', () => 'app-sid=first; app-sid=second'],
    ['of a prototype', () => '__proto__=app-sid; app-sid=__proto__'],
  ])('makes the request anonymous: one %s', async (_, tamper) => {
    test = await createTestApp();
    const cookie = tamper(await signInCookie(test));
    const to = supertest(test.app.getHttpServer());
    await to.get('/page').set('Cookie', cookie).expect(200, { user: null });
    await to.get('/members').set('Cookie', cookie).expect(401);
    expect((await to.get('/idle-session/status').set('Cookie', cookie)).body.state).toBe('none');
    await to.post('/idle-session/sign-out').set('Cookie', cookie).expect(204);
    expect(test.events.map(({ type }) => type)).toEqual(['started']);
  });

  it('makes the request anonymous: one that is signed, of a session that is not known here', async () => {
    const elsewhere = await createTestApp();
    const cookie = await signInCookie(elsewhere);
    await elsewhere.app.close();
    test = await createTestApp();
    const visitor = test.browser().set('Cookie', cookie);
    await visitor.get('/page').expect(200, { user: null });
    expect((await statusOf(visitor)).state).toBe('none');
    expect(test.storage.size).toBe(0);
  });
});
