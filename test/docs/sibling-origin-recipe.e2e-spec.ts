import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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
import { Logger, type INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { build } from 'esbuild';
import type { IdleSession } from 'idle-session-client';
import {
  IdleSessionService,
  type IdleSessionEvent,
  type IdleSessionStatus,
} from 'nestjs-idle-session';
import type { BrowserContext, Page } from 'playwright-core';
import { Passwords, Tries, UnlockController } from '../../docs/examples/recipes/lock.js';
import { start } from '../../docs/examples/recipes/sibling-origin.js';
import { MINUTE, SECOND } from '../support/durations.js';
import { keepConnections } from '../support/keep-connections.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { SiblingHosts } from '../support/sibling-hosts.js';
import { SECRET, type TestApp } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import { until } from '../support/until.js';

const examples = join(import.meta.dirname, '../../docs/examples/browser');
const APP = 'https://app.example.com';
const API = 'https://api.example.com';
const API_2 = 'https://api2.example.com';
const BLOG = 'https://blog.example.com';

const PAGE = `<!doctype html><html lang="en"><title>A page</title>
  <label>Note <input></label><idle-session-dialog></idle-session-dialog><script type="module" src="/app.js"></script>`;
const FORM = readFileSync(join(examples, 'sibling-origin.html'), 'utf8');

let script: string;
let hosts: SiblingHosts;
let app: INestApplication;
let context: BrowserContext;
let page: Page;
let passedMs = 0;
const events: IdleSessionEvent[] = [];
const logger = new RecordingLogger();

beforeAll(async () => {
  // The clock that memory goes by. Timers stay real.
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + passedMs);
  script = await bundle();
  hosts = await SiblingHosts.start(['*.example.com', '*.co.uk'], (path) =>
    path === '/app.js'
      ? { type: 'text/javascript', body: script }
      : { type: 'text/html; charset=utf-8', body: path === '/form' ? FORM : PAGE },
  );
  Logger.overrideLogger(logger);
  app = await start();
  keepConnections(app.getHttpServer());
  await app.listen(0, '127.0.0.1');
  hosts.serve('api.example.com', app);
  app.get(IdleSessionService).events.subscribe((event) => events.push(event));
});
afterAll(async () => {
  await hosts?.close();
  await app?.close();
  jest.restoreAllMocks();
});

beforeEach(async () => {
  events.splice(0);
  context = await hosts.visit();
  page = await context.newPage();
});
afterEach(() => context.close());

async function bundle(): Promise<string> {
  const contents = `import { call, idleSession } from './sibling-origin.ts';
    Object.assign(window, { call, idleSession });`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: examples, loader: 'ts' },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0]!.text;
}

/** What the page of the test lets it see. */
interface Shown {
  idleSession?: IdleSession;
  call?: (path: string, init?: RequestInit) => Promise<Response>;
}

type Status = Pick<IdleSessionStatus, 'state' | 'expiresInMs'>;

type Init = Pick<RequestInit, 'method' | 'mode'> & {
  headers?: Record<string, string>;
  body?: string;
};

/** What the API answers to the page. */
const answer = (path: string, init: Init = {}, asked = page): Promise<[number, Status]> =>
  asked.evaluate(
    async (given) => {
      const response = await (window as Shown).call!(...given);
      const body = (await response.json().catch(() => null)) as Status;
      return [response.status, body] as [number, Status];
    },
    [path, init] as const,
  );
const expiresInMs = async () => (await answer('/idle-session/status'))[1].expiresInMs;

/** So much, or less by what a busy machine takes until it asks. */
const about = (milliseconds: number) => ({
  asymmetricMatch: (actual: number) =>
    actual > milliseconds - 25 * SECOND && actual <= milliseconds,
});

async function signIn(): Promise<void> {
  await page.waitForFunction(() => (window as Shown).call);
  expect(await answer('/sign-in', { method: 'POST' })).toEqual([204, null]);
}

async function open(path: string): Promise<void> {
  await page.goto(APP + path);
  await page.waitForFunction(() => (window as Shown).idleSession?.getState().state === 'active');
}

async function openSignedIn(): Promise<void> {
  await page.goto(`${APP}/sign-in`);
  await signIn();
  await open('/claims');
}

/** As if the person had been away for so long: the page asks again. */
async function away(milliseconds: number): Promise<void> {
  passedMs += milliseconds;
  await page.evaluate(() => dispatchEvent(new Event('online')));
}

/** Waits until the page knows that so much is left. */
const untilLeft = (...minutes: [atLeast: number, atMost: number]) =>
  page.waitForFunction(([atLeast, atMost]) => {
    const { expiresAt } = (window as Shown).idleSession!.getState();
    const leftMs = (expiresAt ?? 0) - Date.now();
    return leftMs > atLeast * 60_000 && leftMs <= atMost * 60_000;
  }, minutes);

const dialog = () => page.getByRole('alertdialog');

