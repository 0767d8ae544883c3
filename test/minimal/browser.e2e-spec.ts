import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { Browser, Page } from 'playwright-core';
import { knowsSession, launchBrowser } from '../support/browser.js';
import { passes, startQuickStart } from './support/quick-start.js';

const SECOND = 1000;

let app: INestApplication;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  app = await startQuickStart();
  browser = await launchBrowser();
  page = await browser.newPage();
});
afterAll(async () => {
  await browser?.close();
  await app.close();
});

/** A person who is not there: time passes on the server, and the page asks how much is left. */
async function away(milliseconds: number): Promise<void> {
  passes(milliseconds);
  await page.evaluate(() => dispatchEvent(new Event('online')));
}

async function signIn(): Promise<void> {
  await page.getByLabel('Password').fill('demo');
  await page.getByRole('button', { name: 'Sign in' }).click();
}

it('warns in a browser, signs out, says why, and goes back after signing in again', async () => {
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  await page.goto(`http://localhost:${port}/login`);
  await page.getByText('Please sign in.').waitFor();
  await signIn();
  await page.getByRole('heading', { name: 'Hello, demo' }).waitFor();
  await knowsSession(page);

  await away(31 * SECOND);
  await page.getByRole('button', { name: 'Stay signed in' }).click();
  await page.getByRole('alertdialog').waitFor({ state: 'hidden' });

  await away(60 * SECOND);
  await page.getByText('we signed you out because you were inactive').waitFor();
  expect(new URL(page.url()).search).toBe('?reason=idle&returnTo=%2Faccount');
  await signIn();
  await page.getByRole('heading', { name: 'Hello, demo' }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/account');

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You have signed out.').waitFor();
});
