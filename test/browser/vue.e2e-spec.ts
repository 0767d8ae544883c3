import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { compileScript, parse } from 'vue/compiler-sfc';
import { launchBrowser } from '../support/browser.js';
import { MINUTE } from '../support/durations.js';
import { DevServer } from './support/dev-server.js';
import { FrameworkSite, WatchedPage } from './support/framework-site.js';
import { Workbench } from './support/workbench.js';

const PAGE = `
  import { createApp, createSSRApp } from 'vue';
  import App from './App.vue';

  let app = createSSRApp(App);
  app.mount('#root');
  const unmount = () => app.unmount();
  const mount = () => {
    app = createApp(App);
    app.mount('#root');
  };
  Object.assign(window, { unmount, mount });
`;

const SERVER = `
  import { createSSRApp } from 'vue';
  import { renderToString } from 'vue/server-renderer';
  import App from './App.vue';

  export const rendered = renderToString(createSSRApp(App));
`;

const STARTING =
  '<!--[--><p role="status">Your session: starting</p><button>Sign out</button><!---->' +
  '<idle-session-dialog stay="I am here"></idle-session-dialog><!--]-->';

const site = new FrameworkSite();
let workbench: Workbench;
let warnings: string;
let browser: Browser;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  await site.start();
  browser = await launchBrowser();
  workbench = new Workbench('vue', ['vue']);
  workbench.write('page.ts', PAGE);
  workbench.write('server.ts', SERVER);
  const args = ['build', 'vue', 'page.ts', 'server.ts'];
  warnings = await workbench.run('test/browser/support/vite.mjs', ...args);
  site.script = readFileSync(join(workbench.folder, 'dist/page.js'), 'utf8');
  const rendered = readFileSync(join(workbench.folder, 'rendered.html'), 'utf8');
  site.html = `<div id="root">${rendered}</div>`;
});

afterAll(async () => {
  await browser?.close();
  site.stop();
  workbench?.remove();
});

beforeEach(async () => {
  site.reset();
  watched = await WatchedPage.open(browser);
  ({ page } = watched);
});

afterEach(() => watched.close());

const button = (name: string) => page.getByRole('button', { name, exact: true });

describe('idle-session-client/vue in an app that Vite builds', () => {
  it('is built without a warning', () => {
    expect(warnings).toBe('');
  });

  it('has types that compile without skipLibCheck', async () => {
    const { descriptor } = parse(readFileSync(join(workbench.folder, 'App.vue'), 'utf8'));
    // With its template as a function: what it does with the session is checked, too.
    const { content } = compileScript(descriptor, { id: 'app', inlineTemplate: true });
    workbench.write('App.vue.ts', content);
    expect(await workbench.typeErrors()).toBe('');
  });

  it('renders on a server, where the session stays starting', () => {
    expect(site.html).toBe(`<div id="root">${STARTING}</div>`);
  });

  it('shows the state, of one session', async () => {
    await page.goto(site.url);
    await watched.shows('active');
    expect(await watched.sessions()).toEqual({ started: 1, running: 1 });
  });

  it('shows the dialog when the session warns, and extends it', async () => {
    site.deadline = Date.now() + MINUTE;
    await page.goto(site.url);
    await watched.shows('warning');
    await button('I am here').click();
    await watched.shows('active');
    expect(site.heartbeats).toHaveLength(1);
    expect(await watched.sessions()).toEqual({ started: 1, running: 1 });
  });

  it('says that the server could not be reached, and can be tried again', async () => {
    await page.goto(site.url);
    await watched.shows('active');
    site.reachable = false;
    await button('Sign out').click();
    await page.getByText('The server could not be reached. Please try again.').waitFor();
    site.reachable = true;
    await button('Sign out').click();
    await page.waitForURL(/\/login\?reason=signed-out$/);
  });

  it('is destroyed with the app', async () => {
    await page.goto(site.url);
    await watched.shows('active');
    await page.evaluate('unmount()');
    await watched.running(0);
    expect(await page.locator('#root').innerHTML()).toBe('');
    await page.evaluate('mount()');
    await watched.shows('active');
    expect(await watched.sessions()).toEqual({ started: 2, running: 1 });
  });
});

describe('idle-session-client/vue while an app is developed', () => {
  let server: DevServer;

  beforeAll(async () => {
    server = await DevServer.start('vue', workbench.folder, site.url);
  });
  afterAll(() => server?.stop());

  it('stays the same session when a component changes', async () => {
    await page.goto(server.url);
    await watched.shows('active');
    const source = readFileSync(join(workbench.folder, 'App.vue'), 'utf8');
    const save = (text: string) => () => workbench.write('App.vue', text);
    const renamed = source.replace('Your session', 'The session');
    await watched.showsOnceSaved(save(renamed), 'active', 'The session');
    // The script, too: now the component is made anew.
    const changed = source.replace('const {', '// Changed.\nconst {');
    await watched.showsOnceSaved(save(changed), 'active');
    expect(await watched.sessions()).toEqual({ started: 1, running: 1 });
    expect(await page.locator('idle-session-dialog').count()).toBe(1);
  });
});
