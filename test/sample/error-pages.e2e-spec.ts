import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { MemoryActivityStorage } from 'nestjs-idle-session';
import supertest from 'supertest';
import { Users } from '../../apps/sample/src/auth/users.js';
import { createApp } from '../../apps/sample/src/create-app.js';
import { readSettings } from '../../apps/sample/src/settings.js';

const PAGE = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'same-origin', Accept: 'text/html' };
const NAVIGATION = '<nav aria-label="Main">';
const TRY_AGAIN = '<a class="button" href="">Try again</a>';

let app: NestExpressApplication;
let person: ReturnType<typeof supertest.agent>;
const storage = new MemoryActivityStorage();

beforeAll(async () => {
  Logger.overrideLogger(false);
  app = await createApp(readSettings({ SESSION_SECRET: 'a secret for the tests' }), { storage });
  await app.init();
});
beforeEach(async () => {
  person = supertest.agent(app.getHttpServer()).set(PAGE);
  const form = { username: 'demo', password: 'demo' };
  await person.post('/login').type('form').send(form).expect(303);
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => app?.close());

/** From now on, until the test is over. */
function breakStorage(): void {
  jest.spyOn(storage, 'read').mockRejectedValue(new Error('The storage is down'));
}

function breakUsers(): void {
  jest.spyOn(app.get(Users), 'emailOf').mockImplementation(() => {
    throw new Error('Nobody knows the users');
  });
}

const tooLong = () =>
  person
    .post('/claims/new')
    .type('form')
    .send({ account: 'é'.repeat(99_999) });

describe('An error page', () => {
  it('keeps the navigation, and the name of the person who is signed in', async () => {
    const { text } = await person.get('/nowhere').expect(404);
    expect(text).toContain(NAVIGATION);
    expect(text).toContain('Demo user');
  });

  it('shows no navigation to a person who is not signed in', async () => {
    const stranger = supertest(app.getHttpServer());
    const { text } = await stranger.get('/nowhere').set(PAGE).expect(404);
    expect(text).toContain('Page not found');
    expect(text).not.toContain(NAVIGATION);
  });

  it('keeps the navigation while nobody can check who the person is, and offers to try again', async () => {
    breakStorage();
    const { text, headers } = await person.get('/devices').expect(503);
    expect(text).toContain('Nobody signed you out');
    expect(text).toContain(NAVIGATION);
    expect(text).toContain(TRY_AGAIN);
    expect(headers['retry-after']).toBe('5');
  });

  it('offers to try again also after an error of the app, and says nothing of its cause', async () => {
    breakUsers();
    const { text } = await person.get('/account/email').expect(500);
    expect(text).toContain(NAVIGATION);
    expect(text).toContain(TRY_AGAIN);
    expect(text).not.toContain('Nobody knows the users');
  });

  it.each([
    ['a form that is too long', tooLong, 413, 'shorten what you wrote, and send it again'],
    [
      'an address that nobody can read',
      () => person.post('/devices/%/sign-out'),
      400,
      'start from the overview',
    ],
    ['an address that leads nowhere', () => person.get('/nowhere'), 404, 'start from the overview'],
    [
      'a form of another site',
      () => person.post('/logout').set('Sec-Fetch-Site', 'cross-site'),
      403,
      'start from the overview',
    ],
  ])('says what to do next after %s', async (_cause, send, status, nextStep) => {
    const { text } = await send().expect(status);
    expect(text).toContain(nextStep);
    expect(text).toContain('<a href="/">Go to the overview</a>');
    expect(text).not.toContain(TRY_AGAIN);
  });

  it('is JSON for a script', async () => {
    breakUsers();
    const script = { Accept: 'application/json', 'Sec-Fetch-Mode': 'cors' };
    const { body } = await person.get('/account/email').set(script).expect(500);
    expect(body).toEqual({ statusCode: 500, message: 'Internal server error' });
    await person.get('/nowhere').set(script).expect(404).expect('Content-Type', /json/);
    breakStorage();
    const outage = await person.get('/api/me').set(script).expect(503);
    expect(outage.type).toBe('application/problem+json');
    expect(outage.body.title).toBe('Temporarily unavailable');
  });
});
