import { describe, expect, it } from '@jest/globals';
import { MINUTE } from '../../support/durations.js';
import type { Given } from '../support/given.js';
import { stay } from '../support/tab.js';

export function managesWithoutHttps(given: Given): void {
  describe('Without https', () => {
    it('the page warns, and follows the responses, without an error', async () => {
      const visit = await given.visit('/claims/new', given.desk.insecureUrl);
      const { tab } = visit;
      expect(await tab.tell('isSecureContext')).toBe(false);
      await tab.tell(`void (() => {
        window.errors = [];
        addEventListener('error', ({ message }) => errors.push(message));
      })()`);
      await visit.later(14 * MINUTE);
      await tab.warns();
      await tab.click(stay);
      await tab.isFree();
      expect(await visit.expiresInMs()).toBeGreaterThan(14 * MINUTE);

      expect(await tab.tell(`fetch('/api/me').then((response) => response.status)`)).toBe(200);
      await visit.later(MINUTE);
      expect(await tab.tell('errors')).toEqual([]);
    });
  });
}
