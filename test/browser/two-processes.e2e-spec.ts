import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { ClaimsDesk } from '../support/claims-desk.js';
import { SECOND } from '../support/durations.js';
import { Stopwatch } from '../support/stopwatch.js';
import { RedisServer } from '../support/redis-server.js';
import { dialog, isCovered } from './support/watched-desk.js';

let one: ClaimsDesk;
let two: ClaimsDesk;
let browser: Browser;

beforeAll(async () => {
  const { url } = await RedisServer.start();
  const start = () => ClaimsDesk.start({ REDIS_URL: url });
  [one, two] = await Promise.all([start(), start()]);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await ClaimsDesk.killAll();
  await RedisServer.stopAll();
});

describe('A page of one process, with a stream open', () => {
  it('is covered within two seconds of a sign-out in another', async () => {
    const page = await browser.newPage();
    const form = { username: 'demo', password: 'demo' };
    await page.request.post(`${one.url}/login`, { form });
    const streaming = page.waitForResponse('**/api/notifications/stream');
    await page.goto(one.url);
    // Or the page would be left for the login page, and its cover could not be looked at.
    await page.evaluate(() => addEventListener('expired', (event) => event.preventDefault()));
    await streaming;
    const cookies = await page.context().cookies();
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');

    await two.ask.post('/logout').set('Cookie', cookie).expect(303);
    const stopwatch = new Stopwatch();
    await dialog(page).waitFor();
    expect(stopwatch.stop()).toBeLessThan(2 * SECOND);
    expect(await isCovered(page)).toBe(true);
  });
});
