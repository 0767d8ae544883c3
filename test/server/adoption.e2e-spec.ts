import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import expressSession from 'express-session';
import supertest from 'supertest';
import {
  createTestApp,
  HOUR,
  MINUTE,
  SECRET,
  TestController,
  type TestApp,
} from '../support/test-app.js';
import { expectEnded, statusOf } from '../support/requests.js';
import { setCookiesOf } from '../support/cookies.js';

let store: expressSession.MemoryStore;
let before: INestApplication;
let test: TestApp;
/** The cookie of somebody who signed in before the module came. */
let cookie: string;

beforeEach(async () => {
  store = new expressSession.MemoryStore();
  const module = await Test.createTestingModule({ controllers: [TestController] }).compile();
  before = module.createNestApplication();
  before.use(
    expressSession({
      secret: SECRET,
      store,
      name: 'app-sid',
      resave: false,
      saveUninitialized: false,
    }),
  );
  await before.init();
  const response = await supertest(before.getHttpServer()).post('/sign-in').expect(200);
  cookie = setCookiesOf(response)[0]!.split(';')[0]!;
  test = await createTestApp({ options: { session: { secret: SECRET, store } } });
});
afterEach(async () => {
  await before.close();
  await test.app.close();
});

const tab = () => test.browser().set('Cookie', cookie);

describe('A session from before the module', () => {
  it('expires from its first request on', async () => {
    expect((await statusOf(tab())).state).toBe('active');
    await tab().get('/page').expect(200, { user: 'ada' });
    test.clock.advance(15 * MINUTE - 1);
    await tab().get('/page').expect(200, { user: 'ada' });
    test.clock.advance(15 * MINUTE);
    await expectEnded(tab(), 'idle');
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'expired']);
  });

  it('is adopted once, however many requests come first', async () => {
    const pages = Array.from({ length: 5 }, () => tab().get('/page').expect(200, { user: 'ada' }));
    await Promise.all(pages);
    expect(test.events.map(({ type }) => type)).toEqual(['started']);
  });

  it('keeps its data and its cookie', async () => {
    const response = await tab().post('/page').send({ note: 'kept' }).expect(200);
    expect(setCookiesOf(response)).toEqual([]);
    const [stored] = Object.values(
      (store as unknown as { sessions: Record<string, string> }).sessions,
    );
    expect(JSON.parse(stored!)).toMatchObject({ user: 'ada', note: 'kept' });
  });

  it('starts when it is seen, whatever kept its page open', async () => {
    await tab().get('/poll').expect(200);
    test.clock.advance(15 * MINUTE);
    await expectEnded(tab(), 'idle', '/poll');
  });

  it('is not adopted by an exempt route', async () => {
    expect((await tab().get('/exempt').expect(200)).body).toMatchObject({
      user: 'ada',
      status: { state: 'none' },
    });
    expect(test.events).toEqual([]);
  });

  it('is not adopted a second time when its record is lost', async () => {
    await tab().get('/page').expect(200);
    // Long after the record was dropped; the session is still in its store, which goes by the real time.
    test.clock.advance(48 * HOUR);
    await expectEnded(tab(), 'lost');
    await expectEnded(tab(), 'lost');
    expect(test.events.filter(({ type }) => type === 'started')).toHaveLength(1);
  });

  it('that is signed out at its first request is gone', async () => {
    await tab().post('/idle-session/sign-out').expect(204);
    await tab().get('/page').expect(200, { user: null });
    await tab().get('/members').expect(401);
  });
});
