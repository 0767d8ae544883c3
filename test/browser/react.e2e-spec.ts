import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { build, type BuildOptions } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import ts from 'typescript';
import { launchBrowser } from '../support/browser.js';
import { MINUTE, SECOND } from '../support/durations.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const [, snippet = ''] = /```tsx\n(.*?)```/s.exec(read('docs/frameworks.md')) ?? [];

/** What the test looks at; the snippet itself is as it stands in the documentation. */
interface Watched {
  changes: number;
  renders: number;
  subscribers: number;
  unmount: () => void;
  signOut: () => Promise<boolean>;
}

const IN_BROWSER = `
  import { Profiler } from 'react';
  import { hydrateRoot } from 'react-dom/client';
  import { idleSession, SessionStatus } from 'snippet';

  const watched = { changes: 0, renders: 0, subscribers: 0, signOut: idleSession.signOut };
  window.watched = watched;
  const { subscribe } = idleSession;
  subscribe(() => (watched.changes += 1));
  idleSession.subscribe = (listener) => {
    watched.subscribers += 1;
    const stop = subscribe(listener);
    return () => {
      watched.subscribers -= 1;
      stop();
    };
  };
  const root = hydrateRoot(
    document.querySelector('#root'),
    <Profiler id="status" onRender={() => (watched.renders += 1)}><SessionStatus /></Profiler>,
  );
  watched.unmount = () => root.unmount();
`;

const ON_SERVER = `
  import { renderToString } from 'react-dom/server';
  import { SessionStatus } from 'snippet';

  console.log(renderToString(<SessionStatus />));
`;

async function bundle(contents: string, options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, loader: 'tsx', resolveDir: here },
    alias: {
      'idle-session-client': fileURLToPath(
        new URL('../../libs/idle-session-client/src/index.ts', import.meta.url),
      ),
    },
    plugins: [
      {
        name: 'snippet',
        setup(plugin) {
          plugin.onResolve({ filter: /^snippet$/ }, () => ({ path: 'snippet', namespace: 'docs' }));
          plugin.onLoad({ filter: /.*/, namespace: 'docs' }, () => ({
            contents: snippet,
            loader: 'tsx',
            resolveDir: here,
          }));
        },
      },
    ],
    jsx: 'automatic',
    bundle: true,
    // Warns of a wrong use, and has a profiler.
    define: { 'process.env.NODE_ENV': '"development"' },
    write: false,
    ...options,
  });
  return outputFiles![0]!.text;
}

let browser: Browser;
let script: string;
let rendered: string;
let url: string;
let page: Page;
let complaints: string[];

/** What the server knows and does; anew for each test. */
let deadline: number;
let reachable: boolean;
let heartbeats: { idleForMs: number }[];

const server = createServer((request, response) => {
  const answer = (body: string | object, type = 'application/json') =>
    response
      .writeHead(200, { 'Content-Type': type })
      .end(typeof body === 'string' ? body : JSON.stringify(body));
  const status = () => ({
    state: 'active',
    reason: null,
    expiresInMs: deadline - Date.now(),
    idleTimeoutMs: 15 * MINUTE,
    warnBeforeMs: 2 * MINUTE,
    absoluteExpiresInMs: null,
    sessionRef: 'ref',
    loginUrl: '/login',
  });
  switch (`${request.method} ${request.url}`) {
    case 'GET /':
      answer(
        `<!doctype html><html lang="en"><title>A page</title><div id="root">${rendered}</div>
          <script type="module" src="/script.js"></script>`,
        'text/html',
      );
      break;
    case 'GET /script.js':
      answer(script, 'text/javascript');
      break;
    case 'GET /idle-session/status':
      answer(status());
      break;
    case 'POST /idle-session/heartbeat':
      if (!reachable) {
        response.writeHead(503).end();
        break;
      }
      void json(request).then((body) => {
        heartbeats.push(body as { idleForMs: number });
        deadline = Date.now() + 15 * MINUTE;
        answer(status());
      });
      break;
    case 'POST /idle-session/sign-out':
      response.writeHead(204).end();
      break;
    default:
      response.writeHead(404).end();
  }
});

beforeAll(async () => {
  script = await bundle(IN_BROWSER, { format: 'esm', target: 'es2022' });
  const onServer = await bundle(ON_SERVER, { format: 'cjs', platform: 'node' });
  const rendering = promisify(execFile)(process.execPath, ['-']);
  rendering.child.stdin!.end(onServer);
  rendered = (await rendering).stdout.trim();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  server.closeAllConnections();
  server.close();
});

