import { describe, expect, it } from '@jest/globals';
import { MINUTE } from '../../support/durations.js';
import { until } from '../../support/until.js';
import type { Given } from '../support/given.js';
import type { Tab } from '../support/tab.js';

/** Comes to true once the worker stands between the page and the server. */
const REGISTER = `navigator.serviceWorker.register('/worker.js', { scope: '/worked' })
  .then(() => navigator.serviceWorker.controller !== null ||
    new Promise((resolve) =>
      navigator.serviceWorker.addEventListener('controllerchange', () => resolve(true))))`;

const ask = (tab: Tab, path: string) =>
  tab.tell(`fetch('${path}').then((response) => response.text()).then(() => true)`);

export function managesBehindWorker(given: Given): void {
  describe('Behind a service worker', () => {
    it('the warning goes away where a request of the page was activity, and for no response that the worker kept', async () => {
      const visit = await given.visit('/worked');
      const { tab } = visit;
      expect(await tab.tell(REGISTER)).toBe(true);
      await ask(tab, '/claims/new?keep');
      await visit.later(14 * MINUTE);
      await tab.warns();

      const before = given.desk.requests.length;
      await ask(tab, '/claims/new?keep');
      await until('the page asks the server', () => given.desk.requests.length > before);
      expect(given.desk.requests.slice(before)).toEqual(['GET /idle-session/status']);
      expect(await tab.isOpen()).toBe(true);

      await ask(tab, '/claims/new');
      await tab.isFree();
      expect(await visit.expiresInMs()).toBeGreaterThan(14 * MINUTE);
    });
  });
}
