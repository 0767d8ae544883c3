import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MINUTE, PATIENCE_MS, SECOND } from '../support/durations.js';
import { TabsVisit } from './support/tabs-visit.js';
import { dialog, placeOf, WatchedDesk } from './support/watched-desk.js';

const TABS = 10;

let desk: WatchedDesk;
let visit: TabsVisit;

beforeAll(async () => {
  desk = await WatchedDesk.start({ IDLE_TIMEOUT: '5m' });
  const context = await desk.newContext();
  await context.addInitScript(waitLonger);
  visit = await TabsVisit.start(desk, context);
  // No test holds an answer back here.
  visit.settlingMs = PATIENCE_MS;
  const others = Array.from({ length: TABS - 1 }, () => visit.newPage('/claims/new'));
  await Promise.all(others);
});

afterAll(async () => {
  await desk?.close();
});

/** Runs in the page. A busy machine takes longer for everything, so that pages have to wait longer, too. */
function waitLonger(): void {
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (milliseconds) => timeout(20 * milliseconds);
}

describe('Ten tabs in which somebody types at once', () => {
  it('together send at most one heartbeat a minute, and none is warned or signed out', async () => {
    const pages = visit.context.pages();
    const fields = pages.map((page) => page.getByLabel('Place'));
    await Promise.all(fields.map((field) => field.focus()));

    const before = visit.requests.length;
    for (let passed = 0; passed < 6 * MINUTE; passed += 30 * SECOND) {
      await Promise.all(pages.map((page) => page.keyboard.press('a')));
      await visit.pass(30 * SECOND);
      const dialogs = await Promise.all(pages.map((page) => dialog(page).count()));
      expect(dialogs).toEqual(Array(TABS).fill(0));
    }

    const beats = visit.requests
      .slice(before)
      .filter(({ path }) => path === '/idle-session/heartbeat');
    const gaps = beats.slice(1).map(({ at }, index) => at - beats[index]!.at);
    expect(beats.length).toBeGreaterThanOrEqual(3);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(MINUTE);
    expect(await visit.expiresInMs()).toBeGreaterThan(3 * MINUTE);
    expect(pages.map(placeOf)).toEqual(Array(TABS).fill('/claims/new'));
    for (const field of fields) expect(await field.inputValue()).toBe('a'.repeat(12));
    expect(visit.complaints).toEqual([]);
  });
});
