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
const DEMO = { username: 'demo', password: 'demo' };

let app: NestExpressApplication;
let clock: ManualClock;
let person: ReturnType<typeof supertest.agent>;

// Hashing its passwords takes longer than the tests.
beforeAll(async () => {
  Logger.overrideLogger(false);
  clock = new ManualClock();
  app = await createApp(readSettings({ SESSION_SECRET: 'a secret for the tests' }), {
    storage: new MemoryActivityStorage({ now: clock.now }),
  });
  await app.init();
});

beforeEach(() => {
  person = supertest.agent(app.getHttpServer()).set(PAGE);
});

afterAll(() => app?.close());

const signIn = (form: object = {}) =>
  person
    .post('/login')
    .type('form')
    .send({ ...DEMO, ...form })
    .expect(303);

describe('Claims desk', () => {
  it('sends an anonymous visitor to the login page and back', async () => {
    await person
      .get('/claims/new')
      .expect(303)
      .expect('Location', '/login?returnTo=%2Fclaims%2Fnew');
    await signIn({ returnTo: '/claims/new' }).expect('Location', '/claims/new');
    const { text } = await person.get('/claims/new').expect(200);
    expect(text).toContain('New claim');
  });

  it('gives a new id at sign-in, and ends the old one', async () => {
    const cookieOf = (response: supertest.Response) => response.headers['set-cookie']?.[0];
    const first = cookieOf(await signIn());
    const second = cookieOf(await signIn());
    expect(first).toEqual(expect.stringMatching(/^app-sid=.*HttpOnly; SameSite=Lax$/));
    expect(second).not.toBe(first);
    await supertest(app.getHttpServer())
      .get('/api/me')
      .set('Cookie', String(first).split(';')[0]!)
      .expect(401);
  });

  it('says of a wrong name or password what to do next, marks no single field, keeps what was typed, and signs nobody in', async () => {
    await person
      .post('/login')
      .type('form')
      .send({ username: 'demo', password: 'demos' })
      .expect(401);
    const { text } = await person
      .post('/login')
      .type('form')
      .send({ username: '<b>demo', password: 'demo', returnTo: '/claims/new' })
      .expect(401);
    expect(text).toContain('role="alert"');
    expect(text).toContain('Check both, then sign in again.');
    expect(text).not.toMatch(/aria-invalid|href="#(username|password)"/);
    expect(text).toContain('value="&lt;b&gt;demo"');
    expect(text).toContain('value="/claims/new"');
    await person.get('/api/me').expect(401);
  });

  it('shows the time left as the server has it', async () => {
    await signIn();
    expect((await person.get('/').expect(200)).text).toContain('15 minutes');
    await person.get('/api/me').expect(200, { id: 'demo', name: 'Demo user' });
  });

  it('does not take polling as activity', async () => {
    await signIn();
    for (let minute = 0; minute < 14; minute++) {
      clock.advance(MINUTE);
      await person.get('/api/notifications').expect(200);
    }
    clock.advance(MINUTE);
    await person.get('/api/notifications').set('Sec-Fetch-Mode', 'cors').expect(401);
  });

  it('says of a session that was lost that it was, and not that the person was inactive', async () => {
    const { text } = await person.get('/login?reason=lost').expect(200);
    expect(text).toContain('Something went wrong on our side');
    expect(text).not.toContain('We do this after');
  });

  it.each(['idle', 'absolute', 'revoked', 'lost', 'signed-out'])(
    'blames nobody for an end that is "%s"',
    async (reason) => {
      const { text } = await person.get(`/login?reason=${reason}`).expect(200);
      const [, notice = ''] = /<section class="notice[^>]*>([^]*?)<\/section>/.exec(text) ?? [];
      expect(notice).toMatch(/<h1.*<p/s);
      expect(notice).not.toMatch(/you (were inactive|did not|have not|failed|forgot)/i);
    },
  );

  it('ends an idle session, says why, and returns to the form', async () => {
    await signIn();
    clock.advance(15 * MINUTE);
    await person
      .get('/claims/new')
      .expect(303)
      .expect('Location', '/login?reason=idle&returnTo=%2Fclaims%2Fnew');
    const { text } = await person.get('/login?reason=idle&returnTo=%2Fclaims%2Fnew').expect(200);
    expect(text).toContain('For your security, we signed you out');
    expect(text).toContain('We do this after 15 minutes without activity');
    await signIn({ returnTo: '/claims/new' }).expect('Location', '/claims/new');
    await person.get('/claims/new').expect(200);
  });

  it('says why on the login page opened directly, once', async () => {
    await signIn();
    clock.advance(15 * MINUTE);
    expect((await person.get('/login')).text).toContain('We do this after 15 minutes');
    expect((await person.get('/login')).text).not.toContain('We do this after');
  });

  it('signs out, and says so', async () => {
    await signIn();
    await person.post('/logout').expect(303).expect('Location', '/login?reason=signed-out');
    await person
      .get('/')
      .expect(303)
      .expect('Location', /^\/login/);
  });

  it('takes a claim, refuses a wrong one, and keeps what was typed', async () => {
    await signIn();
    const claim = {
      kind: 'Water damage',
      date: '2026-01-31',
      place: 'Kitchen',
      account: 'A pipe burst.\n\nTwice.',
    };
    const { text } = await person
      .post('/claims/new')
      .type('form')
      .send({ ...claim, place: '' })
      .expect(422);
    expect(text).toContain('Enter where it happened');
    expect(text).toContain('A pipe burst.\n\nTwice.');
    await person.post('/claims/new').type('form').send(claim).expect(303);
    expect((await person.get('/')).text).toContain('Water damage');
  });

  it('refuses forms that another site sends', async () => {
    await signIn();
    for (const path of ['/login', '/logout', '/claims/new']) {
      await person.post(path).set('Sec-Fetch-Site', 'cross-site').expect(403);
    }
    await person.get('/api/me').expect(200);
  });

  it('loads nothing from elsewhere and runs no inline script', async () => {
    const { headers } = await person.get('/login').expect(200);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
  });

  it('answers health checks without a session', async () => {
    await person.get('/health').expect(200, { status: 'ok' });
  });
});
