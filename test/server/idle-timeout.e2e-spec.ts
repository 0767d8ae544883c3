import { Controller, Get } from '@nestjs/common';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { serverTiming } from '../support/server-timing.js';
import { createTestApp, MINUTE, SECOND, type TestApp } from '../support/test-app.js';

let test: TestApp;
afterEach(() => test.app.close());

describe('The idle timeout', () => {
  it('slides: each request gives the whole timeout again', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    for (let i = 0; i < 10; i++) {
      test.clock.advance(14 * MINUTE);
      await ada.get('/page').expect(200, { user: 'ada' });
    }
    test.clock.advance(15 * MINUTE - 1);
    await ada.get('/page').expect(200);
  });

  it('is over at the limit, not after it', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    const { body } = await ada
      .get('/page')
      .expect(401)
      .expect('Content-Type', /^application\/problem\+json/);
    expect(body).toEqual({
      type: expect.any(String),
      title: expect.any(String),
      status: 401,
      detail: 'For your security, we signed you out because you were inactive.',
      reason: 'idle',
      loginUrl: null,
    });
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'expired']);
  });

  it('is in a Server-Timing header on every response of a live session', async () => {
    test = await createTestApp();
    await test
      .browser()
      .get('/exempt')
      .expect((response) => expect(response.headers['server-timing']).toBeUndefined());
    const ada = await test.signedIn();
    await ada.get('/page').expect('Server-Timing', serverTiming('active', 900_000));
    test.clock.advance(13 * MINUTE);
    await ada.get('/poll').expect('Server-Timing', serverTiming('warning', 120_000));
    test.clock.advance(10 * SECOND);
    await ada
      .get('/nowhere')
      .expect(404)
      .expect('Server-Timing', serverTiming('warning', 110_000, ', http-status;dur=404'));
  });

  it('tells in Server-Timing of a 401 that it has passed, and not of other answers', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    const EXPIRED = 'idle-session;desc=expired;dur=0';
    await ada.get('/page').expect(401).expect('Server-Timing', EXPIRED);
    await ada
      .post('/idle-session/heartbeat')
      .send({ idleForMs: 0 })
      .expect(401)
      .expect('Server-Timing', EXPIRED);
    for (const path of ['/idle-session/status', '/exempt'])
      await ada
        .get(path)
        .expect(200)
        .expect((response) => expect(response.headers['server-timing']).toBeUndefined());
  });

  it('is in Server-Timing as it is when a slow handler is done', async () => {
    @Controller()
    class SlowController {
      @Get('slow')
      slow() {
        const now = performance.now.bind(performance);
        jest.spyOn(performance, 'now').mockImplementation(() => now() + 30_500);
        test.clock.advance(30_500);
        return {};
      }
    }
    test = await createTestApp({ metadata: { controllers: [SlowController] } });
    const ada = await test.signedIn();
    try {
      // To the second, since that is what a handler's own time is told in.
      await ada.get('/slow').expect('Server-Timing', /;desc=active;dur=(86\d{4}|870000)$/);
    } finally {
      jest.restoreAllMocks();
    }
  });

  it('status never refreshes', async () => {
    test = await createTestApp({ options: { loginUrl: '/login' } });
    const ada = await test.signedIn();
    test.clock.advance(5 * MINUTE);
    const { body } = await ada
      .get('/idle-session/status')
      .expect(200)
      .expect('Cache-Control', 'no-store');
    expect(body).toEqual({
      state: 'active',
      reason: null,
      expiresInMs: 10 * MINUTE,
      locksInMs: null,
      idleTimeoutMs: 15 * MINUTE,
      warnBeforeMs: 2 * MINUTE,
      absoluteExpiresInMs: 12 * 60 * MINUTE - 5 * MINUTE,
      sessionRef: expect.stringMatching(/^[\w-]{22}$/),
      loginUrl: '/login',
      unlockUrl: null,
    });
    test.clock.advance(10 * MINUTE);
    expect((await ada.get('/idle-session/status').expect(200)).body).toMatchObject({
      state: 'expired',
      reason: 'idle',
      expiresInMs: 0,
    });
  });
});

describe('Without a warning', () => {
  it('a session is active to its last millisecond, and its status names no warning', async () => {
    test = await createTestApp({ options: { warnBefore: false } });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE - 1);
    expect((await ada.get('/idle-session/status').expect(200)).body).toMatchObject({
      state: 'active',
      expiresInMs: 1,
      warnBeforeMs: null,
    });
  });
});

describe('Signing in', () => {
  it('is answered with the Server-Timing of the new session', async () => {
    test = await createTestApp();
    await test
      .browser()
      .post('/sign-in')
      .expect(200)
      .expect('Server-Timing', serverTiming('active', 900_000));
  });
});
