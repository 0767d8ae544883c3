import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { violations } from './support/axe.js';
import { type Visit, WatchedDesk } from './support/watched-desk.js';

let desk: WatchedDesk;
let visit: Visit;
let page: Page;

beforeAll(async () => {
  desk = await WatchedDesk.start();
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

const styleOf = (one: Locator, property: string) =>
  one.evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property);
const sizeOf = async (one: Locator) => parseFloat(await styleOf(one, 'font-size'));

describe('The overview', () => {
  it.each([1280, 320])(
    'has the time left below what the person came for, and no larger than its heading, %d pixels wide',
    async (width) => {
      await open('/', { viewport: { width, height: 720 } });
      const timeLeft = page.locator('#time-left');
      const heading = page.getByRole('heading', { name: 'Time left' });
      expect(await sizeOf(timeLeft)).toBeLessThanOrEqual(await sizeOf(heading));
      expect(await sizeOf(heading)).toBeLessThan(await sizeOf(page.locator('h1')));
      const topOf = async (name: string) =>
        (await page.getByRole('region', { name }).boundingBox())!.y;
      expect(await topOf('Time left')).toBeGreaterThan(await topOf('Your claims'));
      expect(await topOf('Time left')).toBeGreaterThan(await topOf('Notifications'));
      expect(await violations(page)).toEqual([]);
    },
  );
});