describe('docs/recipes/sibling-origin.md: a page on app.example.com', () => {
  it('warns, and one click stays signed in', async () => {
    await openSignedIn();
    await away(14 * MINUTE);
    await dialog().getByRole('button', { name: 'Stay signed in' }).click();
    await dialog().waitFor({ state: 'hidden' });
    expect(await expiresInMs()).toEqual(about(15 * MINUTE));
  });

  it('tells the API that the person is typing', async () => {
    await openSignedIn();
    const told = page.waitForResponse(`${API}/idle-session/heartbeat`);
    await page.getByLabel('Note').press('a');
    // A page that asks tells what it has not told yet.
    await away(10 * MINUTE);
    expect((await told).status()).toBe(200);
    expect(await expiresInMs()).toEqual(about(15 * MINUTE));
  });

  it('tells the API of the last key as it is left, although the browser has to ask first', async () => {
    await openSignedIn();
    passedMs += 30 * SECOND;
    await open('/claims');
    await page.getByLabel('Note').press('a');
    hosts.answered.length = 0;
    await page.goto(`${BLOG}/claims`);
    await until('the API is told', () =>
      hosts.answered.includes('POST /idle-session/heartbeat 200'),
    );
    expect(hosts.answered).toContain('OPTIONS /idle-session/heartbeat 204');
    await page.goto(`${APP}/claims`);
    await page.waitForFunction(() => (window as Shown).call);
    expect(await expiresInMs()).toEqual(about(15 * MINUTE));
  });

  it('learns from the answers to its own requests what is left, and asks for nothing', async () => {
    await openSignedIn();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    passedMs += 10 * MINUTE;
    const headers = { 'Idle-Session': 'passive' };
    expect((await answer('/claims', { headers }))[0]).toBe(200);
    await untilLeft(4, 5);
    expect((await answer('/claims'))[0]).toBe(200);
    await untilLeft(14, 15);
    expect(asked.filter((url) => url.includes('idle-session'))).toEqual([]);
  });

  it('goes to its own sign-in page at the end, with the reason and the way back', async () => {
    await openSignedIn();
    await away(15 * MINUTE);
    await page.waitForURL(`${APP}/sign-in?reason=idle&returnTo=%2Fclaims`);
    expect(events).toContainEqual(expect.objectContaining({ type: 'expired', reason: 'idle' }));
  });

  it('notices the end when the API refuses a request of its own', async () => {
    await openSignedIn();
    passedMs += 15 * MINUTE;
    expect(await answer('/claims')).toEqual([401, expect.objectContaining({ reason: 'idle' })]);
    await page.waitForURL(`${APP}/sign-in?reason=idle&returnTo=%2Fclaims`);
  });

  it('signs out', async () => {
    await openSignedIn();
    await page.evaluate(() => void (window as Shown).idleSession!.signOut());
    await page.waitForURL(`${APP}/sign-in?reason=signed-out`);
    // Sessions of other tests may expire meanwhile.
    const signedOut = expect.objectContaining({ type: 'ended', reason: 'signed-out' });
    expect(events).toContainEqual(signedOut);
  });

  it('keeps a draft, and offers it after signing in again', async () => {
    await openSignedIn();
    const keyed = page.waitForResponse(`${API}/idle-session/draft-key`);
    await page.goto(`${APP}/form`);
    const note = page.getByLabel('Note');
    expect((await keyed).status()).toBe(200);
    await note.fill('Storm damage');
    await page.waitForFunction(() =>
      Object.keys(sessionStorage).some((name) => name.startsWith('idle-session:draft:')),
    );
    await away(15 * MINUTE);
    await page.waitForURL(`${APP}/sign-in?reason=idle&returnTo=%2Fform`);
    await signIn();
    await page.goto(`${APP}/form`);
    await page.getByRole('button', { name: 'Restore' }).click();
    expect(await note.inputValue()).toBe('Storm damage');
  });

  it('never sees the cookie, which is of the API alone', async () => {
    await openSignedIn();
    const [cookie, ...others] = await context.cookies([APP, API]);
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({
      domain: 'api.example.com',
      secure: true,
      httpOnly: true,
      sameSite: 'Lax',
    });
    expect(hosts.cookiesOfPages.filter(Boolean)).toEqual([]);
  });
});

describe('A page on app.example.com of an app with a lock', () => {
  const startApp = testApps();

  it('is covered, sends the password to the API, and goes on', async () => {
    const test = await startApp({
      options: { origins: [APP], idleTimeout: '1h', lockAfter: '15m' },
      metadata: { controllers: [UnlockController], providers: [Passwords, Tries] },
      configure: (created) => {
        (created as NestExpressApplication).set('trust proxy', 1);
        created.enableCors({ origin: [APP], credentials: true });
      },
    });
    await test.app.listen(0, '127.0.0.1');
    hosts.serve('api.example.com', test.app);
    try {
      await page.goto(`${APP}/sign-in`);
      await page.waitForFunction(() => (window as Shown).call);
      expect((await answer('/sign-in', { method: 'POST' }))[0]).toBe(200);
      await open('/claims');
      const note = page.getByLabel('Note');
      await note.fill('Storm');
      // As its form would.
      const unlock = (password: string) =>
        answer('/unlock', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ password }),
        });
      test.clock.advance(15 * MINUTE);
      await away(0);
      await dialog().getByText('locked this page').waitFor();
      expect(await answer('/page')).toEqual([401, expect.objectContaining({ reason: 'locked' })]);
      expect((await unlock('wrong'))[0]).toBe(422);
      expect((await unlock('demo'))[0]).toBe(204);
      await page.evaluate(() => (window as Shown).idleSession!.check());
      await dialog().waitFor({ state: 'hidden' });
      expect(await note.inputValue()).toBe('Storm');
      expect((await answer('/page'))[0]).toBe(200);
    } finally {
      hosts.serve('api.example.com', app);
    }
  });
});

