import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { MemoryActivityStorage } from 'nestjs-idle-session';
import { ManualClock } from 'nestjs-idle-session/testing';
import supertest from 'supertest';
import { createApp } from '../../apps/sample/src/create-app.js';
import { readSettings } from '../../apps/sample/src/settings.js';
import { MINUTE } from '../support/durations.js';

const PAGE = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'same-origin', Accept: 'text/html' };
/** Longer than a proof is good for. */
const LONG = 5 * MINUTE + 1;
const EMAIL = '/account/email';
const CONFIRM = '/confirm?reason=confirm&returnTo=%2Faccount%2Femail';

let app: NestExpressApplication;
let clock: ManualClock;
let person: ReturnType<typeof supertest.agent>;

beforeAll(async () => {
  Logger.overrideLogger(false);
  clock = new ManualClock();
  app = await createApp(readSettings({ SESSION_SECRET: 'a secret for the tests' }), {
    storage: new MemoryActivityStorage({ now: clock.now }),
  });
  await app.init();
});

beforeEach(async () => {
  person = supertest.agent(app.getHttpServer()).set(PAGE);
  await signIn();
});

afterAll(() => app?.close());

const post = (path: string, form: object) => person.post(path).type('form').send(form);
const signIn = (form: object = {}) =>
  post('/login', { username: 'demo', password: 'demo', ...form }).expect(303);
const confirm = (password = 'demo') => post(CONFIRM, { password });
const pageText = async () => (await person.get(EMAIL).expect(200)).text;

describe('"E-mail address"', () => {
  it('takes an address from a person who has just signed in, and says so once', async () => {
    await pageText();
    await post(EMAIL, { email: ' new@example.com ' }).expect(303).expect('Location', EMAIL);
    const text = await pageText();
    expect(text).toContain('Your e-mail address is changed.');
    expect(text).toContain('We write to <strong>new@example.com</strong>.');
    expect(await pageText()).not.toContain('is changed');
  });

  it.each(['', 'new', 'a b@example.com', `${'a'.repeat(250)}@example.com`])(
    'refuses %p, and keeps what was typed',
    async (email) => {
      const { text } = await post(EMAIL, { email }).expect(422);
      expect(text).toContain('role="alert"');
      expect(text).toContain(`value="${email}"`);
      expect(text).not.toContain(`<strong>${email}</strong>`);
    },
  );

  it('asks for the password after five minutes, and comes back', async () => {
    clock.advance(5 * MINUTE);
    await pageText();
    clock.advance(1);
    await person.get(EMAIL).expect(303).expect('Location', CONFIRM);
    await person.get(CONFIRM).expect(200);
    await confirm().expect(303).expect('Location', EMAIL);
    await pageText();
  });

  it('keeps what was typed for longer than that, and saves it only when it is sent again', async () => {
    await pageText();
    clock.advance(LONG);
    const typed = '"<b>"@example.com';
    await post(EMAIL, { email: typed }).expect(303).expect('Location', CONFIRM);
    await confirm().expect('Location', EMAIL);
    const text = await pageText();
    expect(text).toContain('value="&quot;&lt;b&gt;&quot;@example.com"');
    expect(text).toContain('Your new address is not saved yet.');
    expect(text).not.toContain('<strong>&quot;');
    await post(EMAIL, { email: typed }).expect(303).expect('Location', EMAIL);
    expect(await pageText()).toContain('<strong>&quot;&lt;b&gt;');
  });

  it('shows what was typed once', async () => {
    clock.advance(LONG);
    await post(EMAIL, { email: 'typed@example.com' }).expect(303);
    await confirm();
    await pageText();
    expect(await pageText()).not.toContain('typed@example.com');
  });

  it('takes no address and keeps none from another site or a stranger', async () => {
    const email = 'evil@example.com';
    const crossSite = () => post(EMAIL, { email }).set('Sec-Fetch-Site', 'cross-site');
    await crossSite().expect(403);
    clock.advance(LONG);
    await crossSite().expect(403);
    await confirm();
    expect(await pageText()).not.toContain(email);

    const stranger = supertest.agent(app.getHttpServer()).set(PAGE);
    const { headers } = await stranger.post(EMAIL).type('form').send({ email }).expect(303);
    expect(headers.location).toBe(CONFIRM);
    expect(headers['set-cookie']).toBeUndefined();
  });
});

describe('The confirm page', () => {
  it('says that the password is wrong and what to do next, keeps the way back, and proves nothing', async () => {
    clock.advance(LONG);
    const { text } = await confirm('demos').expect(401);
    expect(text).toContain('The password is wrong. Check it, then enter it again.');
    expect(text).toContain('returnTo&#x3D;%2Faccount%2Femail"');
    await person.get(EMAIL).expect('Location', CONFIRM);
  });

  it('leads nowhere else than into the desk', async () => {
    await post('/confirm?returnTo=https://evil.example', { password: 'demo' })
      .expect(303)
      .expect('Location', '/');
  });

  it('is not sent from another site', async () => {
    await confirm().set('Sec-Fetch-Site', 'cross-site').expect(403);
  });

  it('is spared a person who signs in on the way to it', async () => {
    const stranger = supertest.agent(app.getHttpServer()).set(PAGE);
    await stranger.get(EMAIL).expect(303).expect('Location', CONFIRM);
    const { headers } = await stranger.get(CONFIRM).expect(303);
    const returnTo = new URL(headers.location!, 'http://desk.example').searchParams.get('returnTo');
    await signIn({ returnTo }).expect('Location', EMAIL);
    await signIn({ returnTo: '/confirm?returnTo=//evil.example' }).expect('Location', '/');
  });

  it('sends a person to sign in whose session ended meanwhile, and from there to where they were', async () => {
    clock.advance(15 * MINUTE);
    const returnTo = `http://desk.example${CONFIRM}`;
    const { headers } = await confirm()
      .set({ Host: 'desk.example', Referer: returnTo })
      .expect(303);
    const login = new URL(headers.location!, 'http://desk.example');
    expect(login.searchParams.get('reason')).toBe('idle');
    await signIn({ returnTo: login.searchParams.get('returnTo') }).expect('Location', EMAIL);
  });
});
