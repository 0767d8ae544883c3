import { describe, expect, it } from '@jest/globals';
import { MINUTE } from '../../support/durations.js';
import type { Given } from '../support/given.js';
import { element, signOut, STATE, stay, type Tab } from '../support/tab.js';

export function sharesTabs(given: Given): void {
  describe('Two tabs', () => {
    async function twoTabs() {
      const visit = await given.visit();
      const second = await visit.openTab('/devices');
      return { visit, first: visit.tab, second };
    }

    it('warn together, also in their titles; a person who stays in one stays in the other, and who signs out in one leaves both', async () => {
      const { visit, first, second } = await twoTabs();
      // Only the first asks the server.
      await visit.later(14 * MINUTE);
      await first.warns();
      await second.warns();
      const left = /^(1 min|[2-5]0 sec) left – /;
      expect(await first.tell('document.title')).toMatch(new RegExp(left.source + 'New claim'));
      expect(await second.tell('document.title')).toMatch(left);
      await first.click(stay);
      await first.isFree();
      await second.isFree();
      expect(await first.tell('document.title')).toBe('New claim – Claims desk');
      expect(await second.tell('document.title')).not.toMatch(left);
      await second.waitFor(
        'the other tab knows the time',
        `${STATE}.expiresAt > Date.now() + ${14 * MINUTE}`,
      );
      expect(await visit.expiresInMs()).toBeGreaterThan(14 * MINUTE);

      await visit.later(14 * MINUTE);
      await first.warns();
      await second.warns();
      await first.click(signOut);
      await first.arrivesAt('/login?reason=signed-out');
      await second.arrivesAt('/login?reason=signed-out');
    });

    it('end together, with the reason, also where only one has asked', async () => {
      const { first, second } = await twoTabs();
      given.desk.leap(16 * MINUTE);
      await first.check();
      await first.arrivesAt('/login?reason=idle&returnTo=%2Fclaims%2Fnew');
      await second.arrivesAt('/login?reason=idle&returnTo=%2Fdevices');
    });

    const signOutForm = element('form[action="/logout"]');

    it.each([
      ['with the form of one', (tab: Tab) => tab.click(`${signOutForm}.querySelector('button')`)],
      [
        'with a form of one that a script sends',
        // After the answer to this, which the page could not give any more.
        (tab: Tab) => tab.tell(`void setTimeout(() => ${signOutForm}.submit())`),
      ],
    ])('are covered when a person signs out %s', async (_, leave) => {
      const { first, second } = await twoTabs();
      await leave(first);
      await second.waitFor(
        'the other tab is covered',
        `location.pathname === '/login' || ${STATE}.covered`,
      );
      await second.arrivesAt('/login?reason=signed-out');
    });
  });
}
