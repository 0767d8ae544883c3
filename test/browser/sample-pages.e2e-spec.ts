import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { MemoryActivityStorage } from 'nestjs-idle-session';
import type { BrowserContext, Page } from 'playwright-core';
import { PATIENCE_MS } from '../support/durations.js';
import { violationsInAllColours } from './support/axe.js';
import { WatchedDesk } from './support/watched-desk.js';

const SMALL = { width: 320, height: 568 };

let desk: WatchedDesk;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  desk = await WatchedDesk.start();
});
afterAll(async () => {
  await desk?.close();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await context.close();
});

const go = (path: string) => page.goto(desk.url + path);
const press = (name: string) => page.getByRole('button', { name }).click();

async function sendClaim(place: string): Promise<void> {
  await go('/claims/new');
  await page.getByLabel('Water damage').check();
  await page.getByLabel('Day').fill('2026-01-31');
  await page.getByLabel('Place').fill(place);
  await page.getByLabel('Tell us the whole story').fill('A pipe burst.');
  await press('Send claim');
}

/** Each page that a person may come to, apart from those of their account. */
const SIGNED_OUT: [title: string, reach: () => Promise<unknown>, text: string][] = [
  ['the login page', () => go('/login'), 'Sign in as'],
  [
    'a wrong sign-in',
    async () => {
      await go('/login');
      await page.getByLabel('User name').fill('demo');
      await page.getByLabel('Password').fill('demos');
      await press('Sign in');
    },
    'Check both, then sign in again.',
  ],
  // Serious, with the longest text, and calm: the other reasons are the same page in other words.
  ...['revoked', 'signed-out'].map((reason): [string, () => Promise<unknown>, string] => [
    `the login page after "${reason}"`,
    () => go(`/login?reason=${reason}&returnTo=%2Fclaims%2Fnew`),
    'kept in this tab for a day',
  ]),
  ['a page that nobody knows', () => go('/nowhere'), 'Page not found'],
];

const SIGNED_IN: typeof SIGNED_OUT = [
  ['a claim that was sent', () => sendClaim('Kitchen'), 'We have your claim'],
  ['a claim with errors', () => sendClaim(''), 'Enter where it happened'],
  ['a page that nobody knows, signed in', () => go('/nowhere'), 'Demo user'],
  [
    'a page during an outage',
    () => {
      const read = jest.spyOn(MemoryActivityStorage.prototype, 'read');
      read.mockRejectedValue(new Error('The storage is down'));
      return go('/devices');
    },
    'Nobody signed you out',
  ],
];

async function open(): Promise<void> {
  context = await desk.newContext({ viewport: SMALL });
  context.setDefaultTimeout(PATIENCE_MS);
  page = await context.newPage();
}

async function expectGood(text: string): Promise<void> {
  await page.getByText(text).first().waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(SMALL.width);
  expect(await violationsInAllColours(page)).toEqual([]);
}

describe('In light, dark and forced colours', () => {
  it.each(SIGNED_OUT)(
    '"%s" has nothing that axe finds, and fits 320 pixels',
    async (_name, reach, text) => {
      await open();
      await reach();
      await expectGood(text);
    },
  );

  it.each(SIGNED_IN)(
    '"%s" has nothing that axe finds, and fits 320 pixels',
    async (_name, reach, text) => {
      await open();
      await desk.signIn(context);
      await reach();
      await expectGood(text);
    },
  );
});
