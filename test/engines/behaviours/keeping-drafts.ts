import { describe, expect, it } from '@jest/globals';
import { MINUTE } from '../../support/durations.js';
import type { Given } from '../support/given.js';
import { button, element, type Tab } from '../support/tab.js';

const TEXT = 'At the harbour';

const place = element('#place');
const value = `${place}.value`;
const isKept = `Object.keys(sessionStorage).some((key) => key.startsWith('idle-session:draft:'))`;

/** What a page does once it has seen whether the form was taken. */
const HAS_FETCHED_KEY = `performance.getEntriesByType('resource').some(({ name }) =>
  name.endsWith('/draft-key'))`;

export function keepsDrafts(given: Given): void {
  describe('A draft', () => {
    async function typed(tab: Tab): Promise<void> {
      await tab.type(place, TEXT);
      await tab.waitFor('the draft is kept', isKept);
    }

    async function restored(tab: Tab): Promise<void> {
      await tab.waitFor('the draft is offered', `${button('Restore')} !== undefined`);
      await tab.click(button('Restore'));
      await tab.waitFor('the text is there', `${value} === ${JSON.stringify(TEXT)}`);
    }

    it('is offered back after signing in again', async () => {
      const { tab } = await given.visit();
      await typed(tab);
      given.desk.leap(16 * MINUTE);
      await tab.check();
      await tab.arrivesAt('/login?reason=idle&returnTo=%2Fclaims%2Fnew');

      await tab.type(element('#username'), 'demo');
      await tab.type(element('#password'), 'demo');
      await tab.press('Enter');
      await tab.arrivesAt('/claims/new');
      expect(await tab.tell(value)).toBe('');
      await restored(tab);
    });

    it('is still there after its form came back with errors, and gone once that was taken', async () => {
      const { tab } = await given.visit();
      await typed(tab);
      await tab.pressButton(button('Send claim'));
      await tab.waitFor('there are errors', `document.querySelector('.errors') !== null`);
      await tab.waitFor('the page has looked at the drafts', HAS_FETCHED_KEY);
      await tab.open('/claims/new');
      await restored(tab);

      await tab.tell(`void (() => {
        document.querySelector('[name=kind]').checked = true;
        document.querySelector('#date').value = '2026-01-01';
        document.querySelector('#account').value = 'The river came in.';
      })()`);
      await tab.pressButton(button('Send claim'));
      await tab.waitFor('it was taken', `location.search.startsWith('?sent=')`);
      await tab.waitFor('the draft is gone', `!${isKept}`);
    });
  });
}
