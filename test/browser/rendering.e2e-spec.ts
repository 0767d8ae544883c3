import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { MINUTE, SECOND } from '../support/durations.js';
import { violations } from './support/axe.js';
import { dialog, gone, isCovered, type Visit, WatchedDesk } from './support/watched-desk.js';

/** 1280 by 1024 pixels of a screen at 400 %. */
const ZOOMED = { viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 };

const GERMAN = '<html lang="de">';
const ENGLISH = '<html lang="en">';
const ARABIC = `<html lang="ar" dir="rtl"><idle-session-dialog heading="ستخرج قريبا" text="سنخرجك خلال {time}"
  stay="ابق" sign-out="اخرج" unreachable="لا يمكن الوصول إلى الخدمة" failed="تعذر الوصول إلى الخدمة. حاول مرة أخرى." kept="عملك ما زال هنا" retry="حاول مرة أخرى">
  </idle-session-dialog>`;

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

async function untilWarned(html: string, options: BrowserContextOptions): Promise<void> {
  visit = await desk.visit('/health', options);
  page = visit.page;
  await visit.context.route('**/own', (route) =>
    route.fulfill({
      contentType: 'text/html; charset=utf-8',
      body: `<!doctype html>${html}<meta name="viewport" content="width=device-width">
        <meta name="color-scheme" content="light dark"><title>Own</title>
        <main><h1>Own</h1><input aria-label="Own"></main>
        <script type="module" src="/idle-session/client.js"></script>`,
    }),
  );
  await page.goto(`${desk.url}/own`);
  await visit.settled();
  await visit.pass(13 * MINUTE, MINUTE);
  await dialog(page).waitFor();
}

/** Looks at the dialog as it warns, when it has said that the service cannot be reached, and as it covers the page. */
async function inEachState(look: () => Promise<void>): Promise<void> {
  // Keys that come at once are not meant for it.
  await visit.pass(SECOND);
  await look();
  await visit.context.setOffline(true);
  await dialog(page).locator('#stay').press('Enter');
  await dialog(page).getByRole('alert').waitFor();
  await look();
  await visit.pass(2 * MINUTE + 5 * SECOND);
  expect(await isCovered(page)).toBe(true);
  await look();
}

/** What of the dialog is wider or higher than the place that it has. */
function cutOff(): Promise<string[]> {
  return dialog(page).evaluate((all) =>
    [all, ...all.querySelectorAll<HTMLElement>('h2, p:not(#spoken), button')]
      .filter((part) => part.checkVisibility())
      .filter((part) => {
        const { left, right, top, bottom } = part.getBoundingClientRect();
        const isWhole = left >= 0 && right <= innerWidth && part.scrollWidth <= part.clientWidth;
        // The dialog itself scrolls.
        if (part === all) return !isWhole || top < 0 || bottom > innerHeight;
        return !isWhole || part.scrollHeight > part.clientHeight;
      })
      .map((part) => `#${part.id}`),
  );
}

/** What a person who uses the keyboard gets to, one key press after the other, and sees with its ring. */
async function reachableByTab(): Promise<string[]> {
  const reached: string[] = [];
  await dialog(page).locator('#stay').focus();
  for (const _ of await buttons()) {
    if (reached.length > 0) await page.keyboard.press('Tab');
    reached.push(
      await dialog(page).evaluate((all) => {
        const focused = (all.getRootNode() as ShadowRoot).activeElement!;
        const { outlineWidth, outlineOffset } = getComputedStyle(focused);
        const ring = parseFloat(outlineWidth) + parseFloat(outlineOffset);
        const { top, bottom, width, height } = focused.getBoundingClientRect();
        const seen = all.getBoundingClientRect();
        if (Math.min(width, height) < 24) return `#${focused.id} is too small`;
        const fits = top - ring >= seen.top && bottom + ring <= seen.bottom;
        return fits ? focused.id : `#${focused.id} is cut off`;
      }),
    );
  }
  return reached;
}

