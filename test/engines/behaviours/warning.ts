import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { MINUTE, SECOND } from '../../support/durations.js';
import type { Given } from '../support/given.js';
import { signOut, STATE, stay } from '../support/tab.js';

/** In real time. */
const UNTIL_WARNING_MS = 1.5 * SECOND;

/** Runs in the page. */
const NOTE_WHEN_WARNED = `void document.addEventListener('warning', () => {
  window.leftMs = ${STATE}.expiresAt - Date.now();
})`;

export function warns(given: Given): void {
  describe('The warning', () => {
    // In one page: to open it takes far longer than all the rest.
    it('comes when it is time to, can be answered with a click or with one key, and lets a person sign out', async () => {
      const visit = await given.visit();
      const { tab } = visit;
      await tab.tell(NOTE_WHEN_WARNED);
      await visit.later(13 * MINUTE - UNTIL_WARNING_MS);
      await tab.warns();
      const leftMs = await tab.tell<number>('leftMs');
      expect(leftMs).toBeLessThanOrEqual(2 * MINUTE + 50);
      expect(leftMs).toBeGreaterThan(MINUTE);
      await tab.click(stay);
      await tab.isFree();
      expect(await visit.expiresInMs()).toBeGreaterThan(14 * MINUTE);

      await visit.later(14 * MINUTE);
      await tab.warns();
      // Keys that come at once were meant for the page.
      await delay(SECOND);
      await tab.press('Escape');
      await tab.isFree();
      expect(await visit.expiresInMs()).toBeGreaterThan(14 * MINUTE);

      await visit.later(14 * MINUTE);
      await tab.warns();
      await tab.click(signOut);
      await tab.arrivesAt('/login?reason=signed-out');
    });
  });
}
