import type { AddressInfo } from 'node:net';
import { Logger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { MemoryStore } from 'express-session';
import { MemoryActivityStorage } from 'nestjs-idle-session';
import { ManualClock } from 'nestjs-idle-session/testing';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { Users } from '../../../apps/sample/src/auth/users.js';
import { createApp } from '../../../apps/sample/src/create-app.js';
import { readSettings } from '../../../apps/sample/src/settings.js';
import { launchBrowser } from '../../support/browser.js';
import { MINUTE, PATIENCE_MS, SECOND } from '../../support/durations.js';
import { keepConnections } from '../../support/keep-connections.js';
import { countUnfinished, UNFINISHED } from '../../support/unfinished.js';
import { isComplaint } from './complaint.js';
import { OpenRequests } from './open-requests.js';
import { rememberPasswords } from './remember-passwords.js';
import { stopTime } from './stop-time.js';

/** For a test that holds an answer back, and would wait for it each time. */
export const FEW_LOOKS = 20;

/** How far the pages' clocks go at once, for the server's is moved just before, and those of several one after another. */
const stepOf = (pages: readonly Page[]) => (pages.length > 1 ? 10 * SECOND : MINUTE);

/** A request that a page sent, without its origin. */
export interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly idleForMs: string | undefined;
  /** By the server's clock. */
  readonly at: number;
}

/** The sample app, and a browser, in which time passes only when the test says so. */
export class WatchedDesk {
  private browser: Promise<Browser> | undefined;

  private constructor(
    private app: NestExpressApplication,
    private readonly create: () => Promise<NestExpressApplication>,
    readonly url: string,
    readonly clock: ManualClock,
  ) {}

  /** @param env settings of the sample app */
  static async start(env: Record<string, string> = {}): Promise<WatchedDesk> {
    Logger.overrideLogger(false);
    const clock = new ManualClock();
    const settings = readSettings({ SESSION_SECRET: 'a secret for the tests', ...env });
    const storage = new MemoryActivityStorage({ now: clock.now });
    const store = new MemoryStore();
    const create = async () => {
      const app = await createApp(settings, { storage, store });
      keepConnections(app.getHttpServer());
      rememberPasswords(app.get(Users));
      app.set('view cache', true);
      return app;
    };
    const app = await create();
    await app.listen(0, '127.0.0.1');
    const url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
    return new WatchedDesk(app, create, url, clock);
  }

  async close(): Promise<void> {
    await (await this.browser)?.close();
    await this.app.close();
  }

  /** Nobody listens until it is started again, with the sessions that it had. */
  async stop(): Promise<void> {
    // Chromium opens connections ahead, and Node would wait for a request on each of them for a minute.
    const closing = setInterval(() => this.app.getHttpServer().closeAllConnections(), 10);
    await this.app.close().finally(() => clearInterval(closing));
  }

  async startAgain(): Promise<void> {
    this.app = await this.create();
    await this.app.listen(new URL(this.url).port, '127.0.0.1');
  }

  /** Somebody with a browser of their own, signed in, whose first page is open. */
  async visit(path = '/claims/new', options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await this.newContext(options);
    await stopTime(context);
    await countUnfinished(context);
    context.setDefaultTimeout(PATIENCE_MS);
    const visit = new Visit(this, context);
    await this.signIn(context);
    await visit.newPage(path);
    return visit;
  }

  /** Signs somebody in without opening a page, which takes far longer. */
  async signIn(context: BrowserContext): Promise<void> {
    const form = { username: 'demo', password: 'demo' };
    await context.request.post(`${this.url}/login`, { form });
  }

  async newContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    this.browser ??= launchBrowser();
    return (await this.browser).newContext(options);
  }
}

/** A browser's worth of cookies and tabs. */
export class Visit {
  /** All that its pages asked for, in order. */
  readonly requests: SentRequest[] = [];
  /** What the pages complained of in their consoles, without what the browser says of failed requests. */
  readonly complaints: string[] = [];
  /** What the client said of answers that are not the server's own. */
  readonly warnings: string[] = [];
  /** How often it looks whether the answers are there: seldom in a test that holds one back. */
  looks = 600;
  private readonly unanswered: OpenRequests;

