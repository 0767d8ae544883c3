import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Page, Route } from 'playwright-core';
import { MINUTE, SECOND } from '../support/durations.js';
import { eachVisit } from './support/each-visit.js';
import {
  dialog,
  FEW_LOOKS,
  gone,
  isCovered,
  placeOf,
  type Visit,
  type WatchedDesk,
} from './support/watched-desk.js';

const ENDPOINTS = '**/idle-session/*';
const STEP_MS = 5 * SECOND;

/** By then the page has tried again. */
const RETRIED_MS = 35 * SECOND;

const TEXT = 'At the old harbour';

let desk: WatchedDesk;
let visit: Visit;
let page: Page;

eachVisit((given) => ({ desk, visit, page } = given));

beforeEach(async () => {
  await place().fill(TEXT);
  await visit.settled();
});

const place = () => page.getByLabel('Place');

/** Has the page's requests answered otherwise, until it is told to stop. */
async function interfere(how: (route: Route) => Promise<void>): Promise<() => void> {
  let isOn = true;
  await visit.context.route(ENDPOINTS, (route) => (isOn ? how(route) : route.continue()));
  return () => {
    isOn = false;
  };
}

/** So slowly that answers come before the page, by its own clock, stops to wait for them. */
async function passSlowly(milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += STEP_MS) await visit.pass(STEP_MS);
}

/** To the page it is a minute to the end, to the server a quarter of an hour. */
async function untilExtendedElsewhere(): Promise<void> {
  await visit.pass(13 * MINUTE - STEP_MS, MINUTE);
  await passSlowly(2 * STEP_MS);
  await dialog(page).waitFor();
  await visit.pass(MINUTE - STEP_MS);
  await visit.actElsewhere();
}

async function isKept(): Promise<void> {
  expect(await isCovered(page)).toBe(true);
  expect(await dialog(page).locator('#counter').isVisible()).toBe(false);
  expect(placeOf(page)).toBe('/claims/new');
}

async function goesOn(): Promise<void> {
  await gone(page);
  expect(placeOf(page)).toBe('/claims/new');
  expect(await place().inputValue()).toBe(TEXT);
  expect(await visit.expiresInMs()).toBeGreaterThan(5 * MINUTE);
}

const html = { contentType: 'text/html', body: '<!doctype html><title>A page</title>' };

describe('Whoever is alive to the server is covered, but not signed out', () => {
  it.each<[string, (route: Route) => Promise<void>, number | null]>([
    ['by an error of the server', (route) => route.fulfill({ ...html, status: 500 }), null],
    ['by a page of a proxy', (route) => route.fulfill(html), 200],
    [
      'by a redirect to a sign-on page elsewhere',
      (route) => route.fulfill({ status: 302, headers: { Location: '/login' } }),
      0,
    ],
    [
      'by a proxy that wants a password of its own',
      (route) => route.fulfill({ ...html, status: 401 }),
      401,
    ],
    ['by a CSRF middleware', (route) => route.fulfill({ ...html, status: 403 }), 403],
    ['by a connection that breaks', (route) => route.abort('connectionreset'), null],
  ])('%s, and the console says it once if it is no outage', async (_, how, saidStatus) => {
    await untilExtendedElsewhere();
    const stop = await interfere(how);
    await passSlowly(MINUTE + STEP_MS);
    await isKept();
    await passSlowly(RETRIED_MS);
    await isKept();
    stop();
    await passSlowly(RETRIED_MS);
    await goesOn();
    const line = `/idle-session/status ${saidStatus}, see docs/troubleshooting.md`;
    expect(visit.warnings).toEqual(saidStatus === null ? [] : [line]);
  });

  it('by an answer that takes its time', async () => {
    await untilExtendedElsewhere();
    visit.looks = FEW_LOOKS;
    let answer = () => {};
    const held = new Promise<void>((resolve) => (answer = resolve));
    await interfere(async (route) => {
      await held;
      await route.continue();
    });
    await visit.pass(MINUTE + 5 * SECOND, 5 * SECOND);
    await isKept();
    answer();
    await goesOn();
  });

  it('by a restart of the server', async () => {
    await untilExtendedElsewhere();
    await desk.stop();
    await passSlowly(MINUTE + STEP_MS);
    await isKept();
    await desk.startAgain();
    await passSlowly(RETRIED_MS);
    await goesOn();
  });
});

describe('What a person did while the server could not be reached', () => {
  it('counts once it can be', async () => {
    const stop = await interfere((route) => route.fulfill({ ...html, status: 503 }));
    await visit.pass(5 * MINUTE, MINUTE);
    await place().press('Home');
    await visit.pass(5 * MINUTE, MINUTE);
    await place().press('End');
    await visit.pass(4 * MINUTE, MINUTE);
    expect(await visit.expiresInMs()).toBe(MINUTE);
    stop();
    await passSlowly(RETRIED_MS);
    expect(await visit.expiresInMs()).toBeGreaterThan(10 * MINUTE);
    await goesOn();
  });
});

describe('What the server asks to wait with Retry-After, the page waits', () => {
  // A server's clock, and not the page's.
  const now = Date.parse('2031-02-03T04:05:06Z');

  it.each([
    ['in seconds', '600'],
    ['as a date', new Date(now + 10 * MINUTE).toUTCString()],
  ])('%s', async (_, retryAfter) => {
    await untilExtendedElsewhere();
    let asked = 0;
    const headers = { Date: new Date(now).toUTCString(), 'Retry-After': retryAfter };
    await interfere(async (route) => {
      asked++;
      await route.fulfill({ ...html, status: 503, headers });
    });
    await passSlowly(MINUTE + STEP_MS);
    expect(asked).toBe(1);
    await passSlowly(5 * MINUTE);
    expect(asked).toBe(1);
  });
});
