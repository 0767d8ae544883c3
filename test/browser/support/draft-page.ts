import { randomBytes, webcrypto } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { build } from 'esbuild';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { launchBrowser } from '../../support/browser.js';
import { MINUTE } from '../../support/durations.js';

const CSP =
  "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'";

export const TEXT = 'The river came through the café door 🌊';

/** The tests' own page calls the client as an app's page would. */
const SCRIPT = `
  import { createIdleSession } from './index.ts';
  import { guardForms } from './drafts/guard-forms.ts';
  window.session = createIdleSession();
  window.stop = guardForms(window.session, '/idle-session');
`;

/** What the script in the page leaves there for the tests. */
interface PageWindow {
  readonly session?: { getState(): { readonly state: string; readonly covered: boolean } };
  readonly stop: () => void;
  readonly pendingWork: number;
}

/** A site with guarded forms, and the browser of one person. Everything in it is new for each test. */
export class DraftPage {
  page!: Page;
  /** The keys of drafts, by their owners. */
  keys!: Map<string, string>;
  formBody!: string;
  /** What the server does with a form that was sent. */
  answer!: 'done' | 'same page' | 'invalid' | 'broken';
  draftKeyStatus!: number | 'network error';
  draftKeyRequests!: number;
  url!: string;
  private browser: Browser | undefined;
  private context!: BrowserContext;
  private script!: string;
  /** The owners of sessions, by their ids. */
  private sessions!: Map<string, string>;
  private complaints!: string[];
  private readonly server = createServer((request, response) => {
    void this.serve(request, response).catch((error: Error) =>
      response.writeHead(500).end(error.stack),
    );
  });

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

  /** As the server does it: a request with the cookie is anonymous from now on. */
  endSessions(): void {
    this.sessions.clear();
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

  /** What a stored draft says to somebody who has the key. */
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
    this.script = await bundle();
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    this.browser = await launchBrowser(['--host-resolver-rules=MAP app.test 127.0.0.1']);
  }

  private async close(): Promise<void> {
    await this.browser?.close();
    this.server.closeAllConnections();
    this.server.close();
  }

  private async begin(): Promise<void> {
    this.keys = new Map(
      ['ada', 'bob'].map((owner) => [owner, randomBytes(32).toString('base64url')]),
    );
    this.sessions = new Map();
    this.formBody = `<form method="post" data-guard-forms>
      <label>Account <textarea name="account"></textarea></label>
      <label>Place <input name="place"></label>
      <button>Send</button>
    </form>`;
    this.answer = 'done';
    this.draftKeyStatus = 200;
    this.draftKeyRequests = 0;
    this.complaints = [];
    this.context = await this.browser!.newContext();
    await this.context.addInitScript(countPendingWork);
    this.page = await this.context.newPage();
    this.page.on('pageerror', (error) => this.complaints.push(String(error)));
    this.page.on('console', (message) => {
      // The browser's own remarks, on refused requests and password fields.
      if (!/^(Failed to load resource|\[DOM\])/.test(message.text()))
        this.complaints.push(message.text());
    });
  }

  private async finish(): Promise<void> {
    await this.context.close();
    if (this.complaints.length > 0) throw new Error(this.complaints.join('\n'));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const id = /sid=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
    const owner = this.sessions.get(id ?? '');
    const json = (status: number, body: object) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    const html = (body: string, status = 200) =>
      response.writeHead(status, {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Security-Policy': CSP,
        'Cache-Control': 'no-store',
      }).end(`<!doctype html><html lang="en"><title>A page</title>${body}
          <script type="module" src="/client.js"></script>`);
    const goTo = (place: string) => response.writeHead(303, { Location: place }).end();

    switch (`${request.method} ${pathname}`) {
      case 'GET /client.js':
        response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(this.script);
        return;
      case 'GET /idle-session/draft-key':
        this.draftKeyRequests += 1;
        if (this.draftKeyStatus === 'network error') request.socket.destroy();
        else if (this.draftKeyStatus !== 200)
          json(this.draftKeyStatus, { status: this.draftKeyStatus });
        else if (!owner) json(401, { status: 401 });
        else json(200, { key: this.keys.get(owner) });
        return;
      case 'GET /idle-session/status':
      case 'POST /idle-session/heartbeat':
        json(200, {
          state: owner ? 'active' : 'none',
          reason: null,
          expiresInMs: owner ? 15 * MINUTE : null,
          idleTimeoutMs: 15 * MINUTE,
          warnBeforeMs: 2 * MINUTE,
          absoluteExpiresInMs: null,
          sessionRef: owner ? `ref-${id}` : null,
          loginUrl: '/login',
        });
        return;
      case 'GET /login':
        html('<h1>Sign in</h1>');
        return;
      case 'POST /form':
      case 'POST /other':
        await text(request);
        if (!owner) goTo('/login');
        else if (this.answer === 'done') goTo('/done');
        else if (this.answer === 'same page') goTo(pathname);
        else if (this.answer === 'invalid') html(this.formBody, 422);
        else request.socket.destroy();
        return;
      case 'GET /form':
      case 'GET /other':
        if (owner) html(this.formBody);
        else goTo('/login');
        return;
      case 'GET /done':
        html('<h1>Thank you</h1>');
        return;
      default:
        response.writeHead(404).end();
    }
  }
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: SCRIPT,
      resolveDir: fileURLToPath(new URL('../../../libs/idle-session-client/src/', import.meta.url)),
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0]!.text;
}

/**
 * Runs in the page. Counts what is asked of the server and of the browser's encryption, and the short timers of offers,
 * until the code that waited for them has run.
 */
function countPendingWork(): void {
  const LONGEST_TIMER_MS = 150;
  const watched = window as unknown as { pendingWork: number };
  watched.pendingWork = 0;
  const [later, cancel] = [window.setTimeout, window.clearTimeout];
  const done = () => void later(() => (watched.pendingWork -= 1));
  const count = (owner: object, name: string) => {
    const method = Reflect.get(owner, name) as (...args: unknown[]) => Promise<unknown>;
    Reflect.set(owner, name, function counted(this: unknown, ...args: unknown[]) {
      watched.pendingWork += 1;
      const answer = method.apply(this, args);
      answer.then(done, done);
      return answer;
    });
  };
  count(window, 'fetch');
  count(Response.prototype, 'json');
  // Not there on an insecure page.
  if (crypto.subtle)
    for (const name of ['importKey', 'encrypt', 'decrypt']) count(SubtleCrypto.prototype, name);
  const timers = new Set<number>();
  Reflect.set(window, 'setTimeout', (run: () => void, delayMs = 0) => {
    if (delayMs > LONGEST_TIMER_MS) return later(run, delayMs);
    watched.pendingWork += 1;
    const timer = later(() => {
      if (timers.delete(timer)) done();
      run();
    }, delayMs);
    timers.add(timer);
    return timer;
  });
  Reflect.set(window, 'clearTimeout', (timer: number) => {
    if (timers.delete(timer)) done();
    cancel(timer);
  });
}
