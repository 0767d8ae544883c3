import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json as readJson } from 'node:stream/consumers';
import { build } from 'esbuild';
import { ManualClock } from 'nestjs-idle-session/testing';
import { FakeServer } from '../../../libs/idle-session-client/testing/fake-server.js';
import { HOUR, MINUTE } from '../../support/durations.js';

const ROOT = join(import.meta.dirname, '../../..');

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; require-trusted-types-for 'script'";

export const PASSWORD = 'the old harbour';

export const LOCK_MS = 15 * MINUTE;

/** A site whose session is locked, by the server's rule, and as much of a server as its pages need. */
export class LockSite {
  readonly clock = new ManualClock();
  session!: FakeServer;
  /** What the pages sent, in order, such as `GET /idle-session/status`, and what they sent along. */
  requests: { readonly line: string; readonly body: unknown }[] = [];
  url!: string;
  /** The form in the slot `unlock`; empty: there is none. */
  unlockForm!: string;
  lang!: string;
  private readonly scripts = new Map<string, string>();
  private readonly server = createServer((request, response) => {
    void this.serve(request, response).catch((error: Error) =>
      response.writeHead(500).end(error.stack),
    );
  });

  async listen(): Promise<void> {
    this.scripts.set(
      '/idle-session/client.js',
      await bundle('libs/idle-session-client/src/client.ts'),
    );
    this.scripts.set('/lock.js', await bundle('docs/examples/browser/lock.ts'));
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  closeServer(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Somebody has just signed in. */
  reset(): void {
    this.session = new FakeServer(this.clock.now, {
      idleTimeoutMs: HOUR,
      warnBeforeMs: 2 * MINUTE,
      absoluteTimeoutMs: false,
      lockAfterMs: LOCK_MS,
    });
    this.session.signIn();
    this.requests = [];
    this.lang = 'en';
    this.unlockForm = FORM;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const line = `${request.method} ${pathname}`;
    const body = await bodyOf(request);
    this.requests.push({ line, body });
    const script = this.scripts.get(pathname);
    if (script) return send(response, 'text/javascript', script);
    if (pathname === '/page.css') return send(response, 'text/css', STYLES);
    if (pathname === '/desk') return send(response, 'text/html; charset=utf-8', this.desk());
    if (request.method === 'GET' && /^\/(unlock|login)$/.test(pathname))
      return send(response, 'text/html; charset=utf-8', page(this.lang, `<h1>${pathname}</h1>`));
    if (pathname === '/favicon.ico') return void response.writeHead(404).end();

    const { password } = (body ?? {}) as { password?: string };
    const tried = password === PASSWORD ? 'right password' : 'wrong password';
    const asked = line === 'POST /unlock' ? tried : pathname.replace('/idle-session/', '');
    const { status, body: answer, remainingMs, state } = this.session.handle(asked, body);
    response.writeHead(status, {
      'Content-Type': 'application/json',
      ...(state && { 'Server-Timing': `idle-session;desc=${state};dur=${remainingMs}` }),
    });
    response.end(JSON.stringify(answer));
  }

  private desk(): string {
    return page(
      this.lang,
      `<main>
        <h1>Desk</h1>
        <p id="story">Once upon a time there was a river.</p>
        <details><summary>More</summary><p>Of the river</p></details>
        <button popovertarget="menu">Menu</button>
        <ul id="menu" popover><li><button id="item">An item</button></li></ul>
        <div id="diary" contenteditable aria-label="Diary" role="textbox">A note of the river</div>
        <div id="gap"></div>
        <label>Letter <textarea id="letter"></textarea></label>
        <div id="rest"></div>
      </main>
      <idle-session-dialog>${this.unlockForm}</idle-session-dialog>`,
    );
  }
}

/** What was posted; of the client's own requests how long the person was idle, which is in a header. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  if (request.method !== 'POST') return undefined;
  const idleForMs = request.headers['idle-for-ms'];
  return idleForMs === undefined ? readJson(request) : { idleForMs: Number(idleForMs) };
}

/** That of the document on the browser client. */
const [FORM = ''] = /<form.*<\/form>/s.exec(
  readFileSync(join(ROOT, 'docs/examples/browser/lock.html'), 'utf8'),
)!;

const STYLES = `
  #gap, #rest { block-size: 2000px }
  form { display: grid; gap: .5em; color: inherit }
  form input, form button { font: inherit; min-block-size: 44px; box-sizing: border-box; inline-size: 100% }
  [hidden], form [role=alert]:empty { display: none }
`;

function page(lang: string, body: string): string {
  return `<!doctype html><html lang="${lang}"><meta name="viewport" content="width=device-width">
    <meta name="color-scheme" content="light dark"><title>Desk</title>
    <link rel="stylesheet" href="/page.css">
    <script type="module" src="/idle-session/client.js"></script>
    ${body.includes('id="unlock"') ? '<script type="module" src="/lock.js"></script>' : ''}
    <body>${body}`;
}

function send(response: ServerResponse, type: string, body: string): void {
  const headers = { 'Content-Type': type, 'Content-Security-Policy': CSP };
  response.writeHead(200, { ...headers, 'Cache-Control': 'no-store' }).end(body);
}

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, entry)],
    external: ['/idle-session/client.js'],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0]!.text;
}
