import { describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { IdleSessionModuleOptions } from 'nestjs-idle-session';
import { RecordingLogger } from '../support/recording-logger.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

const trustProxy = (app: object) => (app as NestExpressApplication).set('trust proxy', 1);

describe('Behind a proxy that changes Host, on plain http,', () => {
  /** What nginx sends unless it is told otherwise. */
  const FROM_PROXY = { Host: 'localhost:3000', Origin: 'http://desk.example' };

  it('a heartbeat is refused, and one line in the log says what to change', async () => {
    const logger = new RecordingLogger();
    const test = await start({ logger });
    const ada = await test.signedIn();
    const beat = () => ada.post('/idle-session/heartbeat').set('Idle-For-Ms', '0').set(FROM_PROXY);
    for (let count = 0; count < 3; count++) await beat().expect(403);
    expect(logger.warnings).toEqual([
      expect.stringMatching(
        /POST \/idle-session\/heartbeat was refused.*"http:\/\/desk\.example".*"http:\/\/localhost:3000".*X-Forwarded-Host.*trust proxy/,
      ),
    ]);
  });

  it('a heartbeat counts where the proxy says the host and Express trusts it', async () => {
    const test = await start({ configure: trustProxy });
    const ada = await test.signedIn();
    const beat = ada.post('/idle-session/heartbeat').set('Idle-For-Ms', '0').set(FROM_PROXY);
    await beat.set('X-Forwarded-Host', 'desk.example').expect(200);
  });

  it.each([
    ['http', 403],
    ['https', 200],
  ])(
    'a heartbeat of a page over %s is answered %d where the proxy says https',
    async (scheme, status) => {
      const test = await start({ configure: trustProxy });
      const ada = await test.signedIn();
      await ada
        .post('/idle-session/heartbeat')
        .set({ 'Idle-For-Ms': '0', Origin: `${scheme}://desk.example` })
        .set({ 'X-Forwarded-Host': 'desk.example', 'X-Forwarded-Proto': 'https' })
        .expect(status);
    },
  );

  it('X-Forwarded-Host is not believed where Express trusts no proxy', async () => {
    const test = await start();
    const ada = await test.signedIn();
    const beat = ada.post('/idle-session/heartbeat').set('Idle-For-Ms', '0').set(FROM_PROXY);
    await beat.set('X-Forwarded-Host', 'desk.example').expect(403);
  });

  it('a refusal of another site is logged once, too', async () => {
    const logger = new RecordingLogger();
    const test = await start({ logger });
    const beat = () => test.browser().post('/idle-session/heartbeat');
    for (let count = 0; count < 3; count++)
      await beat().set('Sec-Fetch-Site', 'cross-site').expect(403);
    expect(logger.warnings).toEqual([expect.stringContaining('Sec-Fetch-Site: "cross-site"')]);
  });
});

describe('On an https site behind a proxy that Express does not trust', () => {
  const Host = 'desk.example';
  const warningsOf = async (
    headers: Record<string, string>,
    session: Partial<IdleSessionModuleOptions['session']> = {},
    configure?: (app: object) => unknown,
  ) => {
    const logger = new RecordingLogger();
    const test = await start({ logger, options: { session: session as never }, configure });
    for (let count = 0; count < 3; count++)
      await test
        .browser()
        .post('/sign-in')
        .set({ Host, ...headers })
        .expect(200);
    return logger.warnings;
  };

  it.each<[string, Record<string, string>]>([
    ['the proxy', { 'X-Forwarded-Proto': 'https' }],
    ['the first of several proxies', { 'X-Forwarded-Proto': 'https, http' }],
    ['a proxy that writes it large', { 'X-Forwarded-Proto': 'HTTPS' }],
    ['the header of RFC 7239', { Forwarded: 'for="[2001:db8::1]";proto=https' }],
    ['the first of several in it', { Forwarded: 'For=192.0.2.1; Proto="HTTPS", for=b;proto=http' }],
    ['the Origin', { Origin: 'https://desk.example' }],
    ['the Referer', { Referer: 'https://desk.example/login' }],
  ])(
    'one line in the log says that the cookie is not Secure, if %s shows it',
    async (_, headers) => {
      expect(await warningsOf(headers)).toEqual([
        expect.stringMatching(/cookie is sent without Secure.*trust proxy/),
      ]);
    },
  );

  it('the line says that nobody stays signed in, where the cookie has to be Secure', async () => {
    expect(
      await warningsOf({ Origin: 'https://desk.example' }, { cookie: { secure: true } }),
    ).toEqual([expect.stringContaining('nobody stays signed in')]);
  });

  it('nothing is logged where all is well, or https is another site’s', async () => {
    expect(await warningsOf({ Origin: 'http://desk.example' })).toEqual([]);
    expect(await warningsOf({ 'X-Forwarded-Proto': 'http, https' })).toEqual([]);
    expect(await warningsOf({ Forwarded: 'proto=http, proto=https' })).toEqual([]);
    expect(await warningsOf({ Forwarded: 'host="proto=https"' })).toEqual([]);
    expect(await warningsOf({ Referer: 'https://desk.example.evil.example/' })).toEqual([]);
    expect(await warningsOf({ 'X-Forwarded-Proto': 'https' }, {}, trustProxy)).toEqual([]);
    // Of a handshake, some proxies say so.
    const handshake = { Origin: 'https://desk.example', 'X-Forwarded-Proto': 'wss' };
    expect(await warningsOf(handshake, {}, trustProxy)).toEqual([]);
    expect(await warningsOf({ 'X-Forwarded-Proto': 'https' }, { proxy: true })).toEqual([]);
    expect(
      await warningsOf({ 'X-Forwarded-Proto': 'https' }, { cookie: { secure: false } }),
    ).toEqual([]);
  });
});
