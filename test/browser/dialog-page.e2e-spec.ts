import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { comesTrue } from '../support/browser.js';
import { MINUTE, SECOND } from '../support/durations.js';
import { eachVisit, untilWarned } from './support/each-visit.js';
import { dialog, gone, isCovered, stay, type Visit } from './support/watched-desk.js';

let visit: Visit;
let page: Page;

eachVisit((given) => ({ visit, page } = given));

/** The page is covered, and goes on by and by. */
async function untilCovered(): Promise<void> {
  await untilWarned(visit);
  await visit.context.setOffline(true);
  await visit.actElsewhere();
  await visit.pass(2 * MINUTE + 5 * SECOND);
  expect(await isCovered(page)).toBe(true);
}

async function uncover(): Promise<void> {
  await visit.context.setOffline(false);
  await gone(page);
}

/** Whether an element of the page is what a person sees at its place. */
const isSeen = (selector: string) =>
  page.evaluate((selector) => {
    const element = document.querySelector(selector)!;
    const { left, top, width, height } = element.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    // What lies below a modal dialog cannot be hit, though it may be seen.
    const isOnTop = !document
      .querySelector('idle-session-dialog')!
      .shadowRoot!.querySelector(':modal');
    return (
      getComputedStyle(element).visibility === 'visible' &&
      (isOnTop ? element.contains(document.elementFromPoint(x, y)) : true)
    );
  }, selector);

describe('The warning', () => {
  it('is seen where a framework hides its element, as React does with what waits for its data', async () => {
    await untilWarned(visit);
    await page.evaluate(() => {
      const element = document.querySelector('idle-session-dialog')!;
      element.style.setProperty('display', 'none', 'important');
    });
    await stay(page).click();
    await gone(page);
  });

  it('fits where the browser bars take a part of the height', async () => {
    await untilWarned(visit);
    const height = await dialog(page).evaluate((all) => getComputedStyle(all).maxBlockSize);
    expect(height).toBe(`${page.viewportSize()!.height - 16}px`);
  });
});

describe('A page that is covered', () => {
  it('shows no popover that opens later, nor one that lies beside the middle', async () => {
    await untilCovered();
    await page.evaluate(() => {
      const popover = document.createElement('div');
      popover.id = 'private';
      popover.popover = 'manual';
      popover.textContent = 'Something private';
      popover.style.cssText = 'inset: 0 auto auto 0; margin: 0';
      document.body.append(popover);
      popover.showPopover();
    });
    await visit.settled();
    expect(await isSeen('#private')).toBe(false);
    await uncover();
    expect(await isSeen('#private')).toBe(true);
  });

  it('shows no dialog of the app that opens later, until it goes on', async () => {
    await untilCovered();
    await page.evaluate(() => {
      const own = document.createElement('dialog');
      own.id = 'private';
      own.append('Something private');
      document.body.append(own);
      own.showModal();
    });
    await visit.settled();
    const host = await page.evaluate(
      () => document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.localName,
    );
    expect(host).toBe('idle-session-dialog');
    await uncover();
    expect(await isSeen('#private')).toBe(true);
  });

  it('is fullscreen no more', async () => {
    await page.evaluate(() => document.querySelector('main')!.requestFullscreen());
    await untilCovered();
    await comesTrue(page, 'document.fullscreenElement === null');
  });

  it('has nothing selected that could be copied, and gives it back', async () => {
    await page.evaluate(() => {
      (document.activeElement as HTMLElement).blur();
      getSelection()!.selectAllChildren(document.querySelector('h1')!);
    });
    const selected = await page.evaluate(() => String(getSelection()));
    expect(selected).not.toBe('');
    await untilCovered();
    expect(await page.evaluate(() => String(getSelection()))).toBe('');
    await uncover();
    expect(await page.evaluate(() => String(getSelection()))).toBe(selected);
  });
});