describe('A page on a sibling host that is not listed', () => {
  it('can neither read nor extend nor end the session', async () => {
    await openSignedIn();
    passedMs += 10 * MINUTE;
    const other = await context.newPage();
    await other.goto(`${BLOG}/claims`);
    await other.waitForFunction(() => (window as Shown).idleSession?.getState().online === false);
    const state = () => (window as Shown).idleSession!.getState().state;
    expect(await other.evaluate(state)).toBe('starting');
    for (const path of ['/idle-session/status', '/claims'])
      await expect(answer(path, {}, other)).rejects.toThrow('Failed to fetch');
    for (const endpoint of ['heartbeat', 'sign-out'])
      expect(await statusWithoutCors(other, `${API}/idle-session/${endpoint}`)).toBe(403);
    expect(await answer('/idle-session/status')).toEqual([
      200,
      expect.objectContaining({ state: 'active', expiresInMs: about(5 * MINUTE) }),
    ]);
  });
});

/** The server's answer to a POST that a browser sends with the cookie, without asking first. */
async function statusWithoutCors(asking: Page, url: string): Promise<number> {
  const answered = asking.waitForResponse(url);
  await asking.evaluate(
    (to) => fetch(to, { method: 'POST', mode: 'no-cors', credentials: 'include' }),
    url,
  );
  return (await answered).status();
}

describe('An app without CORS and CSRF protection of its own', () => {
  const startApp = testApps();

  async function serve(host: string, origin: string, cookie = {}): Promise<TestApp> {
    const test = await startApp({
      options: { origins: [origin], session: { secret: SECRET, cookie } },
      configure: (created) => (created as NestExpressApplication).set('trust proxy', 1),
      logger,
    });
    await test.app.listen(0, '127.0.0.1');
    hosts.serve(host, test.app);
    return test;
  }

  /** Signs in at the app from a page on another host. */
  async function signInFrom(origin: string, api: string): Promise<void> {
    await page.goto(`${origin}/claims`);
    expect(await statusWithoutCors(page, `${api}/sign-in`)).toBe(200);
  }

  /** What the app says of the session to a page on another host. */
  async function statusFor(origin: string, api: string): Promise<unknown> {
    await page.goto(`${origin}/claims`);
    return page.evaluate(async (path) => {
      const asked = await fetch(path, { credentials: 'include' });
      return asked.json() as Promise<unknown>;
    }, `${api}/idle-session/status`);
  }

  it.each([{}, { sameSite: 'strict' }, { secure: true }, { domain: 'example.com' }])(
    'gets the cookie from a page of the site: %j',
    async (cookie) => {
      await serve('api2.example.com', APP, cookie);
      await signInFrom(APP, API_2);
      hosts.cookiesOfPages.length = 0;
      expect(await statusFor(APP, API_2)).toMatchObject({ state: 'active' });
      expect(hosts.cookiesOfPages.some(Boolean)).toBe('domain' in cookie);
      const [sent] = await context.cookies(API_2);
      expect(sent!.name).toBe('secure' in cookie ? '__Host-app-sid' : 'app-sid');
      expect(sent!.domain).toBe('domain' in cookie ? '.example.com' : 'api2.example.com');
    },
  );

  it('refuses what a page on an unlisted sibling host sends with the cookie', async () => {
    const test = await serve('api2.example.com', APP);
    await signInFrom(APP, API_2);
    test.clock.advance(10 * MINUTE);
    await page.goto(`${BLOG}/claims`);
    for (const endpoint of ['heartbeat', 'sign-out'])
      expect(await statusWithoutCors(page, `${API_2}/idle-session/${endpoint}`)).toBe(403);
    expect(await statusFor(APP, API_2)).toMatchObject({ expiresInMs: 5 * MINUTE });
    expect(logger.warnings.at(-1)).toContain(`Origin: "${BLOG}"). If the page is yours`);
  });

  it('gets no cookie from another site, which the start could not tell from this one', async () => {
    const [from, api] = ['https://app.co.uk', 'https://api.co.uk'];
    await serve('api.co.uk', from);
    await signInFrom(from, api);
    await expect(statusFor(from, api)).rejects.toThrow('Failed to fetch');
    expect(await context.cookies(api)).toEqual([]);
    expect(await statusWithoutCors(page, `${api}/idle-session/heartbeat`)).toBe(403);
    expect(logger.warnings.at(-1)).toContain('of another site than "api.co.uk"');
  });
});
