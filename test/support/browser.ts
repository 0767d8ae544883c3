import { chromium as playwright, type Browser } from 'playwright-core';
import { headlessChromium } from './tools.js';

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
