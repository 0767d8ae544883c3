import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { DesktopBrowser } from '../support/desktop-browser.js';
import { MINUTE, PATIENCE_MS, SECOND } from '../support/durations.js';
import { isAbout, TabsVisit } from './support/tabs-visit.js';
import { dialog, gone, placeOf, stay, WatchedDesk } from './support/watched-desk.js';
import { until } from '../support/until.js';

const HEARTBEAT = 'POST /idle-session/heartbeat';
const STATUS = 'GET /idle-session/status';

let desk: WatchedDesk;
let browser: DesktopBrowser;
let visit: TabsVisit;
/** The tab that is hidden, and the one that hides it. */
let hidden: Page;
let shown: Page;

beforeAll(async () => {
  desk = await WatchedDesk.start();
  browser = await DesktopBrowser.launch();
});

afterAll(async () => {
  await browser?.close();
  await desk?.close();
});

beforeEach(async () => {
  visit = await TabsVisit.start(desk, browser.context);
  hidden = visit.page;
});

afterEach(async () => {
  await visit.close();
  expect(visit.complaints).toEqual([]);
});

async function openAnother(path: string): Promise<void> {
  shown = await visit.newPage(path);
  expect(await visit.tell(hidden, 'document.visibilityState')).toBe('hidden');
  expect(await visit.tell(shown, 'document.visibilityState')).toBe('visible');
}

const warns = (page: Page) =>
  visit.tell<boolean>(
    page,
    `document.querySelector('idle-session-dialog').shadowRoot.querySelector('dialog').open`,
  );

/** How long the client of a page says that the session goes on. */
const remainingMs = (page: Page) =>
  visit.tell<number>(
    page,
    `import('/idle-session/client.js').then(({ idleSession }) =>
      idleSession.getState().expiresAt - Date.now())`,
  );

describe('A hidden tab', () => {
  // Nobody in there tells the hidden one anything.
  const hide = () => openAnother('/health');

  it('has told the server, to the second, when the person was last there', async () => {
    await visit.pass(10 * SECOND);
    await hidden.keyboard.press('Shift');
    await visit.pass(20 * SECOND);
    const before = visit.requests.length;
    expect(visit.sentSince(0)).not.toContain(HEARTBEAT);
    const { idleForMs } = await nextHeartbeat(hide);
    expect(idleForMs).toBe(`${20 * SECOND}`);
    expect(visit.sentSince(before)).toContain(HEARTBEAT);
  });

  it('warns in time, and is right when it is shown again', async () => {
    await hide();
    await visit.pass(13 * MINUTE);
    await until('it warns', () => warns(hidden));
    await visit.pass(MINUTE);
    await visit.show(hidden);
    await dialog(hidden).waitFor();
    expect(await dialog(hidden).locator('#counter').textContent()).toBe('1:00');
    await stay(hidden).click();
    await gone(hidden);
    expect(await visit.expiresInMs()).toBe(15 * MINUTE);
  });

  it.each([
    ['warns', 13 * MINUTE],
    ['goes to the login page', 16 * MINUTE],
  ])('whose timers did not run %s as soon as it is shown again', async (what, milliseconds) => {
    await hide();
    await visit.sleep(milliseconds);
    expect(await warns(hidden)).toBe(false);
    await visit.show(hidden);
    if (what === 'warns') await dialog(hidden).waitFor();
    else await hidden.waitForURL('**/login?*', { waitUntil: 'commit' });
  });
});

describe('A frozen tab', () => {
  /** Frozen in its turn among the tabs, so that it goes on holding the lock. */
  beforeEach(async () => {
    await visit.pass(MINUTE);
    await hidden.keyboard.press('Shift');
    await nextHeartbeat(() => visit.runTimers());
    await visit.settled();
    await openAnother('/');
    await visit.freeze(hidden);
  });

  it('does not keep another from sending heartbeats, or from warning', async () => {
    const { held } = await shown.evaluate(() => navigator.locks.query());
    expect(held).toHaveLength(1);
    await visit.pass(2 * MINUTE);
    await shown.keyboard.press('Shift');
    await nextHeartbeat(() => visit.runTimers());
    await visit.settled();
    expect(await visit.expiresInMs()).toBe(15 * MINUTE);
    await visit.pass(13 * MINUTE);
    await dialog(shown).waitFor();
  });

  it('shows the new deadline when it is resumed after an extension that no tab knows of', async () => {
    await leaveAlone();
    await visit.sleep(5 * MINUTE);
    await visit.actElsewhere();
    await visit.sleep(4 * MINUTE);
    await resume();
    await until('the time is right', async () => isAbout(11 * MINUTE, await remainingMs(hidden)));
    expect(await warns(hidden)).toBe(false);
  });

  it('goes to the login page when it is resumed after an end that no tab knows of', async () => {
    await leaveAlone();
    await visit.sleep(15 * MINUTE);
    await resume();
    await hidden.waitForURL('**/login?*', { waitUntil: 'commit' });
    expect(placeOf(hidden)).toBe('/login?reason=idle&returnTo=%2Fclaims%2Fnew');
  });

  it('that warned does so no more when it is resumed after the person stayed in another', async () => {
    await visit.resume(hidden);
    await visit.pass(13 * MINUTE);
    await until('it warns', () => warns(hidden));
    await visit.freeze(hidden);
    await stay(shown).click();
    await gone(shown);
    await visit.resume(hidden);
    await until('it warns no more', async () => !(await warns(hidden)));
    expect(isAbout(15 * MINUTE, await remainingMs(hidden))).toBe(true);
  });
});

/** From now on no other tab can tell the frozen one anything, which Chromium would hand to it. */
async function leaveAlone(): Promise<void> {
  await shown.goto(`${desk.url}/health`);
}

/** By then, the frozen tab knows of nothing. */
async function resume(): Promise<void> {
  const before = visit.requests.length;
  expect(await warns(hidden)).toBe(false);
  await visit.resume(hidden);
  expect(visit.sentSince(before)).toContain(STATUS);
}

async function nextHeartbeat(act: () => Promise<unknown>): Promise<{ body: string | null }> {
  const before = visit.requests.length;
  const beats = () =>
    visit.requests.slice(before).filter(({ path }) => path.endsWith('/heartbeat'));
  await act();
  // The page waits for the lock that another tab holds for eleven seconds, by a real clock.
  await until('it tells the server', async () => beats().length > 0, PATIENCE_MS);
  return beats()[0]!;
}
