import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { MINUTE } from '../support/durations.js';
import { violations } from './support/axe.js';
import { restoreOffered } from './support/each-visit.js';
import { button, dialog, stay, type Visit, WatchedDesk } from './support/watched-desk.js';

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
const coloursOf = async (one: Locator) => [
  await styleOf(one, 'color'),
  await styleOf(one, 'background-color'),
];
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

async function untilWarned(options: BrowserContextOptions): Promise<void> {
  await open('/claims/new', options);
  await visit.pass(13 * MINUTE);
  await dialog(page).waitFor();
}

describe('The dialog', () => {
  it.each(['light', 'dark'] as const)('has the colours of the desk, in %s', async (colorScheme) => {
    await untilWarned({ colorScheme });
    const card = page.locator('.card').first();
    const send = page.getByRole('button', { name: 'Send claim', includeHidden: true });
    expect(await coloursOf(dialog(page))).toEqual(await coloursOf(card));
    expect(await coloursOf(stay(page))).toEqual(await coloursOf(send));
    expect(await styleOf(dialog(page), 'border-radius')).toBe(await styleOf(card, 'border-radius'));
    expect(await violations(page)).toEqual([]);
  });

  it('keeps borders, and a ring around what has the focus, in forced colours', async () => {
    await untilWarned({ forcedColors: 'active' });
    const ground = await styleOf(dialog(page), 'background-color');
    for (const one of [stay(page), button(page, 'Sign out')]) {
      await one.focus();
      await one.hover();
      expect(await styleOf(one, 'border-style')).toBe('solid');
      expect(await styleOf(one, 'border-color')).not.toBe(ground);
      expect(await styleOf(one, 'outline-style')).toBe('solid');
      expect(await styleOf(one, 'outline-color')).not.toBe(ground);
    }
    expect(await violations(page)).toEqual([]);
  });
});

describe('The offer of a draft', () => {
  it.each([
    ['light', 1280],
    ['dark', 320],
  ] as const)(
    'is a notice whose "Discard" is quiet, in %s, %d pixels wide',
    async (colorScheme, width) => {
      await open('/claims/new', { colorScheme, viewport: { width, height: 720 } });
      await page.getByLabel('Place').pressSequentially('Kitchen');
      await visit.settled();
      await page.reload();
      const restore = await restoreOffered(visit);
      const discard = page.getByRole('button', { name: 'Discard' });
      const send = page.getByRole('button', { name: 'Send claim' });
      const quiet = page.getByRole('banner').getByRole('button', { name: 'Sign out' });
      expect(await coloursOf(restore)).toEqual(await coloursOf(send));
      expect(await coloursOf(discard)).toEqual(await coloursOf(quiet));
      const notice = page.locator('.idle-session-draft');
      expect(await styleOf(notice, 'border-left-width')).toBe('6px');
      const [box, form] = [await notice.boundingBox(), await page.locator('#claim').boundingBox()];
      expect([box!.x, box!.width]).toEqual([form!.x, form!.width]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      expect(await violations(page)).toEqual([]);
    },
  );
});

describe('A message that gets the focus', () => {
  it.each(['/login?reason=idle', '/login?reason=signed-out'])(
    'has a ring in its own colour, not in that of what can be operated: %s',
    async (path) => {
      const context = await desk.newContext({ viewport: { width: 320, height: 720 } });
      visit = { close: () => context.close(), complaints: [] } as unknown as Visit;
      page = await context.newPage();
      await page.goto(desk.url + path);
      const message = page.locator(':focus').and(page.getByRole('region'));
      expect(await styleOf(message, 'outline-style')).toBe('solid');
      expect(await styleOf(message, 'outline-offset')).toBe('0px');
      expect(await styleOf(message, 'outline-color')).toBe(
        await styleOf(message, 'border-top-color'),
      );
      expect(await violations(page)).toEqual([]);
    },
  );
});
