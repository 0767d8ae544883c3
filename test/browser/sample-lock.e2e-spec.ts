import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { MINUTE, SECOND } from '../support/durations.js';
import { until } from '../support/until.js';
import { violations } from './support/axe.js';
import {
  dialog,
  gone,
  heading,
  isCovered,
  placeOf,
  type Visit,
  WatchedDesk,
} from './support/watched-desk.js';

let desk: WatchedDesk;
let visit: Visit;
let page: Page;

beforeAll(async () => {
  desk = await WatchedDesk.start({ LOCK_AFTER: '5m', IDLE_TIMEOUT: '15m' });
});
afterAll(async () => {
  await desk?.close();
});
afterEach(async () => {
  await visit.close();
  expect(visit.complaints).toEqual([]);
});

async function open(path: string, options?: BrowserContextOptions): Promise<void> {
  visit = await desk.visit(path, options);
  page = visit.page;
}

const password = (tab = page) => tab.locator('#unlock-password');
const description = () => page.getByLabel('Tell us the whole story');

async function untilLocked(): Promise<void> {
  await visit.pass(5 * MINUTE + SECOND);
  await heading(page).getByText('we locked this page').waitFor();
}

async function unlock(typed = 'demo'): Promise<void> {
  await password().fill(typed);
  await password().press('Enter');
}

describe('A locked page of the sample', () => {
  it('is covered, asks for the password in place, and goes on in mid-sentence', async () => {
    await open('/claims/new');
    await description().fill('The tree fell on the');
    await untilLocked();
    expect(await isCovered(page)).toBe(true);
    expect(await dialog(page).innerText()).not.toContain('connection');
    await unlock();
    await gone(page);
    await page.keyboard.type(' shed');
    expect(await description().inputValue()).toBe('The tree fell on the shed');
    expect(placeOf(page)).toBe('/claims/new');
    expect(await visit.expiresInMs()).toBe(15 * MINUTE);
  });

  it('says that a password is wrong, and says nothing more once it is right', async () => {
    await open('/claims/new');
    await untilLocked();
    await unlock('wrong');
    const problem = page.getByText('The password is wrong. Check it, then enter it again.');
    await problem.waitFor();
    expect(await password().getAttribute('aria-invalid')).not.toBeNull();
    expect(await isCovered(page)).toBe(true);
    await unlock();
    await gone(page);
    expect(await problem.count()).toBe(0);
  });

  it('is unlocked in all tabs, and its notifications go on', async () => {
    await open('/claims/new');
    const overview = await visit.newPage('/');
    await untilLocked();
    await overview.bringToFront();
    expect(await isCovered(overview)).toBe(true);
    await page.bringToFront();
    const before = visit.requests.length;
    await unlock();
    for (const tab of [page, overview]) await gone(tab);
    await until('the notifications come again', () =>
      visit.sentSince(before).includes('GET /api/notifications/stream'),
    );
  });

  it('ends with its draft kept where nobody comes back', async () => {
    await open('/claims/new');
    await description().fill('The tree fell');
    await untilLocked();
    await visit.pass(10 * MINUTE);
    await page.waitForURL('**/login?*');
    expect(placeOf(page)).toMatch(/^\/login\?reason=idle&returnTo=%2Fclaims%2Fnew/);
  });

  it('leads to sign in after too many wrong passwords', async () => {
    await open('/');
    await untilLocked();
    for (let tries = 0; tries < 5; tries++) {
      const tried = page.waitForResponse('**/unlock');
      await unlock(`wrong ${tries}`);
      await tried;
      await visit.settled();
    }
    await unlock();
    await page.waitForURL('**/login?*');
    expect(placeOf(page)).toMatch(/^\/login\?reason=revoked/);
  });

  it.each<[string, BrowserContextOptions]>([
    ['in light colours', {}],
    ['in dark colours', { colorScheme: 'dark' }],
    ['in forced colours', { forcedColors: 'active' }],
    ['on a screen of 320 by 256 pixels', { viewport: { width: 320, height: 256 } }],
  ])('has nothing that axe finds, %s', async (_, options) => {
    await open('/claims/new', options);
    await untilLocked();
    await unlock('wrong');
    await page.getByText('The password is wrong.').waitFor();
    expect(await violations(page)).toEqual([]);
    const fits = await dialog(page).evaluate(
      ({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth,
    );
    expect(fits).toBe(true);
  });

  it('has a page of its own for those who come by an address, which axe and a screen of 320 pixels do not mind', async () => {
    await open('/', { viewport: { width: 320, height: 480 } });
    await visit.pass(6 * MINUTE);
    await page.goto(`${desk.url}/claims/new`);
    expect(placeOf(page)).toBe('/unlock?reason=locked&returnTo=%2Fclaims%2Fnew');
    expect(await violations(page)).toEqual([]);
    await page.getByLabel('Password').fill('demo');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/claims/new');
  });
});
