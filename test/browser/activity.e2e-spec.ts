import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { MINUTE, SECOND } from '../support/durations.js';
import { eachVisit } from './support/each-visit.js';
import type { Visit } from './support/watched-desk.js';

let visit: Visit;
let page: Page;

eachVisit((given) => ({ visit, page } = given));

const beatsSince = (count: number) =>
  visit.requests.slice(count).filter(({ path }) => path === '/idle-session/heartbeat');

describe('Somebody who works in the page', () => {
  it('may type for half an hour, is never warned, and sends at most one heartbeat a minute', async () => {
    await page.evaluate(() =>
      document.addEventListener('warning', () => (document.title = 'It warned')),
    );
    const story = page.getByLabel('Tell us the whole story');
    await story.focus();
    const before = visit.requests.length;
    for (let passed = 0; passed < 30 * MINUTE; passed += 20 * SECOND) {
      await page.keyboard.press('a');
      await visit.pass(20 * SECOND, 20 * SECOND);
    }
    expect(await page.title()).toBe('New claim – Claims desk');
    expect(await story.inputValue()).toBe('a'.repeat(90));
    expect(await visit.expiresInMs()).toBeGreaterThan(13 * MINUTE);

    const beats = beatsSince(before);
    const gaps = beats.slice(1).map(({ at }, index) => at - beats[index]!.at);
    expect(beats.length).toBeGreaterThan(15);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(MINUTE);
    const others = visit.sentSince(before).filter((sent) => !sent.includes('/idle-session/'));
    expect(others).toEqual([]);
  });

  it('counts from what they last did, not from when the server got the heartbeat', async () => {
    await visit.pass(5 * SECOND);
    await page.keyboard.press('Shift');
    const before = visit.requests.length;
    // Each second waits for the answers in it: those of the server would else come from a later one.
    for (let passed = 0; passed < MINUTE; passed += SECOND) await visit.pass(SECOND);
    expect(beatsSince(before)).toHaveLength(1);
    // The server's clock is up to a step ahead of the page's.
    const behind = Math.abs((await visit.expiresInMs()) - 14 * MINUTE);
    expect(behind).toBeLessThanOrEqual(2 * SECOND);
  });

  it('does not count where scripts do what people do', async () => {
    const before = visit.requests.length;
    await page.evaluate(() => {
      const field = document.querySelector('textarea')!;
      for (const type of ['keydown', 'input', 'pointerdown', 'wheel', 'touchmove', 'pointermove'])
        field.dispatchEvent(new Event(type, { bubbles: true }));
      field.focus();
      field.click();
      scrollTo(0, 500);
    });
    await visit.pass(2 * MINUTE);
    expect(beatsSince(before)).toEqual([]);
  });
});

// In real time: each step that a test makes in a page is to the browser as if a person had acted there.
