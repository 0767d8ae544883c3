import { describe, expect, it } from '@jest/globals';
import { MINUTE, SECOND } from '../../support/durations.js';
import type { Given } from '../support/given.js';
import { SESSION, STATE } from '../support/tab.js';

/** All but a second of it is leapt over, once the page knows. */
const UNTIL_END_MS = 20 * SECOND;

/** Runs in the page; the next one can still read it. */
const NOTE_WHEN_COVERED = `void ${SESSION}.subscribe(() => {
  const { covered, expiresAt } = ${STATE};
  if (covered) sessionStorage.lateMs ??= Date.now() - expiresAt;
})`;

export function ends(given: Given): void {
  describe('The end', () => {
    it('covers the page by its own clock, and leads to the login page with the reason', async () => {
      const visit = await given.visit();
      const { tab } = visit;
      await tab.tell(NOTE_WHEN_COVERED);
      await visit.later(15 * MINUTE - UNTIL_END_MS);
      await tab.isHeard();
      // On a busy machine it takes seconds until the page knows.
      given.desk.leap(UNTIL_END_MS - SECOND);
      await tab.sleep(UNTIL_END_MS - SECOND);
      await tab.arrivesAt('/login?reason=idle&returnTo=%2Fclaims%2Fnew');
      expect(await tab.tell(`document.querySelector('h1').textContent`)).toBe(
        'For your security, we signed you out',
      );
      const lateMs = await tab.tell<number>('Number(sessionStorage.lateMs)');
      expect(lateMs).toBeGreaterThanOrEqual(-50);
    });

    it('is noticed by the 401 that a request of the page itself gets', async () => {
      const visit = await given.visit();
      const { tab } = visit;
      given.desk.leap(16 * MINUTE);
      await tab.tell(`void fetch('/api/me').then((response) => response.text())`);
      await tab.arrivesAt('/login?reason=idle&returnTo=%2Fclaims%2Fnew');
    });
  });
}
