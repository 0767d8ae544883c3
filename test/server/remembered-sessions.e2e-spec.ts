import { describe, expect, it, jest } from '@jest/globals';
import { Controller, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import expressSession from 'express-session';
import { SkipIdleSession, type IdleSessionSessionOptions } from 'nestjs-idle-session';
import { ConfirmController } from '../support/confirm-controller.js';
import { cookiesOf, sessionIdOf, setCookiesOf } from '../support/cookies.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { HOUR, MINUTE, SECRET } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();
const DAYS = 24 * HOUR;

@Controller('remember')
class RememberController {
  @Post()
  @HttpCode(200)
  remember(@Req() request: Request, @Query('for') milliseconds: string) {
    request.session.user = 'ada';
    request.session.cookie.maxAge = Number(milliseconds);
    return {};
  }

  @Post('clear')
  @SkipIdleSession()
  @HttpCode(204)
  clear(@Res({ passthrough: true }) response: Response) {
    response.cookie('theme', 'dark').clearCookie('app-sid');
  }
}

async function startRemembering(session: Partial<IdleSessionSessionOptions>, idleTimeout = '15m') {
  const logger = new RecordingLogger();
  const store = new expressSession.MemoryStore();
  const test = await start({
    options: {
      idleTimeout,
      absoluteTimeout: false,
      session: { secret: SECRET, store, ...session },
    },
    metadata: { controllers: [RememberController, ConfirmController] },
    configure: (app) => app.useLogger(logger),
  });
  const warnings = () => logger.warnings.filter((text) => text.includes('maxAge'));
  return { ...test, store, warnings };
}

const REMEMBERING = { persistentCookie: 'per-session', rolling: true } as const;

const leftInMs = (cookie: string) =>
  Date.parse(/Expires=([^;]+)/.exec(cookie)?.[1] ?? '') - Date.now();

describe("With persistentCookie: 'per-session'", () => {
  it('a session whose cookie the app dates outlives the browser, and the others do not', async () => {
    const { browser, signedIn, warnings } = await startRemembering(REMEMBERING);
    const ada = browser();
    const [cookie] = setCookiesOf(await ada.post(`/remember?for=${30 * DAYS}`).expect(200));
    expect(leftInMs(cookie!)).toBeGreaterThan(29 * DAYS);
    const [other] = setCookiesOf(await (await signedIn()).get('/page').expect(200));
    expect(other).not.toContain('Expires');
    expect(warnings()).toEqual([]);
  });

  it('the date moves with each answer, so that browsers keep the cookie of people who are active', async () => {
    const { browser } = await startRemembering(REMEMBERING);
    const ada = browser();
    await ada.post(`/remember?for=${20 * MINUTE}`).expect(200);
    const [cookie] = setCookiesOf(await ada.get('/page').expect(200, { user: 'ada' }));
    expect(leftInMs(cookie!)).toBeGreaterThan(19 * MINUTE);
  });

  it('the server ends the session all the same, however long the browser keeps the cookie', async () => {
    const { browser, clock } = await startRemembering(REMEMBERING);
    const ada = browser();
    await ada.post(`/remember?for=${30 * DAYS}`).expect(200);
    clock.advance(15 * MINUTE);
    expect((await ada.get('/page').expect(401)).body.reason).toBe('idle');
  });

  it('a date that is sooner than the idle timeout does not shorten what the store keeps', async () => {
    const { browser, store } = await startRemembering(REMEMBERING, '8h');
    const response = await browser().post(`/remember?for=${MINUTE}`).expect(200);
    const { sessions } = store as unknown as { sessions: Record<string, string> };
    const row = JSON.parse(sessions[sessionIdOf(cookiesOf(response))]!);
    expect(Date.parse(row.cookie.expires) - Date.now()).toBeGreaterThan(8 * HOUR);
  });

  it('a confirm leaves the cookie its date', async () => {
    const { browser } = await startRemembering(REMEMBERING);
    const ada = browser();
    await ada.post(`/remember?for=${30 * DAYS}`).expect(200);
    const [cookie] = setCookiesOf(await ada.post('/confirm').expect(200));
    expect(leftInMs(cookie!)).toBeGreaterThan(29 * DAYS);
    const [next] = setCookiesOf(await ada.get('/page').expect(200, { user: 'ada' }));
    expect(leftInMs(next!)).toBeGreaterThan(29 * DAYS);
  });
});

describe('While the session store does not answer', () => {
  const startAway = async (session: Partial<IdleSessionSessionOptions>) => {
    const { browser, store } = await startRemembering(session);
    const ada = browser();
    await ada.post(`/remember?for=${30 * DAYS}`).expect(200);
    const away = jest
      .spyOn(store, 'get')
      .mockImplementation((_, done) => done(new Error('away on purpose')));
    return { ada, back: () => away.mockRestore() };
  };

  it.each<Partial<IdleSessionSessionOptions>>([
    REMEMBERING,
    { persistentCookie: true, rolling: true, cookie: { maxAge: DAYS } },
  ])('no answer changes how long the browser keeps the cookie: %j', async (session) => {
    const { ada, back } = await startAway(session);
    for (const [path, status] of [
      ['/page', 503],
      ['/exempt', 200],
      ['/idle-session/status', 503],
    ] as const)
      expect(setCookiesOf(await ada.get(path).expect(status))).toEqual([]);
    back();
    const [cookie] = setCookiesOf(await ada.get('/page').expect(200, { user: 'ada' }));
    expect(leftInMs(cookie!)).toBeGreaterThan(29 * DAYS);
  });

  it('cookies that the app sets or clears itself are sent all the same', async () => {
    const { ada } = await startAway(REMEMBERING);
    const cookies = setCookiesOf(await ada.post('/remember/clear').expect(204));
    expect(cookies).toEqual([
      expect.stringMatching(/^theme=dark;/),
      expect.stringMatching(/^app-sid=; .*Expires=Thu, 01 Jan 1970/),
    ]);
  });

  it('a person who signs in gets the cookie of the new session', async () => {
    const { ada, back } = await startAway(REMEMBERING);
    expect(setCookiesOf(await ada.post('/sign-in').send({ user: 'bob' }).expect(200))).toHaveLength(
      1,
    );
    back();
    await ada.get('/page').expect(200, { user: 'bob' });
  });
});

describe('A maxAge that the app gives to a session', () => {
  it.each([{}, { persistentCookie: true }])(
    'is logged once where the options do not say that it is meant, and moves: %j',
    async (session) => {
      const { browser, warnings } = await startRemembering(session);
      for (let time = 0; time < 2; time++)
        await browser()
          .post(`/remember?for=${30 * DAYS}`)
          .expect(200);
      expect(warnings()).toHaveLength(1);
      expect(warnings()[0]).toContain("persistentCookie: 'per-session'");
    },
  );

  it('is not logged where the options say that each session outlives the browser', async () => {
    const { browser, warnings } = await startRemembering({
      persistentCookie: true,
      rolling: true,
      cookie: { maxAge: DAYS },
    });
    await browser()
      .post(`/remember?for=${30 * DAYS}`)
      .expect(200);
    expect(warnings()).toEqual([]);
  });
});
