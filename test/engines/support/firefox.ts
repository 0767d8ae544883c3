import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endWithMe } from '../../support/end-with-me.js';
import { firefox } from '../../support/tools.js';
import {
  clicking,
  movingTo,
  pressing,
  pressingMouse,
  releasingMouse,
  turningWheel,
} from './actions.js';
import { BidiConnection } from './bidi-connection.js';
import type { Engine, EngineTab } from './engine.js';

/** Keeps Firefox from looking for anything outside this machine; what else tests need it sets by itself. */
const PREFERENCES = {
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
};

/** Firefox, headless, by WebDriver BiDi. */
export async function launchFirefox(): Promise<Engine> {
  const profile = await mkdtemp(join(tmpdir(), 'idle-session-test-'));
  const preferences = Object.entries(PREFERENCES).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${value});\n`,
  );
  await writeFile(join(profile, 'user.js'), preferences.join(''));
  const child = spawn(
    firefox(),
    ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  endWithMe(child);
  const connection = await BidiConnection.open(`${await addressOf(child)}/session`);
  const { capabilities } = await connection.send<{ capabilities: { browserVersion: string } }>(
    'session.new',
    { capabilities: {} },
  );
  return {
    name: 'Firefox',
    version: capabilities.browserVersion,
    async openTab() {
      const { context } = await connection.send<{ context: string }>('browsingContext.create', {
        type: 'tab',
      });
      return new FirefoxTab(connection, context);
    },
    async lastTab() {
      const { contexts } = await connection.send<{ contexts: { context: string }[] }>(
        'browsingContext.getTree',
        { maxDepth: 0 },
      );
      return new FirefoxTab(connection, contexts.at(-1)!.context);
    },
    async close() {
      const ended = once(child, 'exit');
      connection.close();
      child.kill();
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}

async function addressOf({ stderr }: ChildProcess): Promise<string> {
  const said: string[] = [];
  for await (const line of createInterface(stderr!)) {
    const [address] = /ws:\S+/.exec(line) ?? [];
    // Or it would have to wait once it has more to say than is read.
    if (address) return (stderr!.resume(), address);
    said.push(line);
  }
  throw new Error(`Firefox did not start\n${said.join('\n')}`);
}

/** What `script.evaluate` comes to; a value only if it is a string, which all here are. */
interface Evaluated {
  readonly type: 'success' | 'exception';
  readonly result?: { readonly value?: string };
  readonly exceptionDetails?: { readonly text: string };
}

class FirefoxTab implements EngineTab {
  constructor(
    private readonly connection: BidiConnection,
    private readonly context: string,
  ) {}

  async go(url: string): Promise<void> {
    await this.send('browsingContext.navigate', { url, wait: 'complete' });
  }

  evaluate(expression: string): Promise<unknown> {
    return this.run(expression, false);
  }

  evaluateAsPerson(expression: string): Promise<unknown> {
    return this.run(expression, true);
  }

  private async run(expression: string, userActivation: boolean): Promise<unknown> {
    const { result, exceptionDetails } = await this.connection.send<Evaluated>('script.evaluate', {
      // In a list, for JSON does not tell of `undefined`.
      expression: `Promise.resolve(${expression}).then((value) => JSON.stringify([value]))`,
      target: { context: this.context },
      awaitPromise: true,
      userActivation,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.text);
    return (JSON.parse(result!.value!) as unknown[])[0] ?? undefined;
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

  turnWheel(x: number, y: number, byY: number): Promise<void> {
    return this.perform(turningWheel(x, y, byY));
  }

  async picture(): Promise<string> {
    return (await this.send<{ data: string }>('browsingContext.captureScreenshot', {})).data;
  }

  async close(): Promise<void> {
    await this.send('browsingContext.close', {});
  }

  private async perform(actions: object[]): Promise<void> {
    await this.send('input.performActions', { actions });
  }

  private send<T>(method: string, params: object): Promise<T> {
    return this.connection.send<T>(method, { context: this.context, ...params });
  }
}
