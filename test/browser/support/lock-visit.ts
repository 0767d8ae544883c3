import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { launchBrowser } from '../../support/browser.js';
import { PATIENCE_MS, SECOND } from '../../support/durations.js';
import { countUnfinished, UNFINISHED } from '../../support/unfinished.js';
import { isComplaint } from './complaint.js';
import { LOCK_MS, LockSite } from './lock-site.js';
import { OpenRequests } from './open-requests.js';
import { stopTime } from './stop-time.js';

/** How often it looks whether the answers are there. */
const LOOKS = 2000;

/** The site that locks, and the browser of one person in which time passes only when the test says so. */
export class LockVisit extends LockSite {
  context!: BrowserContext;
  page!: Page;
  private browser: Browser | undefined;
  private unanswered!: OpenRequests;
  private complaints: string[] = [];

  /** One site for all tests of a file, and a browser's worth of cookies and tabs for each. */
  static forEachTest(): LockVisit {
    const visit = new LockVisit();
    beforeAll(async () => {
      await visit.listen();
      visit.browser = await launchBrowser();
    });
    afterAll(async () => {
      await visit.browser?.close();
      visit.closeServer();
    });
    beforeEach(() => visit.reset());
    afterEach(async () => {
      await visit.context?.close();
      expect(visit.complaints).toEqual([]);
    });
    return visit;
  }

  /** Opens the desk in a first tab. */
  async begin(options: BrowserContextOptions = {}): Promise<Page> {
    this.complaints = [];
    const context = await this.browser!.newContext(options);
    this.context = context;
    await stopTime(context);
    await countUnfinished(context);
    context.setDefaultTimeout(PATIENCE_MS);
    this.unanswered = new OpenRequests(context);
    context.on('weberror', (error) => this.complaints.push(String(error.error())));
    context.on('console', (message) => {
      if (isComplaint(message.text())) this.complaints.push(message.text());
    });
    this.page = await this.open();
    return this.page;
  }

  async open(): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(`${this.url}/desk`);
    await this.settled();
    return page;
  }

  async pass(milliseconds: number, stepMs = 10 * SECOND): Promise<void> {
    for (let left = milliseconds; left > 0; left -= stepMs) {
      const step = Math.min(left, stepMs);
      this.clock.advance(step);
      await this.context.clock.runFor(step);
      // However slow the machine is, no time passes that a page would wait in vain.
      if (this.unanswered.areAwaited) await this.settled();
    }
    await this.settled();
  }

  /** Lets time pass until the session is locked, and its pages know; at last slowly, as one tab after the other gets on. */
  async untilLocked(): Promise<void> {
    await this.pass(LOCK_MS - 5 * SECOND);
    await this.pass(6 * SECOND, SECOND / 2);
  }

  async settled(): Promise<void> {
    await this.unanswered.settled(() => this.isUnfinished(), LOOKS);
  }

  /** What the pages have sent since that many requests. */
  sentSince(count: number): string[] {
    return this.requests.slice(count).map(({ line }) => line);
  }

  private async isUnfinished(): Promise<boolean> {
    const counts = this.context.pages().map((page) => page.evaluate<number>(UNFINISHED));
    return (await Promise.all(counts.map((count) => count.catch(() => 0)))).some(Boolean);
  }
}
