import { chromium as playwright, type Browser } from 'playwright-core';
import { chromium } from './tools.js';

/** The system's Chromium, headless, kept from looking for anything outside this machine. */
export function launchBrowser(args: readonly string[] = []): Promise<Browser> {
  return playwright.launch({
    executablePath: chromium(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  });
}
