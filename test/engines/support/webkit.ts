import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endWithMe } from '../../support/end-with-me.js';
import { webKitDriver, xvfb } from '../../support/tools.js';
import {
  clicking,
  movingTo,
  pressing,
  pressingMouse,
  releasingMouse,
  turningWheel,
} from './actions.js';
import type { Engine, EngineTab } from './engine.js';
import { WebDriver } from './web-driver.js';

/** WebKitGTK's own small browser, on a screen that nobody sees, by WebDriver. */
export async function launchWebKit(): Promise<Engine> {
  const home = await mkdtemp(join(tmpdir(), 'idle-session-test-'));
  const screen = await Screen.start();
  const driver = await WebDriver.start(webKitDriver(), {
    PATH: process.env.PATH,
    HOME: home,
    XDG_RUNTIME_DIR: home,
    DISPLAY: screen.display,
    GDK_BACKEND: 'x11',
    // There is neither a graphics card nor a bus for assistive technology.
    LIBGL_ALWAYS_SOFTWARE: '1',
    NO_AT_BRIDGE: '1',
  });
  // Stays open, since only where one is there can be others.
  const first = await driver.send<string>('GET', '/window');
  const known = new Set([first]);
  const tabOf = (handle: string) => {
    known.add(handle);
    return new WebKitTab(driver, handle);
  };
  return {
    name: 'WebKitGTK',
    version: driver.version,
    async openTab() {
      const { handle } = await driver.inWindow(first, () =>
        // A tab would stay behind the one that is shown.
        driver.send<{ handle: string }>('POST', '/window/new', { type: 'window' }),
      );
      return tabOf(handle);
    },
    async lastTab() {
      const handles = await driver.send<string[]>('GET', '/window/handles');
      // In no order that says when they were opened.
      return tabOf(handles.find((handle) => !known.has(handle))!);
    },
    async close() {
      await driver.close();
      await screen.close();
      await rm(home, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

/** An X server of its own. */
class Screen {
  private constructor(
    private readonly child: ReturnType<typeof spawn>,
    readonly display: string,
  ) {}

  static async start(): Promise<Screen> {
    const args = ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'];
    const child = spawn(xvfb(), args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    endWithMe(child);
    for await (const number of createInterface(child.stdio[3] as NodeJS.ReadableStream))
      return new Screen(child, `:${number}`);
    throw new Error('Xvfb did not start');
  }

  async close(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill();
    await ended;
  }
}

/** Runs in the page, as the body of a function. */
const evaluating = (expression: string) => `
  const done = arguments[arguments.length - 1];
  Promise.resolve().then(() => (${expression})).then(
    (value) => done({ value }),
    (error) => done({ error: String(error) }),
  );`;

class WebKitTab implements EngineTab {
  constructor(
    private readonly driver: WebDriver,
    private readonly handle: string,
  ) {}

  async go(url: string): Promise<void> {
    await this.send('POST', '/url', { url });
  }

  async evaluate(expression: string): Promise<unknown> {
    const script = evaluating(expression);
    const { value, error } = await this.send<{ value?: unknown; error?: string }>(
      'POST',
      '/execute/async',
      { script, args: [] },
    );
    if (error) throw new Error(error);
    return value;
  }

  press(key: string): Promise<void> {
    return this.perform(pressing(key));
  }

  moveTo(x: number, y: number): Promise<void> {
    return this.perform(movingTo(x, y));
  }

  click(x: number, y: number): Promise<void> {
    return this.perform(clicking(x, y));
  }

  pressMouse(x: number, y: number): Promise<void> {
    return this.perform(pressingMouse(x, y));
  }

  releaseMouse(): Promise<void> {
    return this.perform(releasingMouse());
  }

  async turnWheel(x: number, y: number, byY: number): Promise<void> {
    await this.perform(turningWheel(x, y, byY));
    // Or the driver would take another turn like this for none.
    await this.send('DELETE', '/actions');
  }

  picture(): Promise<string> {
    return this.send('GET', '/screenshot');
  }

  async close(): Promise<void> {
    await this.send('DELETE', '/window');
  }

  private async perform(actions: object[]): Promise<void> {
    await this.send('POST', '/actions', { actions });
  }

  private send<T>(method: 'POST' | 'DELETE' | 'GET', path: string, body?: object): Promise<T> {
    return this.driver.inWindow(this.handle, () => this.driver.send<T>(method, path, body));
  }
}
