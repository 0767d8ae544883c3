import type { BrowserContext, CDPSession, Disposable, Page } from 'playwright-core';
import { PATIENCE_MS, SECOND } from '../../support/durations.js';
import { Visit, type WatchedDesk } from './watched-desk.js';
import { countUnfinished } from '../../support/unfinished.js';
import { until } from '../../support/until.js';

const COOKIE = 'test-time';

/**
 * For tabs that are hidden, frozen, left or framed. Pages read the time from a cookie, also when nothing could tell them
 * of it, and their timers run when they are told to. Nothing that happens in there passes for a person's doing.
 */
export class TabsVisit extends Visit {
  private passed = 0;
  private readonly frozen = new Set<Page>();
  private readonly devtools = new Map<Page, Promise<CDPSession>>();

  private constructor(
    desk: WatchedDesk,
    context: BrowserContext,
    private readonly scripts: Disposable[],
  ) {
    super(desk, context);
  }

  /** Somebody signed in, whose first page is open. */
  static async start(desk: WatchedDesk, context: BrowserContext, path = '/claims/new') {
    context.setDefaultTimeout(PATIENCE_MS);
    const scripts = [
      await context.addInitScript(takeOverTime, COOKIE),
      await countUnfinished(context),
    ];
    const empty = context.pages();
    const visit = new TabsVisit(desk, context, scripts);
    await desk.signIn(context);
    await visit.newPage(path);
    await Promise.all(empty.map((page) => page.close()));
    return visit;
  }

  /** Puts a tab in front of the others, which hides them. */
  async show(page: Page): Promise<void> {
    await page.bringToFront();
    await this.settled();
  }

  async freeze(page: Page): Promise<void> {
    this.frozen.add(page);
    await (await this.devtoolsOf(page)).send('Page.setWebLifecycleState', { state: 'frozen' });
    await until('it is frozen', () => this.tell(page, 'isFrozen'));
  }

  async resume(page: Page): Promise<void> {
    await (await this.devtoolsOf(page)).send('Page.setWebLifecycleState', { state: 'active' });
    this.frozen.delete(page);
    await this.runTimers();
    await this.settled();
  }

  override async pass(milliseconds: number, stepMs = milliseconds): Promise<void> {
    for (let left = milliseconds; left > 0; left -= stepMs) {
      await this.sleep(Math.min(left, stepMs));
      await this.runTimers();
      await this.settled();
    }
  }

  /** Lets time pass in which nothing runs in any tab. */
  async sleep(milliseconds: number): Promise<void> {
    this.passed += milliseconds;
    this.desk.clock.advance(milliseconds);
    await this.context.addCookies([
      { name: COOKIE, value: String(this.passed), url: this.desk.url },
    ]);
  }

  /** What the browser says of a page, without the user activation that Playwright gives to what it asks. */
  override async tell<T>(page: Page, expression: string): Promise<T> {
    const devtools = await this.devtoolsOf(page);
    const { result, exceptionDetails } = await devtools.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return result.value as T;
  }

  /** Runs the timers that are due. */
  async runTimers(): Promise<void> {
    await Promise.all(this.listening().map((page) => this.tell(page, 'runTimers()')));
  }

  /** Leaves the browser as it was, with an empty tab: the context of a desktop browser cannot be had anew. */
  override async close(): Promise<void> {
    this.context.removeAllListeners();
    await Promise.all(this.scripts.map((script) => script.dispose()));
    const pages = this.context.pages();
    await this.context.newPage();
    await Promise.all(pages.map((page) => page.close()));
    await this.context.clearCookies();
  }

  protected override listening(): Page[] {
    return this.context.pages().filter((page) => !this.frozen.has(page));
  }

  private devtoolsOf(page: Page): Promise<CDPSession> {
    const devtools = this.devtools.get(page) ?? this.context.newCDPSession(page);
    this.devtools.set(page, devtools);
    return devtools;
  }
}

/** To two seconds: what the server takes to answer is real time, and counts. */
export function isAbout(expectedMs: number, milliseconds: number): boolean {
  return Math.abs(milliseconds - expectedMs) <= 2 * SECOND;
}

/** Runs in the page. */
function takeOverTime(cookie: string): void {
  const timers = new Map<number, { at: number; run: () => void; every?: number }>();
  let last = 0;
  const passed = () => Number(new RegExp(`${cookie}=(\\d+)`).exec(document.cookie)?.[1] ?? 0);
  // The browser's own records keep the real time, beside which this is an hour ahead: they count as old news.
  const now = () => 3_600_000 + passed();
  const start = Date.UTC(2026, 0, 1, 9);
  const plan = (run: () => void, delayMs = 0, every?: number) => {
    last += 1;
    timers.set(last, { at: now() + delayMs, run, every });
    return last;
  };
  const cancel = (id: number) => void timers.delete(id);
  for (const type of ['freeze', 'resume'])
    document.addEventListener(type, () => Object.assign(window, { isFrozen: type === 'freeze' }));
  Object.assign(window, {
    isFrozen: false,
    setTimeout: (run: () => void, delayMs?: number) => plan(run, delayMs),
    setInterval: (run: () => void, everyMs: number) => plan(run, everyMs, everyMs),
    clearTimeout: cancel,
    clearInterval: cancel,
    runTimers: () => {
      for (const [id, timer] of Array.from(timers).sort(([, a], [, b]) => a.at - b.at)) {
        if (timer.at > now() || !timers.has(id)) continue;
        if (timer.every) timer.at = now() + timer.every;
        else timers.delete(id);
        timer.run();
      }
    },
  });
  Date.now = () => start + now();
  performance.now = now;
}
