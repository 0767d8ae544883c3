import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { MINUTE, SECOND } from '../support/durations.js';
import { button, dialog, gone, type Visit, WatchedDesk } from './support/watched-desk.js';

let desk: WatchedDesk;
let visit: Visit;
let page: Page;

beforeAll(async () => {
  desk = await WatchedDesk.start({ IDLE_TIMEOUT: '5m', WARN_BEFORE: '2m', ABSOLUTE_TIMEOUT: '7m' });
});

afterAll(async () => {
  await desk?.close();
});

afterEach(async () => {
  await visit.close();
  expect(visit.complaints).toEqual([]);
});

const place = () => page.getByLabel('Place');

/** A person who has written something, and goes on when the dialog opens. */
async function write(untilWarned: number): Promise<void> {
  visit = await desk.visit();
  page = visit.page;
  await place().fill('At');
  await visit.pass(untilWarned);
  await dialog(page).waitFor();
}

/** The same, where the absolute limit is what is near. */
async function writeToTheLast(): Promise<void> {
  await write(3 * MINUTE);
  await button(page, 'Stay signed in').click();
  await gone(page);
  await visit.pass(2 * MINUTE);
  await button(page, 'Continue').waitFor();
}

/** As fast as a person types. */
async function type(text: string): Promise<void> {
  for (const key of text) {
    await page.keyboard.press(key === ' ' ? 'Space' : key);
    await visit.pass(200);
  }
}

describe('Keys that were meant for the page', () => {
  it('do not answer the warning that has just opened', async () => {
    await write(3 * MINUTE);
    const before = visit.requests.length;
    await type(' the old harbour ');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await visit.settled();
    expect(await dialog(page).isVisible()).toBe(true);
    expect(visit.sentSince(before)).toEqual([]);
    await visit.pass(SECOND);
    await page.keyboard.press('Enter');
    await gone(page);
    expect(await visit.expiresInMs()).toBe(4 * MINUTE - 4400);
  });

  it('do not sign out a person who types a tab and a space', async () => {
    await write(3 * MINUTE);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await visit.settled();
    expect(await dialog(page).isVisible()).toBe(true);
    expect(new URL(page.url()).pathname).toBe('/claims/new');
  });

  it('do not put away for good what says that nothing can be extended', async () => {
    await writeToTheLast();
    await type(' the river');
    await page.keyboard.press('Enter');
    await visit.pass(SECOND);
    expect(await dialog(page).isVisible()).toBe(true);
  });

  it('answer once the person has paused for a second, but not while one is held down', async () => {
    await writeToTheLast();
    await visit.pass(SECOND);
    await page.keyboard.down('Enter');
    await gone(page);
    await page.keyboard.up('Enter');
  });
});
