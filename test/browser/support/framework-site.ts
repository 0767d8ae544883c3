import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { comesTrue } from '../../support/browser.js';
import { MINUTE, PATIENCE_MS, SECOND } from '../../support/durations.js';
import { until } from '../../support/until.js';
import { isComplaint } from './complaint.js';

/** Counts the sessions of a page: each has a channel to the other tabs as long as it runs. */
const COUNT_SESSIONS = `
  window.sessions = { started: 0, running: 0 };
  window.BroadcastChannel = class extends BroadcastChannel {
    constructor(name) {
      super(name);
      sessions.started += 1;
      sessions.running += 1;
    }
    close() {
      super.close();
      sessions.running -= 1;
    }
  };
`;

/** A server with one page, whose script is what a build made, and the endpoints of a session that a test moves. */
export class FrameworkSite {
  /** What the page shows before its script has run. */
  html = '';
  script = '';
  deadline = 0;
  reachable = true;
  heartbeats: { idleForMs: number }[] = [];

  readonly #server = createServer((request, response) => {
    const answer = (body: string, type = 'application/json') =>
      response.writeHead(200, { 'Content-Type': type }).end(body);
    const { pathname } = new URL(request.url!, 'http://site');
    switch (`${request.method} ${pathname}`) {
      case 'GET /':
        answer(
          `<!doctype html><html lang="en"><title>A page</title>${this.html}
            <script type="module" src="/page.js"></script>`,
          'text/html',
        );
        break;
      case 'GET /page.js':
        answer(this.script, 'text/javascript');
        break;
      case 'GET /login':
        answer('<!doctype html><html lang="en"><title>Login</title>', 'text/html');
        break;
      case 'GET /idle-session/status':
        if (!this.reachable) return response.writeHead(503).end();
        answer(this.#status());
        break;
      case 'POST /idle-session/heartbeat':
        if (!this.reachable) return response.writeHead(503).end();
        this.heartbeats.push({ idleForMs: Number(request.headers['idle-for-ms']) });
        this.deadline = Date.now() + 15 * MINUTE;
        answer(this.#status());
        break;
      case 'POST /idle-session/sign-out':
        response.writeHead(this.reachable ? 204 : 503).end();
        break;
      default:
        response.writeHead(404).end();
    }
    return response;
  });

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** As before the first visit. */
  reset(): void {
    this.deadline = Date.now() + 15 * MINUTE;
    this.reachable = true;
    this.heartbeats = [];
  }

  #status(): string {
    return JSON.stringify({
      state: 'active',
      reason: null,
      expiresInMs: this.deadline - Date.now(),
      idleTimeoutMs: 15 * MINUTE,
      warnBeforeMs: 2 * MINUTE,
      absoluteExpiresInMs: null,
      sessionRef: 'ref',
      loginUrl: '/login',
    });
  }
}

/** A page of a browser, and what it complains about. */
export class WatchedPage {
  readonly complaints: string[] = [];

  private constructor(readonly page: Page) {}

  static async open(browser: Browser): Promise<WatchedPage> {
    const watched = new WatchedPage(await browser.newPage());
    const { page, complaints } = watched;
    page.setDefaultTimeout(PATIENCE_MS);
    await page.addInitScript(COUNT_SESSIONS);
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      // What tools say when they connect, and their advertisements.
      const isNoise = /^(\[vite\]|%cDownload the React DevTools)/.test(message.text());
      if (isComplaint(message.text()) && !isNoise) complaints.push(message.text());
    });
    return watched;
  }

  /** Says so, also behind the cover. */
  shows(state: string, before = 'Your session', timeout?: number): Promise<void> {
    const said = this.page.locator('[role=status]', { hasText: `${before}: ${state}` });
    return said.waitFor({ state: 'attached', timeout });
  }

  /** Saves again where the watcher of files has missed a change, as it may of two at once. */
  async showsOnceSaved(save: () => void, state: string, before?: string): Promise<void> {
    await until('the page shows what was saved', () => {
      save();
      return this.shows(state, before, 2 * SECOND).then(
        () => true,
        () => false,
      );
    });
  }

  sessions(): Promise<{ started: number; running: number }> {
    return this.page.evaluate('sessions');
  }

  /** Until so many are running. */
  async running(count: number): Promise<void> {
    await comesTrue(this.page, `sessions.running === ${count}`);
  }

  async close(): Promise<void> {
    await this.page.close();
    if (this.complaints.length > 0) throw new Error(this.complaints.join('\n'));
  }
}
