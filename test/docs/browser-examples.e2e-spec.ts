import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Header,
  type MessageEvent,
  Param,
  Post,
  Redirect,
  Sse,
} from '@nestjs/common';
import { SkipIdleSession } from 'nestjs-idle-session';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { PricesController } from '../../docs/examples/recipes/streams.js';
import { NEVER, startWith, Subject } from 'rxjs';
import { comesTrue, knowsSession, launchBrowser } from '../support/browser.js';
import { createTestApp, MINUTE, type TestApp } from '../support/test-app.js';

const examples = join(import.meta.dirname, '../../docs/examples/browser');
const html = (name: string) => readFileSync(join(examples, name), 'utf8');

/** What each page runs: the example, and what the test has to see of it. */
const SCRIPTS = {
  script: `export * from './script.ts'; import { actions } from './script.ts'; window.actions = actions;`,
  streams: `
    import { fetchReport, openStream } from './streams.ts';
    document.addEventListener('expired', (event) => event.preventDefault());
    const report = fetchReport().catch(({ name, message }) => ({ name, message }));
    Object.assign(window, { report, stream: openStream('/api/stream') });`,
  dialog: `
    import './dialog.ts';
    import { idleSession } from './session.ts';
    import { upload, watch } from './hold.ts';
    import { askToSignIn } from './expired.ts';
    Object.assign(window, { idleSession, upload, watch, askToSignIn });`,
  events: `
    import { watchPrices } from './events.ts';
    window.seen = [];
    watchPrices((price) => window.seen.push(price));`,
};

async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, loader: 'ts', resolveDir: examples },
    external: ['/idle-session/client.js'],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0]!.text;
}

const scripts = new Map<string, string>();

const streamed = new Subject<MessageEvent>();

/** Both stay open, also when the session has ended. */
@Controller('api')
@SkipIdleSession()
class OpenController {
  @Get('report')
  report() {
    return NEVER;
  }

  @Sse('stream')
  stream() {
    // Nest begins the answer with the first message.
    return streamed.pipe(startWith({ data: {} }));
  }
}

@Controller('docs')
class DocsController {
  @Get('page')
  page() {
    return html('page.html');
  }

  @Get('spa/:script')
  spa(@Param('script') script: string) {
    return html('spa.html').replace('/app.js', `/docs/script/${script}`);
  }

  @Get('script/:name')
  @Header('Content-Type', 'text/javascript')
  script(@Param('name') name: string) {
    return scripts.get(name);
  }

  @Get('login')
  @SkipIdleSession()
  login() {
    return '<!doctype html><title>Login</title>';
  }

  @Post('notes')
  @Redirect('/docs/page', 303)
  save() {}
}

let test: TestApp;
let browser: Browser;
let page: Page;
let url: string;

