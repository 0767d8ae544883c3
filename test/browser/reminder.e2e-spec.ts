import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { MINUTE, SECOND } from '../support/durations.js';
import { violations } from './support/axe.js';
import {
  button,
  dialog,
  gone,
  isCovered,
  type Visit,
  WatchedDesk,
} from './support/watched-desk.js';

let desk: WatchedDesk;
let visit: Visit;
let page: Page;

beforeAll(async () => {
  desk = await WatchedDesk.start({ IDLE_TIMEOUT: '5m', WARN_BEFORE: '2m', ABSOLUTE_TIMEOUT: '7m' });
});

afterAll(async () => {
  await desk?.close();
});

afterEach(async () => {
  await visit.close();
  expect(visit.complaints).toEqual([]);
});

const reminder = () => page.locator('idle-session-dialog').getByRole('timer');

/** The absolute limit is near, and the person has read that nothing moves it. */
async function readOn(options?: BrowserContextOptions): Promise<void> {
  visit = await desk.visit('/claims/new', options);
  page = visit.page;
  await visit.pass(3 * MINUTE);
  await button(page, 'Stay signed in').click();
  await gone(page);
  await visit.pass(2 * MINUTE);
  expect(await reminder().isVisible()).toBe(false);
  await button(page, 'Continue').click();
  await gone(page);
}

describe('The countdown after "Continue"', () => {
  it('stays beside the page, which can be used', async () => {
    await readOn();
    expect(await reminder().textContent()).toBe('2:00 left');
    await visit.pass(35 * SECOND);
    // The page has told the server of the click, whose answer also knows the seconds that really passed.
    expect(await reminder().textContent()).toMatch(/^1:[0-2]\d left$/);
    await page.getByLabel('Place').fill('At the old harbour');
    expect(await page.title()).toMatch(/^2 min left – /);
    // What lies below it can be clicked.
    const { x, y, width, height } = (await reminder().boundingBox())!;
    const [left, top] = [x + width / 2, y + height / 2];
    const below = await page.evaluate(
      ([left, top]) => document.elementFromPoint(left!, top!)?.localName,
      [left, top],
    );
    expect(below).not.toBe('idle-session-dialog');
    expect(await violations(page)).toEqual([]);
  });

  it('gives way to the cover', async () => {
    await readOn();
    await visit.context.setOffline(true);
    await visit.pass(2 * MINUTE + 5 * SECOND);
    expect(await isCovered(page)).toBe(true);
    expect(await reminder().isVisible()).toBe(false);
    expect(await dialog(page).isVisible()).toBe(true);
  });

  it('fits at 320 pixels, and hides nothing that has the focus', async () => {
    await readOn({ viewport: { width: 320, height: 256 } });
    const box = (await reminder().boundingBox())!;
    expect(box.x).toBeGreaterThanOrEqual(160);
    expect(box.x + box.width).toBeLessThanOrEqual(320);
    expect(box.y + box.height).toBeLessThanOrEqual(256);
    expect(box.height).toBeLessThan(48);
    const wider = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(wider).toBe(0);
    await page.evaluate(() => {
      document.body.style.paddingBlockEnd = '400px';
      const small = document.createElement('button');
      small.id = 'small';
      small.style.cssText =
        'position: absolute; top: 600px; right: 10px; width: 24px; height: 24px';
      document.body.append(small);
      scrollTo(0, 0);
      small.focus();
    });
    await page.waitForFunction(() => scrollY > 0);
    const small = (await page.locator('#small').boundingBox())!;
    expect(small.y + small.height).toBeLessThanOrEqual(box.y);
  });
});
