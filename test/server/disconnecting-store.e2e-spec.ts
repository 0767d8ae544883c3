import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { APP_GUARD } from '@nestjs/core';
import expressSession from 'express-session';
import supertest, { type Response } from 'supertest';
import { RecordingLogger, type LogLine } from '../support/recording-logger.js';
import { aMinuteLater } from '../support/minute-later.js';
import { cookiesOf } from '../support/cookies.js';
import { createTestApp, MINUTE, SignedInGuard, type TestApp } from '../support/test-app.js';

let test: TestApp;
let store: expressSession.MemoryStore;
let log: LogLine[];
let ada: string;
beforeEach(async () => {
  store = new expressSession.MemoryStore();
  const logger = new RecordingLogger();
  log = logger.lines;
  test = await createTestApp({
    options: { loginUrl: '/login', session: { store } as never },
    configure: (app) => app.useLogger(logger),
  });
  await test.app.listen(0, '127.0.0.1');
  ada = cookiesOf(await ask().post('/sign-in').expect(200));
  log.length = 0;
});
afterEach(() => {
  jest.restoreAllMocks();
  return test.app.close();
});

const ask = (app = test.app) => supertest(app.getHttpServer());

function expectUnavailable({ status, type, headers, body }: Response): void {
  expect([status, type]).toEqual([503, 'application/problem+json']);
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  expect(headers).not.toHaveProperty('set-cookie');
  expect(body).not.toHaveProperty('reason');
}

describe('While the session store says that it is disconnected', () => {
  beforeEach(() => {
    store.emit('disconnect');
  });

  it('requests with the cookie are answered 503, and never with a sign-out', async () => {
    const answers = await Promise.all([
      ask().get('/page').set('Cookie', ada),
      ask().get('/page').set('Cookie', `theme=dark; ${ada}; other=1`),
      ask().get('/page').set('Cookie', ada).set('Sec-Fetch-Mode', 'navigate'),
      ask().get('/members').set('Cookie', ada),
      ask().get('/poll').set('Cookie', ada),
      ask().get('/idle-session/status').set('Cookie', ada),
      ask().post('/idle-session/heartbeat').set('Cookie', ada).send({ idleForMs: 0 }),
      ask().post('/idle-session/sign-out').set('Cookie', ada),
    ]);
    answers.forEach(expectUnavailable);
  });

  it('a guard of the app that runs first has no say', async () => {
    const guarded = await createTestApp({
      options: { session: { store } as never },
      metadata: { providers: [{ provide: APP_GUARD, useClass: SignedInGuard }] },
    });
    try {
      store.emit('disconnect');
      expectUnavailable(await ask(guarded.app).get('/page').set('Cookie', ada));
      await ask(guarded.app).get('/page').expect(401);
    } finally {
      await guarded.app.close();
    }
  });

  it('anonymous requests and exempt routes go on', async () => {
    await ask().get('/page').expect(200, { user: null });
    await ask().get('/members').expect(401);
    await ask().get('/exempt').expect(200);
    await ask().get('/exempt').set('Cookie', ada).expect(200, { user: null, status: null });
    const { body } = await ask().get('/idle-session/status').expect(200);
    expect(body.state).toBe('none');
  });

  it('so do anonymous requests with a cookie whose name only ends like ours', async () => {
    await ask().get('/page').set('Cookie', 'visid=1; connect.sid=2').expect(200, { user: null });
  });

  it('the session goes on when the store is connected again', async () => {
    await ask().get('/page').set('Cookie', ada).expect(503);
    test.clock.advance(10 * MINUTE);
    store.emit('connect');
    await ask().get('/page').set('Cookie', ada).expect(200, { user: 'ada' });
    expect(test.events.map(({ type }) => type)).toEqual(['started']);
  });

  it('the session is over afterwards if its time ran out meanwhile', async () => {
    await ask().get('/page').set('Cookie', ada).expect(503);
    test.clock.advance(15 * MINUTE);
    store.emit('connect');
    const { body } = await ask().get('/page').set('Cookie', ada).expect(401);
    expect(body.reason).toBe('idle');
  });

  it('one line is logged when it begins and one when it is over', async () => {
    for (let request = 0; request < 3; request++)
      await ask().get('/page').set('Cookie', ada).expect(503);
    store.emit('connect');
    await ask().get('/page').set('Cookie', ada).expect(200);
    expect(log).toHaveLength(1);
    aMinuteLater();
    await ask().get('/page').set('Cookie', ada).expect(200);
    await ask().get('/page').set('Cookie', ada).expect(200);
    expect(log.map(({ level }) => level)).toEqual(['error', 'log']);
  });
});