beforeEach(async () => {
  deadline = Date.now() + 15 * MINUTE;
  reachable = true;
  heartbeats = [];
  complaints = [];
  page = await browser.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // The browser's own remark on a refused request, and React's advertisement of its tools.
    if (!/^(Failed to load resource|%cDownload the React DevTools)/.test(message.text()))
      complaints.push(message.text());
  });
});

afterEach(async () => {
  await page.close();
  if (complaints.length > 0) throw new Error(complaints.join('\n'));
});

async function shows(state: string): Promise<void> {
  await page.getByRole('status').getByText(`Your session: ${state}`).waitFor();
}

async function openWithin(remainingMs: number, state: string): Promise<void> {
  deadline = Date.now() + remainingMs;
  await page.goto(url);
  await shows(state);
}

const stay = () => page.getByRole('button', { name: 'Stay' });

function watched(): Promise<Omit<Watched, 'unmount' | 'signOut'>> {
  return page.evaluate(() => {
    const { changes, renders, subscribers } = (window as unknown as { watched: Watched }).watched;
    return { changes, renders, subscribers };
  });
}

describe('The React snippet of the documentation', () => {
  it('is correct TypeScript', () => {
    const name = `${here}snippet.tsx`;
    const { config } = ts.readConfigFile('tsconfig.json', () => read('tsconfig.json'));
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
    // It is for the browser, so without Node's types.
    Object.assign(options, { jsx: ts.JsxEmit.ReactJSX, types: [] });
    const disk = ts.createCompilerHost(options);
    const host: ts.CompilerHost = {
      ...disk,
      fileExists: (path) => path === name || disk.fileExists(path),
      getSourceFile: (path, target) =>
        path === name
          ? ts.createSourceFile(path, snippet, target)
          : disk.getSourceFile(path, target),
    };
    const program = ts.createProgram([name], options, host);
    const file = program.getSourceFile(name);
    const errors = [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ];
    expect(errors.map(({ messageText }) => messageText)).toEqual([]);
    expect(file!.text).toContain('useIdleSession');
  });

  it('renders on a server, where the session stays starting', () => {
    expect(rendered).toBe('<div><p role="status">Your session: <!-- -->starting</p></div>');
  });

  it('shows the state', async () => {
    await openWithin(15 * MINUTE, 'active');
    expect(await stay().count()).toBe(0);
    expect((await watched()).subscribers).toBe(1);
  });

  it('changes when the session warns, and the button extends it', async () => {
    await openWithin(15 * MINUTE, 'active');
    deadline = Date.now() + MINUTE;
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await shows('warning');
    expect(heartbeats).toEqual([]);
    await stay().click();
    await shows('active');
    expect(heartbeats).toHaveLength(1);
    expect(heartbeats[0]!.idleForMs).toBeLessThan(SECOND);
    expect(await stay().count()).toBe(0);
  });

  it('says that the server could not be reached, and can be tried again', async () => {
    await openWithin(MINUTE, 'warning');
    reachable = false;
    await stay().click();
    await page.getByRole('alert').waitFor();
    await shows('warning');
    reachable = true;
    await stay().click();
    await shows('active');
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  it('renders no more often than the state changes', async () => {
    await openWithin(MINUTE, 'warning');
    const warning = await watched();
    // The remaining time goes down by a second meanwhile.
    await page.waitForTimeout(1.5 * SECOND);
    expect(await watched()).toEqual(warning);
    await stay().click();
    await shows('active');
    const { renders, changes, subscribers } = await watched();
    // The first one is of no change.
    expect(renders).toBeLessThanOrEqual(1 + changes);
    expect(renders).toBeGreaterThanOrEqual(3);
    expect(subscribers).toBe(1);
  });

  it('unsubscribes when it is unmounted', async () => {
    await openWithin(15 * MINUTE, 'active');
    const before = await watched();
    await page.evaluate(() => (window as unknown as { watched: Watched }).watched.unmount());
    await page.evaluate(() => (window as unknown as { watched: Watched }).watched.signOut());
    const after = await watched();
    expect(after.subscribers).toBe(0);
    expect(after.changes).toBeGreaterThan(before.changes);
    expect(after.renders).toBe(before.renders);
    expect(await page.locator('#root').innerHTML()).toBe('');
  });
});
