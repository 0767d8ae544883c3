import { describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Duration, IdleSessionPreset } from 'nestjs-idle-session';
import supertest from 'supertest';
import { cookiesOf, sessionIdOf, setCookiesOf, signInCookie } from '../support/cookies.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { HOUR, MINUTE, SECRET, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

/** An app behind a proxy that ends TLS, and a person who is signed in: some presets want a cookie for HTTPS only. */
async function signedIn(options: TestAppOptions['options'], more: TestAppOptions = {}) {
  const test = await start({
    ...more,
    options,
    configure: (app) => (app as NestExpressApplication).set('trust proxy', 1),
  });
  const https = { 'X-Forwarded-Proto': 'https' };
  const response = await supertest(test.app.getHttpServer()).post('/sign-in').set(https);
  const Cookie = cookiesOf(response);
  const get = (path = '/page') =>
    test
      .browser()
      .get(path)
      .set({ ...https, Cookie });
  return { ...test, get, setCookies: setCookiesOf(response) };
}

describe('With a preset, a session', () => {
  it.each<[IdleSessionPreset, number]>([
    ['pci-dss-4', 15 * MINUTE],
    ['nist-aal2', HOUR],
    ['nist-aal3', 15 * MINUTE],
    ['psd2', 5 * MINUTE],
    ['stig-asd', 10 * MINUTE],
  ])('of %s ends without activity at the limit of the clause', async (preset, limitMs) => {
    const { clock, get } = await signedIn({ preset });
    clock.advance(limitMs - 1);
    await get('/poll').expect(200);
    clock.advance(1);
    expect((await get().expect(401)).body).toMatchObject({ reason: 'idle' });
  });

  it.each<[IdleSessionPreset, number, number]>([
    ['nist-aal1', 30 * 24 * HOUR, 24 * HOUR],
    ['nist-aal2', 24 * HOUR, HOUR],
    ['nist-aal3', 12 * HOUR, 15 * MINUTE],
  ])('of %s ends at the overall limit, however active the person is', async (preset, ms, idle) => {
    const { clock, get } = await signedIn({ preset, idleTimeout: idle });
    for (let at = idle / 2; at < ms; at += idle / 2) {
      clock.advance(idle / 2);
      await get().expect(200);
    }
    clock.advance(idle / 2 - 1);
    await get().expect(200);
    clock.advance(1);
    expect((await get().expect(401)).body).toMatchObject({ reason: 'absolute' });
  });

  it.each<IdleSessionPreset>(['nist-aal1', 'nist-aal2', 'nist-aal3', 'stig-asd', 'owasp-asvs-5'])(
    'of %s has a cookie for HTTPS and this host only',
    async (preset) => {
      const { setCookies } = await signedIn({ preset });
      expect(setCookies).toHaveLength(1);
      expect(setCookies[0]).toMatch(/^__Host-app-sid=/);
      expect(setCookies[0]!.split('; ').slice(1).sort()).toEqual([
        'HttpOnly',
        'Path=/',
        'SameSite=Lax',
        'Secure',
      ]);
    },
  );
});

describe('A session', () => {
  it('has an id of 24 random bytes', async () => {
    const test = await start();
    const ids = [await signInCookie(test), await signInCookie(test)].map(sessionIdOf);
    for (const id of ids) {
      expect(id).toMatch(/^[\w-]{32}$/);
      expect(Buffer.from(id, 'base64url')).toHaveLength(24);
    }
    expect(ids[0]).not.toBe(ids[1]);
  });
});

describe('With a preset, an idle timeout that a function returns', () => {
  it('and that is looser than the clause is a 500 that names it, and never a sign-out', async () => {
    let idleTimeout: Duration = '15m';
    const logger = new RecordingLogger();
    const options = { preset: 'pci-dss-4', idleTimeout: () => idleTimeout } as const;
    const { clock, events, get, sessions } = await signedIn(options, { logger });
    expect(sessions.policy().limits[0]).toMatchObject({ value: null, source: 'option' });
    clock.advance(5 * MINUTE);
    idleTimeout = 15 * MINUTE + 1;
    await get().expect(500);
    expect(logger.errors.join('\n')).toContain(
      `Option "idleTimeout" got 900001; it takes at most 15 minutes (more beside a lockAfter of at most 15 minutes) with preset 'pci-dss-4' (PCI DSS 4.0.1, 8.2.8).`,
    );
    idleTimeout = '15m';
    // It was no activity either.
    const { body } = await get('/idle-session/status').expect(200);
    expect(body).toMatchObject({ state: 'active', expiresInMs: 10 * MINUTE });
    expect(events.map(({ type }) => type)).toEqual(['started']);
  });
});

describe('An app whose options are looser than its preset allows', () => {
  it('does not start, and the error names the option, what it got, what it takes and the clause', async () => {
    await expect(start({ options: { preset: 'psd2', idleTimeout: '15m' } })).rejects.toThrow(
      `Option "idleTimeout" got '15m'; it takes at most 5 minutes with preset 'psd2' (Reg. (EU) 2018/389, 4(3)(d)).`,
    );
  });
});

describe('What is in force', () => {
  it.each([undefined, 'pci-dss-4'] as const)('is logged in one line, preset %p', async (preset) => {
    const logger = new RecordingLogger();
    const test = await start({ options: { preset }, logger });
    const { summary } = test.sessions.policy();
    const lines = logger.lines.filter(({ text }) => text.includes(summary));
    expect(lines).toEqual([{ level: 'log', text: `${summary} IdleSessionModule` }]);
  });

  it('is what policy() returns, without a secret', async () => {
    const { sessions } = await start({ options: { preset: 'stig-asd' } });
    const policy = sessions.policy();
    expect(policy).toMatchObject({ preset: 'stig-asd', limits: expect.any(Array) });
    expect(JSON.stringify(policy)).not.toContain(SECRET);
  });
});
