import { describe, expect, it } from '@jest/globals';
import { MINUTE } from '../../support/durations.js';
import { until } from '../../support/until.js';
import type { Given } from '../support/given.js';
import { dialogPart, element, stay } from '../support/tab.js';

/** Runs in the page. */
const STAY_ON_PAGE = `void document.addEventListener('expired', (event) => event.preventDefault())`;

/** Runs in the page. */
const COUNT_KEYS = `void (() => {
  window.keys = 0;
  addEventListener('keyup', () => setTimeout(() => (keys += 1)), true);
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

export function covers(given: Given): void {
  describe('The dialog', () => {
    async function warned() {
      const visit = await given.visit();
      await visit.later(14 * MINUTE);
      await visit.tab.warns();
      return visit;
    }

    it('keeps the focus on its first button where a person clicks on its text', async () => {
      const { tab } = await warned();
      await tab.click(dialogPart('heading'));
      await tab.click(dialogPart('text'));
      const focused = `${element('idle-session-dialog')}.shadowRoot.activeElement?.id`;
      expect(await tab.tell(focused)).toBe('stay');
    });

    it('is not answered by keys that a person typed as it opened', async () => {
      const visit = await given.visit();
      const { tab } = visit;
      await tab.click(element('#account'));
      for (let quarters = 0; quarters < 4; quarters += 1) {
        given.desk.leap(14 * MINUTE);
        await visit.actElsewhere();
      }
      await visit.later(3 * MINUTE);
      await tab.warns();
      await tab.tell(COUNT_KEYS);
      for (const key of ['a', ' ', 'Enter']) await tab.press(key);
      await tab.waitFor('the keys have come', 'keys === 3');
      expect(await tab.isOpen()).toBe(true);

      await tab.click(stay);
      await tab.isFree();
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
