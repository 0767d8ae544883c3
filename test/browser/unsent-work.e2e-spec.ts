import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { MINUTE, SECOND } from '../support/durations.js';
import { until } from '../support/until.js';
import { restoreOffered } from './support/each-visit.js';
import { button, dialog, placeOf, type Visit, WatchedDesk } from './support/watched-desk.js';

const IDLE_ON_CLAIM = '/login?reason=idle&returnTo=%2Fclaims%2Fnew';

let desk: WatchedDesk;
let context: BrowserContext;

beforeAll(async () => {
  desk = await WatchedDesk.start();
});
afterAll(async () => {
  await desk?.close();
});
afterEach(() => context.close());

async function open(path: string): Promise<Visit> {
  const visit = await desk.visit(path);
  context = visit.context;
  return visit;
}

/** What the warning says, as the page shows it. */
async function warningOn(path: string): Promise<string> {
  const visit = await open(path);
  await visit.pass(13 * MINUTE);
  return dialog(visit.page).innerText();
}

/** The message of the login page, for a person without a session. */
async function messageOn(address: string, options: BrowserContextOptions = {}): Promise<string> {
  context = await desk.newContext(options);
  const page = await context.newPage();
  // One that a browser does not trust, as it does this machine.
  await context.route('http://desk.test/**', async (route) => {
    const { pathname, search } = new URL(route.request().url());
    await route.fulfill({ response: await route.fetch({ url: desk.url + pathname + search }) });
  });
  await page.goto(address);
  const message = await page.getByRole('region').innerText();
  // The icon may still be on its way.
  await context.unrouteAll({ behavior: 'ignoreErrors' });
  return message;
}

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('User name').fill('demo');
  await page.getByLabel('Password').fill('demo');
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** What the claim form holds once the person has taken up the offer. */
async function restoredPlace(visit: Visit): Promise<string> {
  await visit.page.getByRole('heading', { name: 'New claim' }).waitFor();
  await (await restoreOffered(visit)).click();
  return visit.page.getByLabel('Place').inputValue();
}

describe('What a person has entered in a claim', () => {
  it('is kept, as the warning and the signed-out page say', async () => {
    const visit = await open('/claims/new');
    const { page } = visit;
    await page.getByLabel('Place').pressSequentially('Kitchen');
    await visit.settled();
    await visit.pass(13 * MINUTE + SECOND);
    await dialog(page).waitFor();
    expect(await dialog(page).innerText()).toContain('What you have entered will be kept.');

    await visit.pass(2 * MINUTE + SECOND);
    await until('the page has been left', () => placeOf(page) === IDLE_ON_CLAIM);
    await page.getByText('What you had entered in your claim is kept in this tab').waitFor();
    await signIn(page);
    expect(await restoredPlace(visit)).toBe('Kitchen');
  });

  it('is kept after a sign-out by hand, as the page says that follows', async () => {
    const visit = await open('/claims/new');
    const { page } = visit;
    await page.getByLabel('Place').pressSequentially('Kitchen');
    await visit.settled();
    await page.getByRole('banner').getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('A claim that you have begun is kept in this tab').waitFor();
    await signIn(page);
    await page.getByRole('link', { name: 'New claim' }).first().click();
    expect(await restoredPlace(visit)).toBe('Kitchen');
  });

  it.each([
    ['without scripts', () => messageOn(desk.url + IDLE_ON_CLAIM, { javaScriptEnabled: false })],
    ['on plain http', () => messageOn(`http://desk.test${IDLE_ON_CLAIM}`)],
  ])('is not kept %s, as the signed-out page says', async (_where, message) => {
    expect(await message()).toContain('could not be kept. Please enter it again.');
  });
});

describe('The warning', () => {
  it('says that a new e-mail address is not kept', async () => {
    expect(await warningOn('/account/email')).toContain('it will not be kept');
  });

  it('says that there is nothing to keep where there is not', async () => {
    expect(await warningOn('/devices')).toContain('There is nothing unsaved on this page.');
  });

  it('says it also where the end cannot be put off, and asks nobody to save what is kept', async () => {
    const strict = await WatchedDesk.start({ ABSOLUTE_TIMEOUT: '15m' });
    const visit = await strict.visit('/claims/new');
    context = visit.context;
    await visit.pass(13 * MINUTE);
    await button(visit.page, 'Continue').waitFor();
    const words = await dialog(visit.page).innerText();
    await strict.close();
    expect(words).toContain('What you have entered will be kept.');
    expect(words).toContain('You cannot stay signed in for longer.');
    expect(words).not.toContain('save your work');
  });
});
