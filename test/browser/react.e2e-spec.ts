import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { comesTrue, launchBrowser } from '../support/browser.js';
import { MINUTE, SECOND } from '../support/durations.js';
import { DevServer } from './support/dev-server.js';
import { FrameworkSite, WatchedPage } from './support/framework-site.js';
import { Workbench } from './support/workbench.js';

/** The status of the documentation, a dialog, and what the test looks at. */
const ROOT = `
  import { useState } from 'react';
  import { IdleSessionDialog, useIdleSession } from 'idle-session-client/react';
  import { SessionStatus } from './app.js';

  export const watched = { states: [] as string[], events: [] as string[], go: (page: number) => {} };

  function Watch() {
    const { state } = useIdleSession();
    watched.states.push(state);
    return null;
  }

  export function Root() {
    const [page, setPage] = useState(0);
    watched.go = setPage;
    return (
      <>
        <SessionStatus />
        <Watch />
        <IdleSessionDialog
          key={page}
          stay="I am here"
          sign-out="Leave"
          onWarning={() => watched.events.push('warning')}
          onExtended={() => watched.events.push('extended')}
          onExpired={(event) => {
            event.preventDefault();
            watched.events.push('expired: ' + event.detail.reason);
          }}
        />
      </>
    );
  }
`;

const PAGE = `
  import { createRoot, hydrateRoot } from 'react-dom/client';
  import { idleSession } from 'idle-session-client/react';
  import { Root, watched } from './root.js';

  const container = document.querySelector('#root')!;
  let root = hydrateRoot(container, <Root />);
  const unmount = () => root.unmount();
  const mount = () => {
    root = createRoot(container);
    root.render(<Root />);
  };
  Object.assign(window, { watched, unmount, mount, idleSession });
`;

const SERVER = `
  import { renderToString } from 'react-dom/server';
  import { Root } from './root.js';

  export const rendered = renderToString(<Root />);
`;

const STARTING =
  '<div><p role="status">Your session: <!-- -->starting</p><button>Sign out</button></div>' +
  '<idle-session-dialog stay="I am here" sign-out="Leave"></idle-session-dialog>';

const site = new FrameworkSite();
let workbench: Workbench;
let warnings: string;
let browser: Browser;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  await site.start();
  browser = await launchBrowser();
  workbench = new Workbench('react', ['react', 'react-dom', '@types/react', '@types/react-dom']);
  workbench.write('root.tsx', ROOT);
  workbench.write('page.tsx', PAGE);
  workbench.write('server.tsx', SERVER);
  const args = ['build', 'react', 'page.tsx', 'server.tsx'];
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

async function openWithin(remainingMs: number, state: string): Promise<void> {
  site.deadline = Date.now() + remainingMs;
  await page.goto(site.url);
  await watched.shows(state);
}

const seen = (what: 'states' | 'events') => page.evaluate(`watched.${what}`);
const button = (name: string) => page.getByRole('button', { name, exact: true });

describe('idle-session-client/react in an app that Vite builds', () => {
  it('is built without a warning', () => {
    expect(warnings).toBe('');
  });

  it('has types that compile without skipLibCheck', async () => {
    expect(await workbench.typeErrors()).toBe('');
  });

  it('renders on a server, where the session stays starting', () => {
    expect(site.html).toBe(`<div id="root">${STARTING}</div>`);
  });

  it('shows the state, of one session', async () => {
    await openWithin(15 * MINUTE, 'active');
    expect(await watched.sessions()).toEqual({ started: 1, running: 1 });
    expect(await seen('states')).toEqual(['starting', 'active']);
  });

  it('shows the dialog when the session warns, and extends it', async () => {
    await openWithin(15 * MINUTE, 'active');
    site.deadline = Date.now() + MINUTE;
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await watched.shows('warning');
    await button('Leave').waitFor();
    expect(site.heartbeats).toEqual([]);
    await button('I am here').click();
    await watched.shows('active');
    expect(site.heartbeats).toHaveLength(1);
    expect(site.heartbeats[0]!.idleForMs).toBeLessThan(SECOND);
    expect(await seen('events')).toEqual(['warning', 'extended']);
    expect(await watched.sessions()).toEqual({ started: 1, running: 1 });
  });

  it('renders when the state changes, and not because a second has passed', async () => {
    await openWithin(MINUTE, 'warning');
    await page.getByText(/^0:(5[0-8]|[0-4][0-9])$/).waitFor();
    expect(await seen('states')).toEqual(['starting', 'warning']);
  });

  it('says that the server could not be reached, and can be tried again', async () => {
    await openWithin(15 * MINUTE, 'active');
    site.reachable = false;
    await button('Sign out').click();
    await page.getByText('The server could not be reached. Please try again.').waitFor();
    site.reachable = true;
    await button('Sign out').click();
    await watched.shows('signed-out');
    expect(await seen('events')).toEqual(['expired: signed-out']);
  });

  it('starts anew after the person has signed in again', async () => {
    await openWithin(15 * MINUTE, 'active');
    await button('Sign out').click();
    await watched.shows('signed-out');
    await page.evaluate('idleSession.restart()');
    await watched.shows('active');
    await page.getByRole('alertdialog').waitFor({ state: 'hidden' });
    await button('Sign out').click();
    await watched.shows('signed-out');
    expect(await seen('events')).toEqual(['expired: signed-out', 'expired: signed-out']);
    // What has ended holds nothing.
    expect((await watched.sessions()).running).toBe(0);
  });

  it('has its listeners by the time that a dialog which takes the place of another sends an event', async () => {
    await openWithin(15 * MINUTE, 'active');
    await button('Sign out').click();
    await watched.shows('signed-out');
    await page.evaluate('watched.go(1)');
    await comesTrue(page, 'watched.events.length === 2');
    expect(await seen('events')).toEqual(['expired: signed-out', 'expired: signed-out']);
    expect(page.url()).toBe(`${site.url}/`);
  });

  it('is destroyed with the app', async () => {
    await openWithin(15 * MINUTE, 'active');
    await page.evaluate('unmount()');
    await watched.running(0);
    expect(await page.locator('#root').innerHTML()).toBe('');
    await page.evaluate('mount()');
    await watched.shows('active');
    expect(await watched.sessions()).toEqual({ started: 2, running: 1 });
  });
});

describe('idle-session-client/react while an app is developed', () => {
  let server: DevServer;

  beforeAll(async () => {
    server = await DevServer.start('react', workbench.folder, site.url);
  });
  afterAll(() => server?.stop());

  it('is one session in strict mode, and stays the same when a component changes', async () => {
    await page.goto(server.url);
    await watched.shows('active');
    const source = readFileSync(join(workbench.folder, 'app.tsx'), 'utf8');
    const changed = source.replace('Your session', 'The session');
    const save = () => workbench.write('app.tsx', changed);
    await watched.showsOnceSaved(save, 'active', 'The session');
    expect(await watched.sessions()).toEqual({ started: 1, running: 1 });
    expect(await page.locator('idle-session-dialog').count()).toBe(1);
  });
});
