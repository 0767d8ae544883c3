import { describe, expect, it } from '@jest/globals';
import { MINUTE } from '../../support/durations.js';
import { until } from '../../support/until.js';
import { everyThreeSeconds } from '../support/every-three-seconds.js';
import type { Given } from '../support/given.js';
import { dialogPart, element, stay } from '../support/tab.js';

/** Runs in the page. */
const STAY_ON_PAGE = `void document.addEventListener('expired', (event) => event.preventDefault())`;

/** Runs in the page. */
const COUNT_KEYS = `void (() => {
  window.keys = 0;
  addEventListener('keyup', () => setTimeout(() => (keys += 1)), true);
})()`;

/**
 * Runs in the page. On a busy machine, keys may come later than a person types them, and the event `warning` later than the
 * dialog opens.
 */
const STOP_CLOCK_AS_IT_OPENS = `void (() => {
  const { showModal } = HTMLDialogElement.prototype;
  HTMLDialogElement.prototype.showModal = function () {
    HTMLDialogElement.prototype.showModal = showModal;
    const now = performance.now();
    performance.now = () => now;
    this.showModal();
  };
})()`;

/** Runs in the page. Opened by the page itself and not by a person, as by a message that comes. */
const OPEN_POPOVER = `void (() => {
  const popover = document.createElement('p');
  popover.popover = 'manual';
  popover.textContent = 'Your claim CD-123456';
  // Away from the dialog's own place.
  popover.style.inset = '0 auto auto 0';
  document.body.append(popover);
  popover.showPopover();
})()`;

/** How large a part of the dialog is drawn; comes to a list of width and height. */
const sizeOf = (part: string) => `(() => {
  const { width, height } = ${dialogPart(part)}.getBoundingClientRect();
  return [width, height];
})()`;

const SCROLLED = `document.scrollingElement.scrollTop`;

/** Runs in the page. */
const SCROLL_DOWN = `void (() => {
  document.body.style.blockSize = '5000px';
  scrollTo({ top: 800, behavior: 'instant' });
})()`;

export function covers(given: Given): void {
  describe('The dialog', () => {
    it('shows the time once, keeps the focus on its first button, and lets nothing behind it scroll', async () => {
      const visit = await given.visit();
      const { tab } = visit;
      await tab.tell(SCROLL_DOWN);
      await visit.later(14 * MINUTE);
      await tab.warns();

      // As rounded, it is for assistive technology alone.
      const text = (part: string) => tab.tell<string>(`${dialogPart(part)}.textContent`);
      expect(await text('counter')).toMatch(/^(1:00|0:[2-5]\d)$/);
      expect(await text('time')).toMatch(/^(1 minute|[2-5]0 seconds)$/);
      const [, drawn] = await tab.tell<[number, number]>(sizeOf('counter'));
      expect(drawn).toBeGreaterThan(10);
      expect(await tab.tell(sizeOf('time'))).toEqual([1, 1]);
      expect(await tab.tell(`${dialogPart('counter')}.getAttribute('aria-hidden')`)).toBe('true');
      expect(await tab.tell(`${dialogPart('time')}.closest('[aria-hidden]') === null`)).toBe(true);

      await tab.click(dialogPart('heading'));
      await tab.click(dialogPart('text'));
      const focused = `${element('idle-session-dialog')}.shadowRoot.activeElement?.id`;
      expect(await tab.tell(focused)).toBe('stay');

      await tab.turnWheel();
      await tab.press('PageDown');
      await tab.isDrawn();
      expect(await tab.tell(SCROLLED)).toBe(800);
      await tab.click(stay);
      await tab.isFree();
      expect(await tab.tell(SCROLLED)).toBe(800);
      // A key scrolls what is drawn, not what comes next.
      await tab.isDrawn();
      const press = everyThreeSeconds(() => tab.press('PageDown'));
      await until('the page scrolls', async () => {
        await press();
        return await tab.tell<boolean>(`${SCROLLED} > 800`);
      });
    });

    it('is not answered by keys that a person typed as it opened', async () => {
      const visit = await given.visit();
      const { tab } = visit;
      await tab.click(element('#account'));
      for (let quarters = 0; quarters < 4; quarters += 1) {
        given.desk.leap(14 * MINUTE);
        await visit.actElsewhere();
      }
      await tab.tell(STOP_CLOCK_AS_IT_OPENS);
      await visit.later(3 * MINUTE);
      await tab.warns();
      await tab.tell(COUNT_KEYS);
      for (const key of ['a', ' ', 'Enter']) await tab.press(key);
      await tab.waitFor('the keys have come', 'keys === 3');
      expect(await tab.isOpen()).toBe(true);
      await tab.tell('void delete performance.now');

      await tab.click(stay);
      await tab.isFree();
    });

    it('says once that the service cannot be reached, and has no title of the page', async () => {
      const visit = await given.visit();
      const { tab } = visit;
      await visit.later(14 * MINUTE);
      await tab.warns();
      given.desk.isDown = true;
      try {
        await tab.click(stay);
        await tab.waitFor('it has failed', `!${dialogPart('message')}.hidden`);
        await tab.sleep(2 * MINUTE);
        await tab.isCovered();
        const heading = `${dialogPart('heading')}.textContent`;
        await tab.waitFor('it says so', `${heading} === 'We cannot reach the service'`);
        expect(await tab.tell(`${dialogPart('message')}.hidden`)).toBe(true);
        expect(await tab.tell('document.title')).toBe('We cannot reach the service');
      } finally {
        given.desk.isDown = false;
      }
    });

    it('covers also what the page opens later', async () => {
      const visit = await given.visit();
      const { tab } = visit;
      const page = await tab.picture();
      await tab.tell(STAY_ON_PAGE);
      given.desk.leap(16 * MINUTE);
      await tab.check();
      await tab.isCovered();
      const cover = await tab.stillPicture(page);
      await tab.tell(OPEN_POPOVER);
      await until('nothing of it is seen', async () => (await tab.picture()) === cover);
    });
  });
}