  constructor(
    protected readonly desk: WatchedDesk,
    readonly context: BrowserContext,
  ) {
    this.unanswered = new OpenRequests(context);
    context.on('request', (request) => {
      const { pathname, search } = new URL(request.url());
      this.requests.push({
        method: request.method(),
        path: pathname + search,
        idleForMs: request.headers()['idle-for-ms'],
        at: desk.clock.now(),
      });
    });
    context.on('weberror', (error) => this.complaints.push(String(error.error())));
    context.on('console', (message) => {
      if (/^\/idle-session\/\S+ \d+, see /.test(message.text())) this.warnings.push(message.text());
      else if (isComplaint(message.text())) this.complaints.push(message.text());
    });
  }

  /** The first page. */
  get page(): Page {
    return this.context.pages()[0]!;
  }

  async newPage(path: string): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(this.desk.url + path);
    await this.settled();
    return page;
  }

  /** Lets time pass, for the server and for the pages. */
  async pass(milliseconds: number, stepMs = stepOf(this.context.pages())): Promise<void> {
    for (let left = milliseconds; left > 0; left -= stepMs) {
      const step = Math.min(left, stepMs);
      this.desk.clock.advance(step);
      await this.context.clock.runFor(step);
      // However slow the machine is, no time passes that a page would wait in vain.
      if (this.unanswered.areAwaited) await this.settled();
    }
    await this.settled();
  }

  /** Waits until the pages have heard all answers, but not those that a test holds back. */
  async settled(): Promise<void> {
    await this.locksAnswered();
    await this.unanswered.settled(() => this.isUnfinished(), this.looks);
  }

  private async isUnfinished(): Promise<boolean> {
    const counts = this.listening().map((page) => this.tell<number>(page, UNFINISHED));
    // A page that is being left cannot answer.
    return (await Promise.all(counts.map((count) => count.catch(() => 0)))).some(Boolean);
  }

  /** The pages that can be asked. */
  protected listening(): Page[] {
    return this.context.pages();
  }

  /** What the browser says of a page. */
  tell<T>(page: Page, expression: string): Promise<T> {
    return page.evaluate<T>(expression);
  }

  /** Heartbeats wait for a lock before they are sent. */
  private async locksAnswered(): Promise<void> {
    const locks = (page: Page) => this.tell(page, 'navigator.locks?.query().then(() => {})');
    await Promise.all(this.listening().map((page) => locks(page).catch(() => {})));
  }

  /** What the pages sent to the endpoints since that many requests, without what drafts need. */
  sentSince(count: number): string[] {
    return this.requests
      .slice(count)
      .filter(({ path }) => !path.endsWith('/draft-key'))
      .map(({ method, path }) => `${method} ${path}`);
  }

  /** What the server says is left, asked by nobody's page. */
  async expiresInMs(): Promise<number> {
    const response = await this.context.request.get(`${this.desk.url}/idle-session/status`);
    return ((await response.json()) as { expiresInMs: number }).expiresInMs;
  }

  /** Does something with the same session, from elsewhere. */
  async actElsewhere(): Promise<void> {
    const url = `${this.desk.url}/idle-session/heartbeat`;
    const response = await this.context.request.post(url, { data: { idleForMs: 0 } });
    if (!response.ok()) throw new Error(`The heartbeat got ${response.status()}`);
  }

  close(): Promise<void> {
    return this.context.close();
  }
}

export function dialog(page: Page) {
  return page.locator('idle-session-dialog').getByRole('alertdialog');
}

export function heading(page: Page) {
  return page.locator('idle-session-dialog').getByRole('heading');
}

export function button(page: Page, name: string) {
  return page.locator('idle-session-dialog').getByRole('button', { name });
}

export const stay = (page: Page) => button(page, 'Stay signed in');

/** Waits until nothing of it is shown. */
export function gone(page: Page): Promise<void> {
  return dialog(page).waitFor({ state: 'hidden' });
}

/** Whether all of the page behind the dialog is hidden from sight. */
export async function isCovered(page: Page): Promise<boolean> {
  if (!(await dialog(page).isVisible())) return false;
  const colour = await dialog(page).evaluate(
    (element) => getComputedStyle(element, '::backdrop').backgroundColor,
  );
  return colour.startsWith('rgb(');
}

/** The address without its origin. */
export function placeOf(page: Page): string {
  const { pathname, search } = new URL(page.url());
  return pathname + search;
}
