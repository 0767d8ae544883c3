import { chromium as playwright, type Browser, type Page } from 'playwright-core';
import { headlessChromium } from './tools.js';
import { until } from './until.js';

/** Keeps Chromium from looking for anything outside this machine. */
export const BROWSER_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The system's Chromium, headless, as tests need it that look only at pages. */
export function launchBrowser(args: readonly string[] = []): Promise<Browser> {
  return playwright.launch({
    executablePath: headlessChromium(),
    args: [...BROWSER_ARGS, ...args],
  });
}

/**
 * Waits until an expression is true in a page, also in one whose Content-Security-Policy forbids `eval()`: there,
 * `page.waitForFunction()` takes a function, and an expression only if it is true at once.
 */
export async function comesTrue(page: Page, expression: string): Promise<void> {
  await until(expression, async () => (await page.evaluate(expression)) === true);
}

/** Waits until the client of a page knows its session: before that, its question may be on its way already. */
export async function knowsSession(page: Page): Promise<void> {
  await comesTrue(
    page,
    `document.querySelector('idle-session-dialog')?.session?.getState().state === 'active'`,
  );
}
