import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { comesTrue, launchBrowser } from '../support/browser.js';
import { MINUTE } from '../support/durations.js';
import { FrameworkSite, WatchedPage } from './support/framework-site.js';
import { Workbench } from './support/workbench.js';

const PAGE = `
  import { NgZone, runInInjectionContext, type ApplicationRef } from '@angular/core';
  import { bootstrapApplication } from '@angular/platform-browser';
  import { injectIdleSession } from 'idle-session-client/angular';
  import { appConfig } from './app.config.js';
  import { App } from './app.js';

  let app: ApplicationRef;
  let isStable = false;
  const start = async () => {
    document.body.append(document.createElement('app-root'));
    app = await bootstrapApplication(App, appConfig);
    app.isStable.subscribe((value) => (isStable = value));
  };
  const extend = () => {
    const { extend } = runInInjectionContext(app.injector, injectIdleSession);
    return app.injector.get(NgZone).run(extend);
  };
  const destroy = () => app.destroy();
  Object.assign(window, { start, destroy, extend, isStable: () => isStable });
  void start();
`;

/** Without a browser, and with a zone that counts what it is asked for. */
const SERVER = `
  import { createEnvironmentInjector, Injector, NgZone, PLATFORM_ID } from '@angular/core';
  import { injectIdleSession, provideIdleSession, withDialog } from 'idle-session-client/angular';

  const counts = { inside: 0, outside: 0 };
  const zone = {
    run: (act) => ((counts.inside += 1), act()),
    runOutsideAngular: (act) => ((counts.outside += 1), act()),
  };
  const platform = [
    { provide: PLATFORM_ID, useValue: 'server' },
    { provide: NgZone, useValue: zone },
  ];
  const inject = (...providers) => {
    const injector = createEnvironmentInjector([...platform, ...providers], Injector.NULL);
    return injector.runInContext(injectIdleSession);
  };

  const session = inject(provideIdleSession({}, withDialog()));
  const goesOn = await session.extend();
  const release = session.hold('upload');
  release();
  let error;
  try {
    inject();
  } catch ({ message }) {
    error = message;
  }
  console.log(JSON.stringify({ state: session.state(), goesOn, counts, error }));
`;

const TSCONFIG = {
  extends: './tsconfig.json',
  compilerOptions: { noEmit: false, outDir: 'compiled', experimentalDecorators: true },
  angularCompilerOptions: { strictTemplates: true },
  files: ['page.ts', 'main.ts'],
};

const site = new FrameworkSite();
let workbench: Workbench;
let output: string;
let browser: Browser;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  await site.start();
  browser = await launchBrowser();
  workbench = new Workbench('angular', ['@angular', 'rxjs', 'tslib']);
  workbench.write('page.ts', PAGE);
  workbench.write('tsconfig.app.json', JSON.stringify(TSCONFIG));
  if (isOld()) beOld();
});

beforeAll(async () => {
  const compiler = workbench.installed('@angular/compiler-cli/bundles/src/bin/ngc.js');
  output = await workbench.run(compiler, '-p', 'tsconfig.app.json').catch(String);
});

beforeAll(async () => {
  const bundler = 'test/browser/support/build-angular.mjs';
  output += await workbench.run(bundler, isOld() ? 'zone' : '');
  site.script = readFileSync(join(workbench.folder, 'dist/page.js'), 'utf8');
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

function isOld(): boolean {
  const manifest = readFileSync(workbench.installed('@angular/core/package.json'), 'utf8');
  return parseInt((JSON.parse(manifest) as { version: string }).version) < 19;
}

/** Components had to say that they are standalone, and zone.js told Angular of changes. */
function beOld(): void {
  workbench.link('zone.js');
  const source = readFileSync(join(workbench.folder, 'app.ts'), 'utf8');
  workbench.write('app.ts', source.replace('selector:', 'standalone: true, selector:'));
  workbench.write('page.ts', `import 'zone.js';${PAGE}`);
}

const button = (name: string) => page.getByRole('button', { name, exact: true });

describe('idle-session-client/angular in an application that is compiled ahead of time', () => {
  it('compiles with strict templates and without skipLibCheck', () => {
    expect(output).toBe('');
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
    await button('Stay signed in').click();
    await watched.shows('active');
    expect(site.heartbeats).toHaveLength(1);
    expect(await watched.sessions()).toEqual({ started: 1, running: 1 });
  });

  it('lets the application become stable: its timers, which wait for minutes, do not count', async () => {
    await page.goto(site.url);
    await watched.shows('active');
    expect(await page.evaluate('extend()')).toBe(true);
    expect(site.heartbeats).toHaveLength(1);
    await comesTrue(page, 'isStable()');
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

  it('is destroyed with the application', async () => {
    await page.goto(site.url);
    await watched.shows('active');
    await page.evaluate('destroy()');
    await watched.running(0);
    expect(await page.locator('idle-session-dialog').count()).toBe(0);
    await page.evaluate('start()');
    await watched.shows('active');
    expect(await watched.sessions()).toEqual({ started: 2, running: 1 });
  });
});

describe('idle-session-client/angular on a server', () => {
  let said: { state: string; goesOn: boolean; counts: object; error: string };

  beforeAll(async () => {
    said = JSON.parse(await workbench.run(workbench.write('server.mjs', SERVER)));
  });

  it('stays starting, and keeps nothing running', () => {
    expect(said).toMatchObject({ state: 'starting', goesOn: false });
  });

  it('acts outside of the zone, also to release a hold', () => {
    expect(said.counts).toEqual({ inside: 0, outside: 3 });
  });

  it('says what is missing where the application does not provide it', () => {
    expect(said.error).toBe(
      'injectIdleSession() needs provideIdleSession() in the providers of the app',
    );
  });
});
