import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium as playwright, type Browser, type BrowserContext } from 'playwright-core';
import { BROWSER_ARGS } from './browser.js';
import { endWithMe } from './end-with-me.js';
import { chromium } from './tools.js';

/** Chromium as people have it: hides tabs, freezes them and caches pages, which {@link launchBrowser} keeps it from. */
export class DesktopBrowser {
  private constructor(
    private readonly process: ChildProcess,
    private readonly profile: string,
    private readonly connection: Browser,
  ) {}

  static async launch(): Promise<DesktopBrowser> {
    const profile = await mkdtemp(join(tmpdir(), 'idle-session-test-'));
    const child = spawn(
      chromium(),
      [
        '--headless=new',
        // Or keys would be lost until the page is drawn: it is Playwright's default, too.
        '--allow-pre-commit-input',
        '--remote-debugging-port=0',
        `--user-data-dir=${profile}`,
        ...BROWSER_ARGS,
        'about:blank',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    endWithMe(child);
    const endpoint = await endpointOf(child);
    const connection = await playwright.connectOverCDP(endpoint, { noDefaults: true });
    return new DesktopBrowser(child, profile, connection);
  }

  /** Its cookies and tabs. */
  get context(): BrowserContext {
    return this.connection.contexts()[0]!;
  }

  async close(): Promise<void> {
    const ended = once(this.process, 'exit');
    this.process.kill();
    await ended;
    await rm(this.profile, { recursive: true, force: true, maxRetries: 10 });
  }
}

async function endpointOf({ stderr }: ChildProcess): Promise<string> {
  const lines = createInterface(stderr!);
  const said: string[] = [];
  for await (const line of lines) {
    const [endpoint] = /ws:\S+/.exec(line) ?? [];
    // Or it would have to wait once it has more to say than is read.
    if (endpoint) return (stderr!.resume(), endpoint);
    said.push(line);
  }
  throw new Error(`Chromium did not start\n${said.join('\n')}`);
}