beforeAll(async () => {
  for (const [name, contents] of Object.entries(SCRIPTS)) scripts.set(name, await bundle(contents));
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

beforeEach(async () => {
  test = await createTestApp({
    options: { loginUrl: '/docs/login' },
    metadata: { controllers: [DocsController, OpenController, PricesController] },
  });
  await test.app.listen(0, '127.0.0.1');
  url = await test.app.getUrl();
  page = await browser.newPage();
  await page.request.post(`${url}/sign-in`);
});
afterEach(async () => {
  await page.close();
  await test.app.close();
});

/** As if the person had been away for so long: the page asks again. */
async function away(milliseconds: number): Promise<void> {
  test.clock.advance(milliseconds);
  await page.evaluate(() => dispatchEvent(new Event('online')));
}

const dialog = () => page.getByRole('alertdialog');

describe('docs/browser-client.md', () => {
  it('the one line warns, in the words that the page gives', async () => {
    await page.goto(`${url}/docs/page`);
    await knowsSession(page);
    await away(14 * MINUTE);
    await dialog().getByRole('heading', { name: 'Are you still there?' }).waitFor();
    await dialog().getByText('We will sign you out in').first().waitFor();
    await dialog().getByRole('button', { name: 'I am here' }).click();
    await dialog().waitFor({ state: 'hidden' });
  });

  it('at the end the page becomes the login page, with the reason', async () => {
    await page.goto(`${url}/docs/page`);
    await knowsSession(page);
    await away(15 * MINUTE);
    await page.waitForURL(/\/docs\/login\?reason=idle&returnTo=%2Fdocs%2Fpage$/);
  });

  it('scripts of the page see the session of the script tag, and act on it', async () => {
    await page.goto(`${url}/docs/page`);
    await page.addScriptTag({ url: `${url}/docs/script/script`, type: 'module' });
    await page.waitForFunction(() => document.title.startsWith('active until '));
    await page.evaluate('actions.spoke()');
    expect(await page.evaluate('actions.stay()')).toBe(true);
    // The page is left before this is done.
    await page.evaluate('void actions.leave()');
    await page.waitForURL(/\/docs\/login\?reason=signed-out/);
  });
});

describe('What a page holds open, as docs/browser-client.md has it', () => {
  it('is let go of at once when the server says that the session has ended', async () => {
    await page.goto(`${url}/docs/page`);
    await page.addScriptTag({ url: `${url}/docs/script/streams`, type: 'module' });
    await comesTrue(page, 'stream.readyState === EventSource.OPEN');
    test.clock.advance(15 * MINUTE);
    streamed.next({ type: 'session-ended', data: { reason: 'idle' } });
    expect(await page.evaluate('report')).toEqual({ name: 'AbortError', message: 'idle' });
    expect(await page.evaluate('stream.readyState === EventSource.CLOSED')).toBe(true);
    await dialog().waitFor();
  });
});

describe('docs/frameworks.md', () => {
  const state = () => page.evaluate('idleSession.getState().state');

  it('the dialog shows the session of the bundle', async () => {
    await page.goto(`${url}/docs/spa/dialog`);
    await comesTrue(page, 'window.idleSession?.getState().state === "active"');
    await away(14 * MINUTE);
    await dialog().getByRole('button', { name: 'Stay signed in' }).click();
    await dialog().waitFor({ state: 'hidden' });
    expect(await state()).toBe('active');
  });

  it('a video and an upload hold the session', async () => {
    await page.goto(`${url}/docs/spa/dialog`);
    await comesTrue(page, 'window.idleSession?.getState().state === "active"');
    const held = await page.evaluate(`(async () => {
      const held = [];
      const { hold } = idleSession;
      idleSession.hold = (reason) => {
        held.push(reason);
        const release = hold(reason);
        return () => { held.push('released ' + reason); release(); };
      };
      const video = document.createElement('video');
      watch(video);
      video.dispatchEvent(new Event('play'));
      video.dispatchEvent(new Event('pause'));
      await upload(new Blob(['a file']));
      return held;
    })()`);
    expect(held).toEqual(['video', 'released video', 'upload', 'released upload']);
  });

  it('an app may ask to sign in again where the page is', async () => {
    await page.goto(`${url}/docs/spa/dialog`);
    await comesTrue(page, 'window.idleSession?.getState().state === "active"');
    await page.evaluate(() => {
      const own = document.createElement('dialog');
      own.id = 'own';
      own.textContent = 'Please sign in again';
      document.body.append(own);
      (window as unknown as { askToSignIn: (dialog: HTMLDialogElement) => void }).askToSignIn(own);
    });
    await away(15 * MINUTE);
    await page.locator('#own[open]').waitFor();
    expect(await page.evaluate('own.returnValue')).toBe('idle');
    expect(page.url()).toBe(`${url}/docs/spa/dialog`);
  });
});

describe('docs/recipes/streams.md', () => {
  const seen = (count: number) => comesTrue(page, `window.seen?.length >= ${count}`);

  it('a page with a stream becomes the login page when the session ends', async () => {
    await page.goto(`${url}/docs/spa/events`);
    await seen(1);
    await page.request.post(`${url}/sign-out`);
    await page.waitForURL(/\/docs\/login\?reason=signed-out$/);
  });

  it('a page with a stream keeps the query that loginUrl has', async () => {
    const data = JSON.stringify({ reason: 'idle', loginUrl: '/docs/login?tenant=1' });
    const body = `event: session-ended\ndata: ${data}\n\n`;
    await page.route(`${url}/prices`, (route) =>
      route.fulfill({ contentType: 'text/event-stream', body }),
    );
    await page.goto(`${url}/docs/spa/events`);
    await page.waitForURL(/\/docs\/login\?tenant=1&reason=idle$/);
  });

  it('a page with a stream connects again by itself when the session gets another id', async () => {
    await page.goto(`${url}/docs/spa/events`);
    await seen(1);
    const again = page.waitForRequest(`${url}/prices`);
    // By the page itself, so that the browser has the cookie as soon as the server answers.
    await page.evaluate(`fetch('/sign-in', { method: 'POST' }).then(() => true)`);
    expect((await (await again).response())?.status()).toBe(200);
    expect(page.url()).toBe(`${url}/docs/spa/events`);
  });
});
