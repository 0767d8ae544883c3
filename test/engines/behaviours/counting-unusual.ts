import { describe, expect, it } from '@jest/globals';
import { MINUTE, PATIENCE_MS } from '../../support/durations.js';
import { until } from '../../support/until.js';
import type { EngineVisit } from '../support/engine-visit.js';
import { everyThreeSeconds } from '../support/every-three-seconds.js';
import type { Given } from '../support/given.js';
import { button, SESSION, STATE } from '../support/tab.js';

const IS_FRESH = `${STATE}.expiresAt > Date.now() + ${14 * MINUTE}`;

const TYPED = `window.popup?.document.querySelector('textarea').value`;

/** With a page of three minutes ago. */
async function atDesk(given: Given): Promise<EngineVisit> {
  const visit = await given.visit('/desk');
  await visit.later(3 * MINUTE);
  return visit;
}

/** Not in WebKitGTK, whose driver cannot do that. */
export function countsAssistiveTechnology(given: Given): void {
  describe('Somebody who uses assistive technology', () => {
    it('stays signed in with a click that assistive technology makes', async () => {
      const { tab } = await atDesk(given);
      await tab.doAsPerson(`document.querySelector('label').click()`);
      await tab.checkUntil('the page tells the server', IS_FRESH);
    });
  });
}

export function countsTheUnusual(given: Given): void {
  describe('Somebody whose doing is hard to see', () => {
    it('stays signed in with a long stroke on a canvas that keeps the events to itself', async () => {
      const visit = await atDesk(given);
      const { tab } = visit;
      await tab.pressMouse();
      await tab.checkUntil('the page tells the server of the button', IS_FRESH);
      await visit.later(3 * MINUTE);
      await tab.act('the moves', () => tab.moveMouse(), IS_FRESH);
      await tab.releaseMouse();
    });

    it('stays signed in with what they do in an iframe within shadow roots', async () => {
      const visit = await given.visit('/kept');
      const before = given.desk.requests.length;
      const framing = await visit.openEmptyTab();
      await framing.leaveFor('/framing');
      await until('the page knows its session', () =>
        given.desk.requests.slice(before).includes('GET /idle-session/status'),
      );
      await framing.waitFor('the frame is there', 'window.field !== undefined');
      await framing.isDrawn();
      given.desk.leap(3 * MINUTE);
      // For five seconds the browser says so to the page, which looks every four.
      const type = everyThreeSeconds(async () => {
        await framing.pressMouse();
        await framing.releaseMouse();
        await framing.press('x');
      });
      let times = 0;
      const isTold = async () => {
        await type();
        // Not the page itself: what a driver runs in it passes for a person's doing in some browsers.
        if (times++ % 25 === 0)
          await visit.tab.tell(`void new BroadcastChannel('check').postMessage('')`);
        return (await visit.expiresInMs()) > 14 * MINUTE;
      };
      await until('the page tells the server', isTold, PATIENCE_MS);
      expect(await framing.tell('field.value')).toMatch(/^x+$/);
    });

    it('is not seen in a popup, unless that tells of them', async () => {
      const visit = await atDesk(given);
      const { tab } = visit;
      await tab.click(button('Open'));
      await tab.waitFor('it is open', `${TYPED} === ''`);
      await tab.checkUntil('the page tells the server of the click', IS_FRESH);
      await visit.later(3 * MINUTE);

      const popup = await visit.lastTab();
      await popup.press('a');
      await tab.waitFor('it is typed', `${TYPED} === 'a'`);
      const before = given.desk.requests.length;
      await tab.check();
      await until('the page asks the server', () => given.desk.requests.length > before);
      expect(given.desk.requests.slice(before)).toEqual(['GET /idle-session/status']);

      await tab.tell(`void popup.addEventListener('keydown', ${SESSION}.touch)`);
      await popup.press('b');
      await tab.waitFor('it is typed', `${TYPED} === 'ab'`);
      await tab.checkUntil('the page tells the server of the key', IS_FRESH);
    });
  });
}