const idOf = (one: Locator) => one.evaluate(({ id }) => id);
const buttons = () => dialog(page).getByRole('button').all();

describe('The dialog', () => {
  it('has nothing cut off or out of reach at 400 % zoom', async () => {
    await untilWarned(GERMAN, ZOOMED);
    await inEachState(async () => {
      expect(await cutOff()).toEqual([]);
      expect(await reachableByTab()).toEqual(await Promise.all((await buttons()).map(idOf)));
      expect(await violations(page)).toEqual([]);
    });
    const scrolls = await page.evaluate(
      () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
    );
    expect(scrolls).toBe(false);
  });

  it('has borders, and a ring where the focus is, in forced colours', async () => {
    await untilWarned(ENGLISH, { forcedColors: 'active' });
    await inEachState(async () => {
      for (const one of await buttons()) {
        await one.focus();
        const { ground, outlineStyle, outlineWidth, outlineColor, borderStyle } =
          await one.evaluate((element) => {
            const { outlineStyle, outlineWidth, outlineColor, borderStyle } =
              getComputedStyle(element);
            const ground = getComputedStyle(element.closest('dialog')!).backgroundColor;
            return { ground, outlineStyle, outlineWidth, outlineColor, borderStyle };
          });
        expect([outlineStyle, borderStyle]).toEqual(['solid', 'solid']);
        expect(parseFloat(outlineWidth)).toBeGreaterThanOrEqual(2);
        expect(outlineColor).not.toBe(ground);
      }
      expect(await violations(page)).toEqual([]);
    });
  });

  it('has light letters on a dark ground in a dark page', async () => {
    await untilWarned(ENGLISH, { colorScheme: 'dark' });
    await inEachState(async () => {
      const [letters, ground] = await dialog(page).evaluate((all) => {
        const { color, backgroundColor } = getComputedStyle(all);
        return [color, backgroundColor].map((colour) => Number(/\d+/.exec(colour)?.[0]));
      });
      expect(letters).toBeGreaterThan(200);
      expect(ground).toBeLessThan(50);
      expect(await violations(page)).toEqual([]);
    });
  });

  it.each([
    ['in a wide page', {}],
    ['at 400 % zoom', ZOOMED],
  ])('is the other way round where it is read from right to left, %s', async (name, options) => {
    await untilWarned(ARABIC, options);
    const [staying, leaving] = await Promise.all(
      (await buttons()).map((one) => one.evaluate((element) => element.getBoundingClientRect())),
    );
    // Beside each other, or below where there is no room.
    if (staying!.top === leaving!.top) expect(staying!.left).toBeGreaterThan(leaving!.left);
    else expect(staying!.right).toBe(leaving!.right);
    await inEachState(async () => {
      expect(await cutOff()).toEqual([]);
      expect(await reachableByTab()).toEqual(await Promise.all((await buttons()).map(idOf)));
      expect(await dialog(page).evaluate((all) => getComputedStyle(all).direction)).toBe('rtl');
      expect(await violations(page)).toEqual([]);
    });
    const bar = await dialog(page)
      .locator('#message')
      .evaluate((all) => getComputedStyle(all).borderRightWidth);
    expect(bar).not.toBe('0px');
  });

  it('does not move where motion is to be reduced, neither as it opens nor as it closes', async () => {
    await untilWarned(ENGLISH, { reducedMotion: 'reduce' });
    const moving = () =>
      page.evaluate(() => {
        const root = document.querySelector('idle-session-dialog')!.shadowRoot!;
        const parts = Array.from(root.querySelectorAll('*'), (part) => getComputedStyle(part));
        const animated = parts.filter(
          ({ animationName, transitionDuration, scrollBehavior }) =>
            animationName !== 'none' || transitionDuration !== '0s' || scrollBehavior === 'smooth',
        );
        return document.getAnimations().length + root.getAnimations().length + animated.length;
      });
    expect(await moving()).toBe(0);
    await visit.pass(SECOND);
    await page.keyboard.press('Enter');
    await gone(page);
    expect(await moving()).toBe(0);
  });
});
