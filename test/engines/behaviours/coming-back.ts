import { describe, expect, it } from '@jest/globals';
import type { Given } from '../support/given.js';

/** What a browser tells of a page that it shows again is still there on the next page. */
const NOTE_WHETHER_KEPT = `void addEventListener('pageshow', ({ persisted }) =>
  sessionStorage.setItem('kept', String(persisted)))`;

/** On a busy machine Firefox does not keep one page of 150, and loads it anew. */
const TRIES = 3;

export function comesBack(given: Given): void {
  describe('A page that the browser kept', () => {
    it('tells the real reason of an end that came meanwhile', async () => {
      let isKept = false;
      for (let tries = 0; !isKept && tries < TRIES; tries++) {
        const visit = await given.visit('/kept');
        const { tab } = visit;
        await tab.tell(NOTE_WHETHER_KEPT);
        await tab.leaveFor('/other');
        await visit.revoke();
        await tab.back();
        await tab.arrivesAt('/login?reason=revoked&returnTo=%2Fkept');
        isKept = (await tab.tell(`sessionStorage.getItem('kept')`)) === 'true';
      }
      expect(isKept).toBe(true);
    });
  });
}
