import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { MINUTE, SECOND } from '../support/durations.js';
import {
  button,
  dialog,
  gone,
  placeOf,
  stay,
  type Visit,
  WatchedDesk,
} from './support/watched-desk.js';

let desk: WatchedDesk;
let visit: Visit;
let first: Page;
let second: Page;

beforeAll(async () => {
  desk = await WatchedDesk.start();
});

afterAll(async () => {
  await desk?.close();
});

beforeEach(async () => {
  visit = await desk.visit();
  first = visit.page;
  second = await visit.newPage('/');
});

afterEach(async () => {
  await visit.close();
  expect(visit.complaints).toEqual([]);
});

async function untilBothWarn(): Promise<void> {
  await visit.pass(13 * MINUTE);
  await dialog(first).waitFor();
  await dialog(second).waitFor();
}

describe('Two tabs', () => {
  it('warn together, and a person who stays in one stays in the other', async () => {
    await untilBothWarn();
    await stay(first).click();
    await gone(first);
    await gone(second);
    await visit.pass(12 * MINUTE);
    expect(await dialog(first).count()).toBe(0);
    expect(await dialog(second).count()).toBe(0);
  });

  it('leave together, at once, when a person signs out in the dialog of one', async () => {
    await untilBothWarn();
    await button(first, 'Sign out').click();
    await second.waitForURL('**/login?*');
    expect(placeOf(second)).toBe('/login?reason=signed-out');
    await first.waitForURL('**/login?*');
  });

  it.each([
    ['that has a field named `method`', (form: HTMLFormElement) => form.requestSubmit()],
    ['that a script sends', (form: HTMLFormElement) => HTMLFormElement.prototype.submit.call(form)],
  ])('leave together, at once, when a person signs out with a form %s', async (_, send) => {
    // The stream of its first page would tell it, too.
    await second.goto(`${desk.url}/devices`);
    await visit.settled();
    const form = first.locator('form[action="/logout"]');
    await form.evaluate((element) => {
      element.append(Object.assign(document.createElement('input'), { name: 'method' }));
    });
    await form.evaluate(send);
    await second.waitForURL('**/login?*');
    expect(placeOf(second)).toBe('/login?reason=signed-out');
  });

  it('know of what a person does in only one of them', async () => {
    for (let minutes = 0; minutes < 20; minutes += 1) {
      await first.keyboard.press('Shift');
      await visit.pass(MINUTE);
    }
    expect(await dialog(second).count()).toBe(0);
    expect(placeOf(second)).toBe('/');
    expect(await visit.expiresInMs()).toBeGreaterThan(13 * MINUTE);
  });

  it('together send no more heartbeats than one a minute', async () => {
    const before = visit.requests.length;
    for (let halfMinutes = 0; halfMinutes < 20; halfMinutes += 1) {
      await first.keyboard.press('Shift');
      await second.keyboard.press('Shift');
      await visit.pass(30 * SECOND);
    }
    const beats = visit.sentSince(before).filter((sent) => sent.endsWith('/heartbeat'));
    expect(beats.length).toBeLessThanOrEqual(10);
    expect(beats.length).toBeGreaterThanOrEqual(5);
  });

  it('of two people have nothing to do with each other', async () => {
    const other = await desk.visit('/claims/new');
    await untilBothWarn();
    await button(first, 'Sign out').click();
    await second.waitForURL('**/login?*');
    await other.page.getByLabel('Place').fill('Still here');
    expect(placeOf(other.page)).toBe('/claims/new');
    expect(await other.expiresInMs()).toBe(2 * MINUTE);
    await other.close();
  });
});
