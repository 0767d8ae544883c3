import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { RecordingLogger } from '../support/recording-logger.js';
import { expectEnded, statusOf } from '../support/requests.js';
import { join, open, signIn, socketApps } from '../support/socket-app.js';
import { MINUTE, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

const Origin = 'https://app.example.com';
const ownerOf = ({ session }: Request) => session.user;

const appWith = ({ options, ...more }: TestAppOptions = {}) =>
  start({ ...more, options: { origins: [Origin], ownerOf, sessionsEndpoint: true, ...options } });

const Host = 'api.example.com';

/** What browsers send with a request of a page of the listed origin: without `Sec-Fetch-Site` on plain http. */
const LISTED: Record<string, string>[] = [
  { Host, Origin },
  { Host, Origin, 'Sec-Fetch-Site': 'same-site' },
];

const UNLISTED: Record<string, string>[] = [
  { Host, Origin: 'https://blog.example.com' },
  { Host, Origin: 'https://blog.example.com', 'Sec-Fetch-Site': 'same-site' },
  { Host, Origin: 'https://app.example.com.evil.example', 'Sec-Fetch-Site': 'cross-site' },
  { Host, Origin: 'http://app.example.com' },
  { Host, Origin: 'https://app.example.com:8443' },
  { Host, Origin: 'null' },
  { Host, 'Sec-Fetch-Site': 'same-site' },
  // Listed, and yet of another site, says the browser.
  { Host, Origin, 'Sec-Fetch-Site': 'cross-site' },
];

const CHANGES: ['post' | 'delete' | 'get', string][] = [
  ['post', 'heartbeat'],
  ['post', 'sign-out'],
  ['get', 'draft-key'],
  ['get', 'sessions'],
  ['delete', 'sessions'],
  ['delete', 'sessions/unknown'],
];

describe.each(LISTED)('A request of a listed origin: %j', (headers) => {
  it('is a heartbeat, and activity', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE);
    await ada.post('/idle-session/heartbeat').set(headers).set('Idle-For-Ms', '0').expect(200);
    expect(await statusOf(ada)).toMatchObject({ expiresInMs: 15 * MINUTE });
  });

  it('signs out', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    await ada.post('/idle-session/sign-out').set(headers).expect(204);
    expect(test.events.at(-1)).toMatchObject({ type: 'ended', reason: 'signed-out' });
  });

  it('gets the draft key, and sees and ends sessions', async () => {
    const test = await appWith();
    const [ada, other] = [await test.signedIn(), await test.signedIn()];
    test.clock.advance(MINUTE);
    await ada.get('/idle-session/draft-key').set(headers).expect(200);
    const { body } = await ada.get('/idle-session/sessions').set(headers).expect(200);
    expect(body).toHaveLength(2);
    expect(await statusOf(ada)).toMatchObject({ expiresInMs: 14 * MINUTE });
    await ada.delete('/idle-session/sessions').set(headers).expect(200, { ended: 1 });
    expect(await statusOf(ada)).toMatchObject({ expiresInMs: 15 * MINUTE });
    await expectEnded(other, 'revoked');
  });

  it('is activity on the routes of the app, unless it says that nobody asked', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE);
    await ada.get('/page').set(headers).set('Idle-Session', 'passive').expect(200);
    expect(await statusOf(ada)).toMatchObject({ expiresInMs: 5 * MINUTE });
    await ada.get('/page').set(headers).expect(200);
    expect(await statusOf(ada)).toMatchObject({ expiresInMs: 15 * MINUTE });
  });
});

describe.each(UNLISTED)('A request of any other origin: %j', (headers) => {
  it.each(CHANGES)('is refused: %s %s', async (method, endpoint) => {
    const test = await appWith();
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE);
    await ada[method](`/idle-session/${endpoint}`).set(headers).set('Idle-For-Ms', '0').expect(403);
    expect(await statusOf(ada)).toMatchObject({ state: 'active', expiresInMs: 5 * MINUTE });
  });
});

it('The log says which option to use, once', async () => {
  const logger = new RecordingLogger();
  const test = await appWith({ logger });
  const ada = await test.signedIn();
  const beat = () => ada.post('/idle-session/heartbeat').set('Idle-For-Ms', '0');
  for (const headers of [UNLISTED[1]!, UNLISTED[1]!, UNLISTED[0]!])
    await beat().set(headers).expect(403);
  expect(logger.warnings).toEqual([
    expect.stringMatching(/Origin: "https:\/\/blog\.example\.com".*option "origins"/),
    expect.stringMatching(/its Origin is "https:\/\/blog\.example\.com".*option "origins"/),
  ]);
});

it('The log says of a listed origin that the browser takes it for another site', async () => {
  const logger = new RecordingLogger();
  const test = await appWith({ logger });
  const headers = { Host, Origin, 'Sec-Fetch-Site': 'cross-site' };
  const browser = test.browser();
  for (let times = 0; times < 2; times += 1)
    await browser.post('/idle-session/sign-out').set(headers).expect(403);
  expect(logger.warnings).toEqual([
    expect.stringMatching(
      /lists "https:\/\/app\.example\.com", .* of another site than "api\.example\.com".*one registrable domain/,
    ),
  ]);
});

describe('A WebSocket', () => {
  const startSockets = socketApps();

  it('of a listed origin is let in, and that of an unlisted one is not', async () => {
    const logger = new RecordingLogger();
    const test = await startSockets({ options: { origins: [Origin] }, logger });
    const { Cookie } = await signIn(test);
    await join(test, { Host, Origin, Cookie });
    for (const headers of [UNLISTED[0]!, UNLISTED.at(-1)!]) {
      const refused = await open(test, { ...headers, Cookie });
      expect(await refused.closed).toEqual({ code: 1008, reason: 'other-origin' });
    }
    expect(logger.warnings).toEqual([
      expect.stringMatching(/name its origin in the option "origins".*allowedOrigins/),
      expect.stringMatching(/one registrable domain, and both on https\. IdleSessionModule$/),
    ]);
  });

  it('may be of an origin that is allowed for it alone', async () => {
    const test = await startSockets({ options: { origins: [Origin] } });
    test.gateway.options = { allowedOrigins: ['https://partner.example'] };
    const { Cookie } = await signIn(test);
    await join(test, { Host, Origin, Cookie });
    await join(test, { Host, Origin: 'https://partner.example', Cookie });
  });
});
