import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { MemoryActivityStorage } from 'nestjs-idle-session';
import { ManualClock } from 'nestjs-idle-session/testing';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { createApp } from '../../apps/sample/src/create-app.js';
import { readSettings } from '../../apps/sample/src/settings.js';
import { launchBrowser } from '../support/browser.js';
import { MINUTE, PATIENCE_MS } from '../support/durations.js';

let app: NestExpressApplication;
let browser: Browser;
let url: string;
const clock = new ManualClock();

beforeAll(async () => {
  Logger.overrideLogger(false);
  app = await createApp(readSettings({ SESSION_SECRET: 'a secret for the tests' }), {
    storage: new MemoryActivityStorage({ now: clock.now }),
  });
  await app.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await app?.close();
});

async function signedIn(context: BrowserContext): Promise<Page> {
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  await page.goto(`${url}/claims/new`);
  await signIn(page);
  return page;
}

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('User name').fill('demo');
  await page.getByLabel('Password').fill('demo');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((address) => address.pathname !== '/login');
}

describe.each([true, false])('In a browser with scripts: %s', (javaScriptEnabled) => {
  it('a person who walks away is told why, with the focus on it, and comes back to where she was', async () => {
    const context = await browser.newContext({ javaScriptEnabled });
    const page = await signedIn(context);
    expect(new URL(page.url()).pathname).toBe('/claims/new');
    await page.waitForLoadState('networkidle');
    clock.advance(15 * MINUTE);
    // The page may just leave by itself, if only now it asks for the status.
    await page.reload().catch(() => {});
    await page.waitForURL('**/login?*');
    expect(new URL(page.url()).search).toBe('?reason=idle&returnTo=%2Fclaims%2Fnew');
    const message = page.locator(':focus').and(page.getByRole('region'));
    await message.getByRole('heading', { name: 'For your security, we signed you out' }).waitFor();
    expect(await context.cookies()).toEqual([]);
    await signIn(page);
    expect(new URL(page.url()).pathname).toBe('/claims/new');
    await context.close();
  });
});

describe('Requirement 1', () => {
  it('the session ends with the browser: its cookie has no date', async () => {
    const context = await browser.newContext();
    await signedIn(context);
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', expires: -1 });
    await context.close();
  });
});
