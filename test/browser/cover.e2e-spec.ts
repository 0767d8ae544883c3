import { describe, expect, it } from '@jest/globals';
import type { IdleSession } from 'idle-session-client';
import type { Page } from 'playwright-core';
import { comesTrue } from '../support/browser.js';
import { MINUTE, SECOND } from '../support/durations.js';
import { eachVisit, untilWarned } from './support/each-visit.js';
import {
  dialog,
  FEW_LOOKS,
  gone,
  heading,
  isCovered,
  placeOf,
  type Visit,
  type WatchedDesk,
} from './support/watched-desk.js';

let desk: WatchedDesk;
let visit: Visit;
let page: Page;

eachVisit((given) => ({ desk, visit, page } = given));

const place = () => page.getByLabel('Place');

/** Keeps back the answers to where the session stands; returns how to let them through. */
async function holdAnswers(to: Page): Promise<() => void> {
  visit.looks = FEW_LOOKS;
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await to.route('**/idle-session/status', async (route) => {
    await held;
    await route.continue();
  });
  return release;
}

const isTransparent = () =>
  dialog(page).evaluate((element) => getComputedStyle(element).opacity === '0');

describe('A page that is covered', () => {
  it('says at once that the service answers with errors', async () => {
    await untilWarned(visit);
    await page.route('**/idle-session/status', (route) => route.fulfill({ status: 503 }));
    await visit.pass(2 * MINUTE);
    expect(await isCovered(page)).toBe(true);
    await heading(page).getByText('We cannot reach the service').waitFor();
    expect(placeOf(page)).toBe('/claims/new');
  });

  it('says nothing while the server is asked after sleep, and soon that it does not answer', async () => {
    await holdAnswers(page);
    desk.clock.advance(20 * MINUTE);
    await visit.context.clock.setSystemTime('2026-01-01T10:20:00Z');
    await visit.context.clock.runFor(5 * SECOND);
    await dialog(page).waitFor();
    expect(await isCovered(page)).toBe(true);
    expect(await isTransparent()).toBe(true);
    await visit.context.clock.runFor(3 * SECOND);
    expect(await isTransparent()).toBe(false);
    expect(await heading(page).textContent()).toBe('We cannot reach the service');
  });

  it('is not printed', async () => {
    await page.emulateMedia({ media: 'print' });
    await untilWarned(visit);
    expect(await place().isVisible()).toBe(true);
    await visit.context.setOffline(true);
    await visit.actElsewhere();
    await visit.pass(2 * MINUTE);
    expect(await isCovered(page)).toBe(true);
    expect(await place().isVisible()).toBe(false);
    await visit.context.setOffline(false);
    await gone(page);
    expect(await place().isVisible()).toBe(true);
  });
});

describe('A page that gives itself other style sheets while it is covered', () => {
  it('is not printed a second later', async () => {
    await untilWarned(visit);
    await visit.context.setOffline(true);
    await visit.actElsewhere();
    await visit.pass(2 * MINUTE);
    expect(await isCovered(page)).toBe(true);
    await page.emulateMedia({ media: 'print' });
    await page.evaluate(() => void (document.adoptedStyleSheets = [new CSSStyleSheet()]));
    await visit.pass(SECOND);
    expect(await place().isVisible()).toBe(false);
    await visit.context.setOffline(false);
    await gone(page);
    expect(await place().isVisible()).toBe(true);
    expect(await page.evaluate(() => document.adoptedStyleSheets.length)).toBe(1);
  });
});

describe('A page whose session, as another tab knows, has ended', () => {
  it('is covered at once, and left when the server has said so', async () => {
    const other = await visit.newPage('/');
    const answer = await holdAnswers(page);
    await other.evaluate(async () => {
      const { src } = document.querySelector<HTMLScriptElement>('script[src*="/client."]')!;
      const { idleSession } = (await import(src)) as { idleSession: IdleSession };
      // The page is left before this is done.
      void idleSession.signOut();
    });
    await dialog(page).waitFor();
    expect(await isCovered(page)).toBe(true);
    expect(await isTransparent()).toBe(true);
    expect(placeOf(page)).toBe('/claims/new');
    answer();
    await page.waitForURL('**/login?*');
  });

  it('goes on where the server says that it has not', async () => {
    await place().fill('At the old harbour');
    const answer = await holdAnswers(page);
    const other = await visit.newPage('/health');
    await other.evaluate(async () => {
      const status = await fetch('/idle-session/status');
      const { sessionRef } = (await status.json()) as { sessionRef: string };
      const now = Date.now();
      new BroadcastChannel('idle-session:/idle-session').postMessage({
        sessionRef,
        requestedAt: now,
        expiresAt: now,
        locksAt: Infinity,
        lastHeartbeatAt: now,
        ended: 'idle',
      });
    });
    await dialog(page).waitFor();
    expect(await isCovered(page)).toBe(true);
    answer();
    await gone(page);
    expect(placeOf(page)).toBe('/claims/new');
    expect(await place().inputValue()).toBe('At the old harbour');
    expect(await place().evaluate((element) => element === document.activeElement)).toBe(true);
  });
});

describe('A page that adds a dialog of its own after the script has added one', () => {
  it('has that one alone', async () => {
    await page.evaluate(() => {
      const own = document.createElement('idle-session-dialog');
      own.setAttribute('heading', 'Still there?');
      document.body.append(own);
      const told = document.body.dataset;
      told.events = 'Told:';
      document.addEventListener('warning', () => (told.events += ' warning'));
      document.addEventListener('expired', (event) => {
        event.preventDefault();
        told.events += ' expired';
      });
    });
    await untilWarned(visit);
    expect(await dialog(page).count()).toBe(1);
    expect(await heading(page).textContent()).toBe('Still there?');
    await visit.pass(2 * MINUTE + SECOND);
    expect(await dialog(page).count()).toBe(1);
    expect(await isCovered(page)).toBe(true);
    await comesTrue(page, 'document.body.dataset.events === "Told: warning expired"');
  });

  it('has the first again once its own is gone', async () => {
    await page.evaluate(() => {
      const own = document.createElement('idle-session-dialog');
      document.body.append(own);
      own.remove();
    });
    await untilWarned(visit);
    expect(await dialog(page).count()).toBe(1);
  });
});
