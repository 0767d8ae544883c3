import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import supertest from 'supertest';
import { passes, startQuickStart } from './support/quick-start.js';

const MINUTE = 60_000;
const NAVIGATION = { 'Sec-Fetch-Mode': 'navigate', Accept: 'text/html' };

let app: INestApplication;
beforeAll(async () => {
  app = await startQuickStart();
});
afterAll(() => app.close());

type Browser = ReturnType<typeof supertest.agent>;

const open = (browser: Browser, path: string) => browser.get(path).set(NAVIGATION);

const submit = (browser: Browser, path: string, form: Record<string, string> = {}) =>
  browser.post(path).set(NAVIGATION).type('form').send(form);

async function signedIn(): Promise<Browser> {
  const browser = supertest.agent(app.getHttpServer());
  await submit(browser, '/login', { password: 'demo' }).expect(303).expect('Location', '/account');
  return browser;
}

describe('The quick start', () => {
  it('refuses a stranger by its own guard', async () => {
    const stranger = supertest.agent(app.getHttpServer());
    await open(stranger, '/account').expect(401, { message: 'Unauthorized', statusCode: 401 });
  });

  it('lets a person in who knows the password', async () => {
    const browser = await signedIn();
    const { text } = await open(browser, '/account')
      .expect(200)
      .expect('Cache-Control', 'no-store');
    expect(text).toContain('Hello, demo');
    expect(text).toContain('<script type="module" src="/idle-session/client.js"></script>');
    await browser
      .get('/idle-session/client.js')
      .expect(200)
      .expect('Content-Type', /javascript/);
  });

  it('gives a person a new session id at sign-in', async () => {
    const browser = await signedIn();
    const before = await browser.get('/idle-session/status');
    await submit(browser, '/login', { password: 'demo' }).expect(303);
    const after = await browser.get('/idle-session/status');
    expect(after.body).toMatchObject({ state: 'active' });
    expect(after.body.sessionRef).not.toBe(before.body.sessionRef);
  });

  it.each([{}, { password: 'no' }, { password: ['demo', 'demo'] }])(
    'says that the password is wrong (%j)',
    async (form) => {
      const browser = supertest.agent(app.getHttpServer());
      const { headers } = await submit(browser, '/login', form as Record<string, string>).expect(
        303,
      );
      const { text } = await open(browser, headers.location as string).expect(200);
      expect(text).toContain('The password is wrong.');
      await open(browser, '/account').expect(401);
    },
  );

  it('survives a login without a body', async () => {
    await supertest(app.getHttpServer()).post('/login').expect(303);
  });

  it('keeps a person signed in who is there', async () => {
    const browser = await signedIn();
    for (let i = 0; i < 4; i++) {
      passes(MINUTE - 1000);
      await open(browser, '/account').expect(200);
    }
  });

  it('signs an idle person out, says why, and goes back after signing in again', async () => {
    const browser = await signedIn();
    passes(MINUTE);
    const { headers } = await open(browser, '/account?tab=2')
      .expect(303)
      .expect('Location', '/login?reason=idle&returnTo=%2Faccount%3Ftab%3D2')
      .expect('Set-Cookie', /^app-sid=;/);
    const login = await open(browser, headers.location as string).expect(200);
    expect(login.text).toContain('we signed you out because you were inactive');
    const [, returnTo = ''] = /name="returnTo" value="([^"]*)"/.exec(login.text) ?? [];
    expect(returnTo).toBe('/account?tab=2');
    await submit(browser, '/login', { password: 'demo', returnTo })
      .expect(303)
      .expect('Location', '/account?tab=2');
    await open(browser, '/account').expect(200);
  });

  it('says why on a login page that an idle person opens directly, once', async () => {
    const browser = await signedIn();
    passes(MINUTE);
    const first = await open(browser, '/login').expect(200);
    expect(first.text).toContain('we signed you out because you were inactive');
    expect((await open(browser, '/login').expect(200)).text).toContain('Please sign in.');
  });

  it('tells a script of an idle person why', async () => {
    const browser = await signedIn();
    passes(MINUTE);
    const { body } = await browser.get('/account').expect(401);
    expect(body).toMatchObject({ reason: 'idle', loginUrl: '/login' });
  });

  it('signs out', async () => {
    const browser = await signedIn();
    const { headers } = await submit(browser, '/logout').expect(303);
    expect((await open(browser, headers.location as string)).text).toContain(
      'You have signed out.',
    );
    await open(browser, '/account').expect(401);
  });

  it.each(['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
    'goes to its own account page after signing in, not to %s',
    async (returnTo) => {
      const browser = supertest.agent(app.getHttpServer());
      const query = new URLSearchParams({ returnTo });
      const { text } = await open(browser, `/login?${query}`).expect(200);
      expect(text).toContain('value="/account"');
      await submit(browser, '/login', { password: 'demo', returnTo })
        .expect(303)
        .expect('Location', '/account');
    },
  );

  it.each([
    `/login?reason=${encodeURIComponent('"><script>alert(1)</script>')}`,
    `/login?returnTo=${encodeURIComponent('/"><script>alert(1)</script>')}`,
    '/login?reason=idle&reason=absolute&returnTo=/a&returnTo=/b',
  ])('puts nothing from an address into the page as HTML (%s)', async (path) => {
    const browser = supertest.agent(app.getHttpServer());
    expect((await open(browser, path).expect(200)).text).not.toContain('<script>');
  });
});
