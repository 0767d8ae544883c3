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
const UNLOCK = '/unlock?reason=locked&returnTo=%2Fclaims%2Fnew';
const TRIES = 5;

let app: NestExpressApplication;
let clock: ManualClock;
let person: ReturnType<typeof supertest.agent>;

beforeAll(async () => {
  Logger.overrideLogger(false);
  clock = new ManualClock();
  app = await createApp(
    readSettings({ SESSION_SECRET: 'a secret for the tests', LOCK_AFTER: '5m' }),
    {
      storage: new MemoryActivityStorage({ now: clock.now }),
    },
  );
  await app.init();
});
afterAll(() => app?.close());

beforeEach(async () => {
  person = supertest.agent(app.getHttpServer()).set(PAGE);
  await post('/login', { username: 'demo', password: 'demo' }).expect(303);
});

const post = (path: string, form: object = {}) => person.post(path).type('form').send(form);
const unlock = (password = 'demo') => post(UNLOCK, { password });

describe('LOCK_AFTER', () => {
  it('sends the pages of an idle person to unlock, and back with the right password', async () => {
    clock.advance(5 * MINUTE);
    await person.get('/claims/new').expect(303).expect('Location', UNLOCK);
    await unlock().expect(303).expect('Location', '/claims/new');
    await person.get('/claims/new').expect(200);
  });

  it('shows nothing of the person’s on the page that unlocks', async () => {
    clock.advance(5 * MINUTE);
    const { text } = await person.get(UNLOCK).expect(200);
    expect(text).toContain('<h1>Locked</h1>');
    expect(text).not.toMatch(/Demo user|href="\/devices"|idle-session-dialog/);
  });

  it('says that a password is wrong, and stays locked', async () => {
    clock.advance(5 * MINUTE);
    const { text } = await unlock('wrong').expect(422);
    expect(text).toContain('The password is wrong. Check it, then enter it again.');
    await person.get('/api/me').set('Sec-Fetch-Mode', 'cors').expect(401);
    await unlock().expect(303);
  });

  it('signs the person out after five wrong passwords, also of many at once', async () => {
    clock.advance(5 * MINUTE);
    const tried = ['wrong', 'wrong', 'wrong', 'wrong', 'wrong', 'demo'].map((password) =>
      unlock(password).then(({ status, headers }) => `${status} ${headers.location ?? ''}`),
    );
    const answers = await Promise.all(tried);
    expect(answers.filter((answer) => answer.startsWith('422'))).toHaveLength(TRIES);
    expect(answers).toContain('303 /login?reason=revoked');
    await person
      .get('/claims/new')
      .expect(303)
      .expect('Location', /^\/login/);
  });

  it('counts anew after a sign-in', async () => {
    clock.advance(5 * MINUTE);
    for (let tries = 0; tries < TRIES; tries++) await unlock('wrong').expect(422);
    await post('/login', { username: 'demo', password: 'demo' }).expect(303);
    clock.advance(5 * MINUTE);
    await unlock('wrong').expect(422);
    await unlock().expect(303).expect('Location', '/claims/new');
  });

  it('lets a locked person sign out', async () => {
    clock.advance(5 * MINUTE);
    await post('/logout').expect(303).expect('Location', '/login?reason=signed-out');
  });

  it('leaves the page that unlocks where nothing is locked', async () => {
    await person.get(UNLOCK).expect(303).expect('Location', '/claims/new');
  });
});
