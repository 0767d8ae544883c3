import { randomBytes, webcrypto } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { launchBrowser } from '../../support/browser.js';
import { isComplaint } from './complaint.js';
import { DraftSite } from './draft-site.js';
import { countPendingWork, type PendingWork } from './pending-work.js';

export const TEXT = 'The river came through the café door 🌊';

/** What the script in the page leaves there for the tests. */
interface PageWindow extends PendingWork {
  readonly session?: {
    getState(): {
      readonly state: string;
      readonly reason: string | null;
      readonly covered: boolean;
    };
  };
  readonly guard: () => () => void;
  readonly stop: () => void;
}

/** The site with guarded forms, and the browser of one person. Everything in it is new for each test. */
export class DraftPage extends DraftSite {
  page!: Page;
  private browser: Browser | undefined;
  private context!: BrowserContext;
  private complaints!: string[];

  /** One for all tests of a file. */
  static forEachTest(): DraftPage {
    const site = new DraftPage();
    beforeAll(() => site.start());
    afterAll(() => site.close());
    beforeEach(() => site.begin());
    afterEach(() => site.finish());
    return site;
  }

  readonly account = (): Locator => this.page.getByLabel('Account');
  readonly restore = (): Locator => this.page.getByRole('button', { name: 'Restore' });
  readonly discard = (): Locator => this.page.getByRole('button', { name: 'Discard' });
  readonly send = (): Locator => this.page.getByRole('button', { name: 'Send' });

  async signIn(owner: string, base = this.url): Promise<void> {
    const id = randomBytes(8).toString('hex');
    this.sessions.set(id, owner);
    await this.context.addCookies([{ name: 'sid', value: id, url: base }]);
  }

  /** Opens a page, and waits until all that a draft needs is done. */
  async open(path: string, base = this.url): Promise<void> {
    await this.page.goto(base + path);
    await this.arrived();
  }

  /** Waits until the page knows its session, and all that a draft needs is done. */
  async arrived(): Promise<void> {
    await this.page.waitForFunction(() => {
      const { session } = window as unknown as PageWindow;
      return session?.getState().state === 'active' || location.pathname === '/login';
    });
    await this.settled();
  }

  /** Waits until the page neither fetches nor encrypts anything, nor is about to make an offer. */
  async settled(): Promise<void> {
    await this.page.waitForFunction(() => (window as unknown as PageWindow).pendingWork === 0);
  }

  /** Guards the forms of the page as if what does so had only just been loaded. */
  async guardAnew(): Promise<void> {
    await this.page.evaluate(() => void (window as unknown as PageWindow).guard());
  }

  /** Stops guarding the forms of the page. */
  async stop(): Promise<void> {
    await this.page.evaluate(() => (window as unknown as PageWindow).stop());
  }

  /** Waits until the page is covered, as when the session has ended. */
  async covered(): Promise<void> {
    await this.page.waitForFunction(
      () => (window as unknown as PageWindow).session?.getState().covered,
    );
  }

  /** Waits until the page knows that the session has ended. */
  async ended(): Promise<void> {
    await this.page.waitForFunction(
      () => (window as unknown as PageWindow).session?.getState().reason,
    );
  }

  /** It is so much later on the pages that are opened from now on. */
  async advance(milliseconds: number): Promise<void> {
    await this.context.addInitScript((passed) => {
      const now = Date.now.bind(Date);
      Date.now = () => now() + passed;
    }, milliseconds);
  }

  /** The drafts, as they are in the storage of the tab. */
  stored(): Promise<[string, string][]> {
    return this.page.evaluate(() => Object.entries(sessionStorage) as [string, string][]);
  }

  async type(value = TEXT): Promise<void> {
    await this.account().fill(value);
    await this.settled();
  }

  async press(key: string): Promise<void> {
    await this.account().press(key);
    await this.settled();
  }

  /** Ada is signed in, and has typed what is kept as a draft now. */
  async adaHasTyped(): Promise<void> {
    await this.signIn('ada');
    await this.open('/form');
    await this.type();
    if ((await this.stored()).length !== 1) throw new Error('There is no draft');
  }

  /** What a stored draft says to a reader who has the key. */
  async contents(
    [name, item]: [string, string],
    owner = 'ada',
  ): Promise<[name: string, value: unknown][]> {
    const [at, , ...sealed] = item.split(',');
    const bytes = Uint8Array.from(sealed, Number);
    const raw = Buffer.from(this.keys.get(owner)!, 'base64url');
    const key = await webcrypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['decrypt']);
    const opened = await webcrypto.subtle.decrypt(
      { name: 'AES-GCM', iv: bytes.slice(0, 12), additionalData: Buffer.from(name + at) },
      key,
      bytes.slice(12),
    );
    return JSON.parse(Buffer.from(opened).toString());
  }

  private async start(): Promise<void> {
    await this.listen();
    this.browser = await launchBrowser(['--host-resolver-rules=MAP app.test 127.0.0.1']);
  }

  private async close(): Promise<void> {
    await this.browser?.close();
    this.closeServer();
  }

  private async begin(): Promise<void> {
    this.reset();
    this.complaints = [];
    this.context = await this.browser!.newContext();
    await this.context.addInitScript(countPendingWork);
    this.page = await this.context.newPage();
    this.page.on('pageerror', (error) => this.complaints.push(String(error)));
    this.page.on('console', (message) => {
      if (isComplaint(message.text())) this.complaints.push(message.text());
    });
  }

  private async finish(): Promise<void> {
    await this.context.close();
    if (this.complaints.length > 0) throw new Error(this.complaints.join('\n'));
  }
}
