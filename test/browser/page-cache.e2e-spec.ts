import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { DesktopBrowser } from '../support/desktop-browser.js';
import { MINUTE, SECOND } from '../support/durations.js';
import { isAbout, TabsVisit } from './support/tabs-visit.js';
import {
  dialog,
  FEW_LOOKS,
  gone,
  isCovered,
  placeOf,
  stay,
  WatchedDesk,
} from './support/watched-desk.js';
import { until } from '../support/until.js';

const STATUS = 'GET /idle-session/status';

const TRIES = 3;

let desk: WatchedDesk;
let browser: DesktopBrowser;
let visit: TabsVisit;
let page: Page;

beforeAll(async () => {
  desk = await WatchedDesk.start();
  browser = await DesktopBrowser.launch();
});

afterAll(async () => {
  await browser?.close();
  await desk?.close();
});

beforeEach(begin);
afterEach(finish);

async function begin(): Promise<void> {
  visit = await TabsVisit.start(desk, browser.context, '/health');
  page = visit.page;
  // The sample app's own pages may not be kept by the browser: they say `no-store`.
  await visit.context.route('**/kept', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><html lang="en"><title>Kept</title><main><input></main>
        <script type="module" src="/idle-session/client.js"></script>`,
    }),
  );
  await page.goto(`${desk.url}/kept`);
  await visit.settled();
  await page.evaluate(() =>
    addEventListener('pageshow', ({ persisted }) => Object.assign(window, { persisted })),
  );
}

async function finish(): Promise<void> {
  await visit.context.unrouteAll();
  await visit.close();
  expect(visit.complaints).toEqual([]);
}

/** Chromium does not keep a page that takes long to answer. */
class NotKept extends Error {}

/** Runs a test again where the browser did not keep the page. */
async function onceKept(run: () => Promise<void>, tries = TRIES): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof NotKept) || tries === 1) throw error;
    await finish();
    await begin();
    await onceKept(run, tries - 1);
  }
}

async function leave(): Promise<void> {
  await page.goto(`${desk.url}/health`);
  await visit.settled();
}

/** @throws {NotKept} if the page was loaded anew, or is left before it can say that it was not */
async function comeBack(): Promise<void> {
  // The page that is come back to may be left at once.
  const isBack = page.waitForURL('**/kept', { waitUntil: 'commit' });
  // It may be gone before it can say that it has done so.
  await page.evaluate(() => history.back()).catch(() => {});
  await isBack;
  const isKept = await visit.tell(page, 'window.persisted').catch(() => false);
  if (isKept !== true) throw new NotKept('The browser loaded the page anew');
}

const remainingMs = () =>
  visit.tell<number>(
    page,
    `import('/idle-session/client.js').then(({ idleSession }) =>
      idleSession.getState().expiresAt - Date.now())`,
  );

describe('A page that the browser kept', () => {
  it('shows the current deadline when somebody comes back to it', () =>
    onceKept(async () => {
      await leave();
      await visit.sleep(5 * MINUTE);
      await visit.actElsewhere();
      await visit.sleep(4 * MINUTE);
      const before = visit.requests.length;
      await comeBack();
      await until('the time is right', async () => isAbout(11 * MINUTE, await remainingMs()));
      expect(visit.sentSince(before)).toEqual([STATUS]);
      expect(await dialog(page).isVisible()).toBe(false);

      await visit.pass(9 * MINUTE);
      await stay(page).click();
      await gone(page);
      expect(await visit.expiresInMs()).toBe(15 * MINUTE);
    }));

  it('warns at once when it is time to', () =>
    onceKept(async () => {
      await leave();
      await visit.sleep(14 * MINUTE);
      await comeBack();
      await dialog(page).waitFor();
      expect(await dialog(page).locator('#counter').textContent()).toBe('1:00');
    }));

  it('is covered at once when the session has ended, and goes to the login page', () =>
    onceKept(async () => {
      await leave();
      await visit.sleep(15 * MINUTE);
      visit.looks = FEW_LOOKS;
      let answer = () => {};
      const held = new Promise<void>((resolve) => (answer = resolve));
      await visit.context.route('**/idle-session/status', async (route) => {
        await held;
        await route.continue();
      });
      await comeBack();
      await visit.runTimers();
      expect(await isCovered(page)).toBe(true);
      expect(placeOf(page)).toBe('/kept');

      answer();
      await page.waitForURL('**/login?*');
      expect(placeOf(page)).toBe('/login?reason=idle&returnTo=%2Fkept');
    }));

  it('goes to the login page when the person has signed out meanwhile', () =>
    onceKept(async () => {
      await leave();
      await visit.context.request.post(`${desk.url}/idle-session/sign-out`);
      await comeBack();
      await page.waitForURL('**/login?*', { waitUntil: 'commit' });
      expect(placeOf(page)).toBe('/login?reason=signed-out');
    }));

  it('tells that the person has signed out, also where its own time was up since and the cookie is gone', () =>
    onceKept(async () => {
      await leave();
      // Somebody goes on in another page, and signs out with its form.
      await visit.sleep(10 * MINUTE);
      await visit.actElsewhere();
      await visit.sleep(10 * MINUTE);
      const headers = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' };
      await visit.context.request.post(`${desk.url}/logout`, { headers });
      expect(await visit.context.cookies()).not.toContainEqual(
        expect.objectContaining({ name: 'app-sid' }),
      );
      await comeBack();
      await page.waitForURL('**/login?*', { waitUntil: 'commit' });
      expect(placeOf(page)).toBe('/login?reason=signed-out');
    }));

  it('hears other tabs again, and goes to the login page when they sign out', () =>
    onceKept(async () => {
      await leave();
      await comeBack();
      const other = await visit.newPage('/kept');
      await other.evaluate(`import('/idle-session/client.js').then(({ idleSession }) =>
      void idleSession.signOut())`);
      await page.waitForURL('**/login?*', { waitUntil: 'commit' });
      expect(placeOf(page)).toBe('/login?reason=signed-out');
    }));

  it('is kept also when the person was working in it, and the server is told so', () =>
    onceKept(async () => {
      await visit.pass(10 * SECOND);
      await page.keyboard.press('Shift');
      await visit.pass(20 * SECOND);
      await leave();
      // The page says so as it goes, and does not wait for an answer.
      await until('the server was told', async () =>
        isAbout(15 * MINUTE - 20 * SECOND, await visit.expiresInMs()),
      );
      await comeBack();
    }));
});
