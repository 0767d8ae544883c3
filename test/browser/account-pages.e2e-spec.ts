import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { MINUTE } from '../support/durations.js';
import { violationsInAllColours } from './support/axe.js';
import { placeOf, type Visit, WatchedDesk } from './support/watched-desk.js';

let desk: WatchedDesk;
let visit: Visit;
let page: Page;

beforeAll(async () => {
  desk = await WatchedDesk.start();
});
afterAll(async () => {
  await desk?.close();
});
afterEach(async () => {
  await visit.close();
  expect(visit.complaints).toEqual([]);
});

async function open(path: string, options?: BrowserContextOptions): Promise<void> {
  visit = await desk.visit(path, options);
  page = visit.page;
}

/** Another browser of the same person, which these tests sign out in the end. */
async function signInElsewhere(userAgent = 'Firefox/143.0 (Windows)'): Promise<void> {
  const context = await desk.newContext({ userAgent });
  await desk.signIn(context);
  await context.close();
}

/** Presses Tab until something has the focus that is called that. */
async function tabTo(name: string | RegExp): Promise<void> {
  const target = page.locator(':focus').and(page.getByRole('button', { name }));
  const field = page.locator(':focus').and(page.getByLabel(name));
  const link = page.locator(':focus').and(page.getByRole('link', { name }));
  for (let presses = 0; presses < 30; presses++) {
    await page.keyboard.press('Tab');
    if (await target.or(field).or(link).count()) return;
  }
  throw new Error(`Tab does not lead to ${name}`);
}

async function loaded(text: string): Promise<void> {
  await page.getByText(text).first().waitFor();
  await visit.settled();
}

const STATES: [title: string, reach: () => Promise<void>][] = [
  [
    'Your devices',
    async () => {
      await signInElsewhere();
      await page.goto(`${desk.url}/devices`);
    },
  ],
  [
    'Your devices, one signed out',
    async () => {
      await signInElsewhere();
      await page.goto(`${desk.url}/devices`);
      await page.getByRole('button', { name: 'Sign out all others' }).click();
      await loaded('All others are signed out.');
    },
  ],
  [
    'E-mail address',
    async () => {
      await page.goto(`${desk.url}/account/email`);
    },
  ],
  [
    'E-mail address, wrong',
    async () => {
      await page.goto(`${desk.url}/account/email`);
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('alert').waitFor();
    },
  ],
  [
    'E-mail address, typed before the confirm',
    async () => {
      await page.goto(`${desk.url}/account/email`);
      await page.getByLabel('New e-mail address').fill('typed@example.com');
      await visit.pass(5 * MINUTE + 1);
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByLabel('Password').fill('demo');
      await page.getByRole('button', { name: 'Confirm' }).click();
      await loaded('Your new address is not saved yet.');
    },
  ],
  [
    'Confirm, with a wrong password',
    async () => {
      await page.goto(`${desk.url}/confirm`);
      await page.getByLabel('Password').fill('demos');
      await page.getByRole('button', { name: 'Confirm' }).click();
      await page.getByRole('alert').waitFor();
    },
  ],
];

describe('In light, dark and forced colours', () => {
  it.each(STATES)('"%s" has nothing that axe finds, and fits 320 pixels', async (_title, reach) => {
    await open('/claims/new', { viewport: { width: 320, height: 568 } });
    await reach();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    expect(await violationsInAllColours(page)).toEqual([]);
  });
});

describe('By keyboard alone', () => {
  it('a person finds their devices, and signs out one of them', async () => {
    await signInElsewhere('Safari/605.1 (iPad)');
    await open('/');
    await tabTo('Devices');
    await page.keyboard.press('Enter');
    await loaded('Safari on iPad');
    await tabTo(/^Sign out Safari on iPad/);
    await page.keyboard.press('Enter');
    await loaded('It is signed out.');
    expect(await page.getByRole('heading', { name: 'Safari on iPad' }).count()).toBe(0);
  });

  it('a person confirms, and changes the address that they had typed before', async () => {
    await open('/account/email');
    await tabTo('New e-mail address');
    await page.keyboard.type('typed@example.com');
    await visit.pass(5 * MINUTE + 1);
    await page.keyboard.press('Enter');
    await loaded('Confirm that it is you');
    expect(placeOf(page)).toBe('/confirm?reason=confirm&returnTo=%2Faccount%2Femail');
    await tabTo('Password');
    await page.keyboard.type('demo');
    await page.keyboard.press('Enter');
    await loaded('Your new address is not saved yet.');
    await tabTo('New e-mail address');
    await page.keyboard.press('Enter');
    await loaded('We write to typed@example.com.');
  });
});

describe('Without scripts', () => {
  it('the same forms work, and times are in UTC', async () => {
    const context = await desk.newContext({ javaScriptEnabled: false });
    visit = { close: () => context.close(), complaints: [] } as unknown as Visit;
    await desk.signIn(context);
    await signInElsewhere();
    const plain = await context.newPage();
    await plain.goto(`${desk.url}/devices`);
    expect(await plain.getByRole('listitem').first().textContent()).toContain('UTC');
    await plain.getByRole('button', { name: 'Sign out all others' }).click();
    await plain.getByText('You are signed in nowhere else.').waitFor();

    await plain.goto(`${desk.url}/account/email`);
    await plain.getByLabel('New e-mail address').fill('plain@example.com');
    desk.clock.advance(5 * MINUTE + 1);
    await plain.getByRole('button', { name: 'Save' }).click();
    await plain.getByLabel('Password').fill('demo');
    await plain.getByRole('button', { name: 'Confirm' }).click();
    await plain.getByRole('button', { name: 'Save' }).click();
    await plain.getByText('We write to plain@example.com.').waitFor();
  });
});
