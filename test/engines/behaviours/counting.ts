import { describe, expect, it } from '@jest/globals';
import { MINUTE } from '../../support/durations.js';
import { until } from '../../support/until.js';
import type { Given } from '../support/given.js';
import { element, STATE, type Tab } from '../support/tab.js';

export function counts(given: Given): void {
  describe('Somebody who works in the page', () => {
    const ways: [string, (tab: Tab) => Promise<void>][] = [
      ['a turn of the wheel', (tab) => tab.turnWheel()],
      ['a key', (tab) => tab.press('Shift')],
      ['text', (tab) => tab.type(element('#place'), 'At')],
      ['a click', (tab) => tab.click(element('h1'))],
      ['a move of the mouse', (tab) => tab.moveMouse()],
    ];

    // In one page: to open it takes far longer than all the rest.
    it(`stays signed in with ${ways.map(([way]) => way).join(', ')}, and not by what the driver asks the page`, async () => {
      const visit = await given.visit();
      for (const [way, act] of ways) {
        await visit.later(3 * MINUTE);
        const isFresh = `${STATE}.expiresAt > Date.now() + ${14 * MINUTE}`;
        await visit.tab.act(way, () => act(visit.tab), isFresh);
        expect(await visit.expiresInMs()).toBeGreaterThan(14 * MINUTE);
      }
      await visit.later(10 * MINUTE);
      await visit.later(2 * MINUTE);
      expect(await visit.expiresInMs()).toBeLessThan(3 * MINUTE);
    });
  });

  describe('Somebody who does nothing', () => {
    it('is not kept signed in by scripts that click and write', async () => {
      const visit = await given.visit('/kept');
      const carousel = await visit.openEmptyTab();
      const before = given.desk.requests.length;
      const asked = (request: string) => given.desk.requests.slice(before).includes(request);
      await carousel.leaveFor('/carousel');
      await until('the page knows its session', () => asked('GET /idle-session/status'));
      given.desk.leap(10 * MINUTE);
      const turn = `void new BroadcastChannel('carousel').postMessage('turn')`;
      await visit.tab.tell(turn);
      await until('it has turned', () => asked('GET /turned'));
      expect(await visit.expiresInMs()).toBeLessThan(6 * MINUTE);
      expect(await carousel.tell(`document.querySelector('textarea').value`)).toBe('aaa');
    });
  });
}
