import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { MINUTE, SECOND } from '../support/durations.js';
import { eachVisit, untilWarned } from './support/each-visit.js';
import { dialog, gone, heading, isCovered, stay, type Visit } from './support/watched-desk.js';

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
  it('keeps the focus on its button when its text is clicked', async () => {
    await untilWarned(visit);
    const focused = () => stay(page).evaluate((element) => element.matches(':focus'));
    for (const part of [heading(page), dialog(page).locator('#text')]) {
      await part.click();
      expect(await focused()).toBe(true);
    }
    await visit.pass(SECOND);
    await page.keyboard.press('Enter');
    await gone(page);
  });

  it('lets nothing behind it scroll, and leaves the page where it was', async () => {
    await page.evaluate(() => {
      document.body.style.blockSize = '5000px';
      scrollTo(0, 800);
    });
    await untilWarned(visit);
    await visit.pass(SECOND);
    await page.mouse.move(5, 5);
    await page.mouse.wheel(0, 300);
    await page.keyboard.press('PageDown');
    await page.keyboard.press('ArrowDown');
    await visit.settled();
    expect(await page.evaluate(() => scrollY)).toBe(800);
    await stay(page).click();
    await gone(page);
    await page.mouse.wheel(0, 300);
    await page.waitForFunction(() => scrollY > 1000);
  });

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
  it('says once that the service cannot be reached', async () => {
    await untilWarned(visit);
    await visit.context.setOffline(true);
    await stay(page).click();
    await dialog(page).getByRole('alert').waitFor();
    await visit.pass(2 * MINUTE + 5 * SECOND);
    expect(await isCovered(page)).toBe(true);
    expect(await heading(page).textContent()).toBe('We cannot reach the service');
    expect(await dialog(page).getByRole('alert').count()).toBe(0);
  });

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
    expect(await page.evaluate(() => document.fullscreenElement)).toBeNull();
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
