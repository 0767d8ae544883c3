import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { ClaimsDesk } from '../support/claims-desk.js';
import { PATIENCE_MS, SECOND } from '../support/durations.js';
import { RedisServer } from '../support/redis-server.js';
import { dialog, gone, isCovered, placeOf } from './support/watched-desk.js';

let redis: RedisServer;
let one: ClaimsDesk;
let two: ClaimsDesk;
let browser: Browser;

beforeAll(async () => {
  redis = await RedisServer.start();
  const start = () => ClaimsDesk.start({ REDIS_URL: redis.url });
  [one, two] = await Promise.all([start(), start()]);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await ClaimsDesk.killAll();
  await RedisServer.stopAll();
});

/** A page of the demo user, in a browser of its own. */
async function signedIn(desk: ClaimsDesk, userAgent: string): Promise<Page> {
  const context = await browser.newContext({ userAgent });
  context.setDefaultTimeout(PATIENCE_MS);
  const form = { username: 'demo', password: 'demo' };
  await context.request.post(`${desk.url}/login`, { form });
  return context.newPage();
}

async function devicesOf(desk: ClaimsDesk, page: Page): Promise<string[]> {
  await page.goto(`${desk.url}/devices`);
  return page.getByRole('listitem').getByRole('heading').allTextContents();
}

async function statusOfMe(desk: ClaimsDesk, page: Page): Promise<number> {
  // The process may close an idle connection just as it is asked.
  const response = await page.request.get(`${desk.url}/api/me`, { maxRetries: 3 });
  return response.status();
}

async function isSignedIn(desk: ClaimsDesk, page: Page): Promise<boolean> {
  return (await statusOfMe(desk, page)) === 200;
}

describe('A person with three browsers, over two processes', () => {
  it('sees all three, ends one, and is limited to two at the next sign-in', async () => {
    const laptop = await signedIn(one, 'Firefox/143.0 (Windows NT 10.0)');
    const phone = await signedIn(two, 'Safari/605.1 (iPhone)');
    const tablet = await signedIn(two, 'Safari/605.1 (iPad)');
    expect((await devicesOf(one, laptop)).toSorted()).toEqual([
      'Firefox on Windows',
      'Safari on iPad',
      'Safari on iPhone',
    ]);
    expect(await devicesOf(two, phone)).toHaveLength(3);

    const streaming = phone.waitForResponse('**/api/notifications/stream');
    await phone.goto(two.url);
    // Or the page would be left for the login page, and its cover could not be looked at.
    const covered = phone.evaluate(
      () =>
        new Promise<number>((resolve) => {
          addEventListener('expired', (event) => {
            event.preventDefault();
            resolve(Date.now());
          });
        }),
    );
    await streaming;
    const answered = laptop.waitForResponse('**/sign-out');
    await laptop.getByRole('button', { name: /^Sign out Safari on iPhone/ }).click();
    const { startTime, responseStart } = (await answered).request().timing();
    const took = (await covered) - (startTime + responseStart);
    // By its stream, and not by the status that it asks for each half a minute without one.
    expect(took).toBeLessThan(20 * SECOND);
    await dialog(phone).waitFor();
    expect(await isCovered(phone)).toBe(true);
    await laptop.getByRole('status').getByText('It is signed out.').waitFor();
    expect(await devicesOf(two, tablet)).toEqual(['Safari on iPad', 'Firefox on Windows']);

    const limited = await ClaimsDesk.start({ REDIS_URL: redis.url, MAX_SESSIONS: '2' });
    const desktop = await signedIn(limited, 'Chrome/140.0 (Linux)');
    expect((await devicesOf(limited, desktop)).toSorted()).toEqual([
      'Chrome on Linux',
      'Safari on iPad',
    ]);
    expect(await isSignedIn(two, tablet)).toBe(true);
    expect(await isSignedIn(one, laptop)).toBe(false);
    await laptop.goto(one.url);
    expect(placeOf(laptop)).toMatch(/^\/login\?reason=revoked/);
  });

  it('is locked while away, in real time and in both processes, and goes on in mid-sentence', async () => {
    // Longer than a busy machine takes to show a page and to type in it.
    const env = { REDIS_URL: redis.url, LOCK_AFTER: '20s' };
    const [here, there] = await Promise.all([ClaimsDesk.start(env), ClaimsDesk.start(env)]);
    const page = await signedIn(here, 'Firefox/143.0 (Windows NT 10.0)');
    await page.goto(`${here.url}/claims/new`);
    const story = page.getByLabel('Tell us the whole story');
    await story.pressSequentially('The tree fell on the');
    await dialog(page).waitFor();
    expect(await isCovered(page)).toBe(true);
    expect(await statusOfMe(there, page)).toBe(401);
    await page.locator('#unlock-password').fill('demo');
    await page.keyboard.press('Enter');
    await gone(page);
    await page.keyboard.type(' shed');
    expect(await story.inputValue()).toBe('The tree fell on the shed');
    expect(await statusOfMe(there, page)).toBe(200);
  });
});
