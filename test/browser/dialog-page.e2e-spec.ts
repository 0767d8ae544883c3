import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { comesTrue } from '../support/browser.js';
import { MINUTE, SECOND } from '../support/durations.js';
import { violations } from './support/axe.js';
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

describe('The warning over a dialog of the app that hides all else from assistive technology', () => {
  const hidden = () =>
    page.evaluate(() => document.querySelector('#root')!.getAttribute('aria-hidden'));

  async function untilHidingIsWarned(): Promise<void> {
    await page.evaluate(() => {
      const root = document.createElement('div');
      root.id = 'root';
      const within = root.appendChild(document.createElement('div')).attachShadow({ mode: 'open' });
      within.append(document.querySelector('idle-session-dialog')!);
      document.body.append(root);
      root.ariaHidden = 'true';
    });
    await visit.pass(13 * MINUTE);
    await page.locator('idle-session-dialog #dialog').waitFor();
  }

  it('is told, and what it hides it hides again afterwards', async () => {
    await untilHidingIsWarned();
    expect(await dialog(page).isVisible()).toBe(true);
    expect(await violations(page)).toEqual([]);
    await page.evaluate(() => (document.querySelector('#root')!.ariaHidden = 'true'));
    await comesTrue(page, "document.querySelector('#root').ariaHidden !== 'true'");
    await stay(page).click();
    await gone(page);
    expect(await hidden()).toBe('true');
  });

  it.each([
    ['is gone', null],
    ['hides nothing more', 'false'],
  ])('leaves the page as it is where the dialog %s meanwhile', async (_, now) => {
    await untilHidingIsWarned();
    await page.evaluate((now) => (document.querySelector('#root')!.ariaHidden = now), now);
    await stay(page).click();
    await gone(page);
    expect(await hidden()).toBe(now);
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
