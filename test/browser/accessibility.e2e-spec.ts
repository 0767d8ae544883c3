import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { MINUTE, SECOND } from '../support/durations.js';
import { violations } from './support/axe.js';
import { button, dialog, heading, type Visit, WatchedDesk } from './support/watched-desk.js';

/** What the sample's warning says of a claim. */
const KEPT = 'What you have entered will be kept.';

let desk: WatchedDesk;
let visit: Visit;
let page: Page;

beforeAll(async () => {
  // Both limits are met within a quarter of an hour: whoever stays once meets the second.
  desk = await WatchedDesk.start({ IDLE_TIMEOUT: '5m', WARN_BEFORE: '2m', ABSOLUTE_TIMEOUT: '7m' });
});

afterAll(async () => {
  await desk?.close();
});

afterEach(async () => {
  await visit.close();
  expect(visit.complaints).toEqual([]);
});

async function untilWarned(options?: BrowserContextOptions): Promise<void> {
  visit = await desk.visit('/claims/new', options);
  page = visit.page;
  await visit.pass(3 * MINUTE);
  await dialog(page).waitFor();
}

/** Has the page keep its dialog when the session is over. */
async function keepPage(): Promise<void> {
  await page.evaluate(() =>
    document.addEventListener('expired', (event) => event.preventDefault()),
  );
}

const STATES: [title: string, reach: () => Promise<void>][] = [
  ['You’re about to be signed out', async () => {}],
  [
    'We cannot reach the service',
    async () => {
      await visit.context.setOffline(true);
      await visit.pass(2 * MINUTE + 5 * SECOND);
    },
  ],
  [
    'For your security, we signed you out',
    async () => {
      await keepPage();
      await visit.pass(2 * MINUTE + SECOND);
    },
  ],
  [
    'You are signed out',
    async () => {
      await keepPage();
      await button(page, 'Sign out').click();
      await button(page, 'Continue').waitFor();
    },
  ],
];

describe('The dialog', () => {
  it.each(STATES)('"%s" has nothing that axe finds', async (title, reach) => {
    await untilWarned();
    await reach();
    expect(await heading(page).textContent()).toBe(title);
    expect(await violations(page)).toEqual([]);
  });

  it('has nothing that axe finds after a failure, and where nothing can be extended', async () => {
    await untilWarned();
    await visit.context.setOffline(true);
    await button(page, 'Stay signed in').click();
    await dialog(page).getByRole('alert').waitFor();
    expect(await violations(page)).toEqual([]);
    await visit.close();

    await untilWarned();
    await button(page, 'Stay signed in').click();
    await dialog(page).waitFor({ state: 'hidden' });
    await visit.pass(3 * MINUTE);
    await button(page, 'Continue').waitFor();
    expect(await dialog(page).textContent()).toContain('You cannot stay signed in for longer.');
    expect(await violations(page)).toEqual([]);
  });

  it('is a modal alert dialog to assistive technology, with its name and what it says', async () => {
    await untilWarned();
    const devtools = await visit.context.newCDPSession(page);
    const { nodes } = await devtools.send('Accessibility.getFullAXTree');
    const node = nodes.find(({ role }) => role?.value === 'alertdialog');
    expect(node?.name?.value).toBe('You’re about to be signed out');
    expect(node?.description?.value).toMatch(
      /^For your security, we will sign you out in 2 minutes ?\. What/,
    );
    const modal = node?.properties?.find(({ name }) => name === 'modal');
    expect(modal?.value.value).toBe(true);
    const focused = nodes.filter(({ properties }) =>
      properties?.some(({ name, value }) => name === 'focused' && value.value === true),
    );
    expect(focused.map(({ name }) => name?.value as unknown)).toContain('Stay signed in');
  });

  it.each([
    [
      'as it is',
      {},
      'For your security, we will sign you out in 2:00. What you have entered will be kept.',
    ],
    ['with a text of the page', { text: 'Soon, that is in {time}.' }, 'Soon, that is in 2:00.'],
    ['with a text that names none', { text: 'Soon.' }, 'Soon. 2:00'],
    ['with a text in its slot', { slot: 'Soon' }, 'Soon 2:00'],
  ])('shows one time, which counts, %s', async (_, own: { text?: string; slot?: string }, seen) => {
    visit = await desk.visit();
    page = visit.page;
    await page.evaluate(({ text, slot }) => {
      const host = document.querySelector('idle-session-dialog')!;
      if (text) host.setAttribute('text', text);
      if (slot)
        host.append(
          Object.assign(document.createElement('span'), { slot: 'text', textContent: slot }),
        );
    }, own);
    await visit.pass(3 * MINUTE);
    await dialog(page).waitFor();
    const shown = await dialog(page)
      .locator('#text')
      .evaluate((text) => {
        const walk = (node: Node): string => {
          if (node instanceof Text) return node.data;
          const element = node as Element;
          // What is clipped to nothing is for assistive technology.
          if (getComputedStyle(element).clipPath !== 'none') return '';
          const slotted = element instanceof HTMLSlotElement ? element.assignedNodes() : [];
          const parts = slotted.length > 0 ? slotted : [...element.childNodes];
          const block =
            getComputedStyle(element).display === 'block' && element !== text ? ' ' : '';
          return block + parts.map(walk).join('');
        };
        return walk(text);
      });
    expect(shown).toBe(seen);
  });

  it('speaks at a minute and at 60, 40 and 20 seconds only', async () => {
    await untilWarned();
    const spoken = dialog(page).getByRole('status');
    await spoken.evaluate((region) => {
      const heard: unknown[] = [];
      Object.assign(window, { heard });
      new MutationObserver(() => heard.push([Math.round(performance.now()), region.textContent]))
        // Nothing more than the text itself may change in there.
        .observe(region, { childList: true, characterData: true, subtree: true });
    });
    const start = await page.evaluate(() => performance.now());
    await visit.pass(2 * MINUTE - 2 * SECOND, SECOND);
    const heard = await page.evaluate(
      () => (window as unknown as { heard: [at: number, text: string][] }).heard,
    );
    const inSeconds = heard.map(([at, text]) => [Math.round((at - start) / SECOND), text]);
    expect(inSeconds).toEqual([
      [60, `For your security, we will sign you out in 1 minute. ${KEPT}`],
      [80, `For your security, we will sign you out in 40 seconds. ${KEPT}`],
      [100, `For your security, we will sign you out in 20 seconds. ${KEPT}`],
    ]);
  });

  it('can be used on a screen of 320 by 256 pixels', async () => {
    await untilWarned({ viewport: { width: 320, height: 256 } });
    for (const name of ['Stay signed in', 'Sign out']) {
      await button(page, name).scrollIntoViewIfNeeded();
      const box = (await button(page, name).boundingBox())!;
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.y).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(320);
      expect(box.y + box.height).toBeLessThanOrEqual(256);
      expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(24);
    }
    const overflow = await dialog(page).evaluate((all) => all.scrollWidth - all.clientWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  });
});
