import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { serverTimingOf } from '../../../libs/idle-session/src/session/server-timing.js';
import { MINUTE } from '../../support/durations.js';

const CSP =
  "default-src 'none'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'";

/** The tests' own page calls the client as an app's page would. */
const SCRIPT = `
  import { createIdleSession } from './index.ts';
  import { guardForms } from './drafts/guard-forms.ts';
  window.session = createIdleSession();
  window.guard = () => guardForms(window.session, '/idle-session');
  window.stop = window.guard();
`;

const ALIVE = { state: 'active', expiresInMs: 15 * MINUTE, absoluteExpiresInMs: null } as const;

/** A site whose pages have a guarded form; only as much of a server as drafts need. */
export class DraftSite {
  /** The keys of drafts, by their owners. */
  keys!: Map<string, string>;
  /** The keys of secrets that were rotated, newest first, by their owners. */
  olderKeys!: Map<string, string[]>;
  formBody!: string;
  /** What the server does with a form that was sent. */
  answer!: 'done' | 'public' | 'same page' | 'invalid' | 'broken';
  draftKeyStatus!: number | 'network error';
  draftKeyRequests!: number;
  url!: string;
  private script!: string;
  /** The owners of sessions, by their ids. */
  protected sessions!: Map<string, string>;
  private readonly server = createServer((request, response) => {
    void this.serve(request, response).catch((error: Error) =>
      response.writeHead(500).end(error.stack),
    );
  });

  /** As the server does it: a request with the cookie is anonymous from now on. */
  endSessions(): void {
    this.sessions.clear();
  }

  /** As with another secret before the one that there was. */
  rotateSecret(): void {
    for (const [owner, key] of this.keys) {
      this.olderKeys.set(owner, [key, ...(this.olderKeys.get(owner) ?? [])]);
      this.keys.set(owner, newKey());
    }
  }

  protected async listen(): Promise<void> {
    this.script = await bundle();
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  protected closeServer(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** As the site is before each test. */
  protected reset(): void {
    this.keys = new Map(['ada', 'bob'].map((owner) => [owner, newKey()]));
    this.olderKeys = new Map();
    this.sessions = new Map();
    this.formBody = `<form method="post" data-guard-forms>
      <label>Account <textarea name="account"></textarea></label>
      <label>Place <input name="place"></label>
      <button>Send</button>
    </form>`;
    this.answer = 'done';
    this.draftKeyStatus = 200;
    this.draftKeyRequests = 0;
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
        ...(owner && { 'Server-Timing': serverTimingOf(ALIVE, status) }),
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
        else json(200, { key: this.keys.get(owner), olderKeys: this.olderKeys.get(owner) });
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
        else if (this.answer === 'done' || this.answer === 'public') goTo(`/${this.answer}`);
        else if (this.answer === 'same page') goTo(pathname);
        else if (this.answer === 'invalid') html(this.formBody, 422);
        else request.socket.destroy();
        return;
      case 'GET /form':
      case 'GET /other':
        if (owner) html(this.formBody);
        else goTo('/login');
        return;
      case 'GET /public':
        // As from a cache that all people share: it says nothing of anybody's session.
        response.writeHead(200, { 'Content-Type': 'text/html' });
        response.end(`<!doctype html><script type="module" src="/client.js"></script>`);
        return;
      case 'GET /done':
        html('<h1>Thank you</h1>');
        return;
      default:
        response.writeHead(404).end();
    }
  }
}

const newKey = () => randomBytes(32).toString('base64url');

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
