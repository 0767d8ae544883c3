import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { PATIENCE_MS } from '../../support/durations.js';
import { endWithMe } from '../../support/end-with-me.js';
import { until } from '../../support/until.js';

interface Session {
  readonly sessionId: string;
  readonly capabilities: { readonly browserVersion: string };
}

/** Commands of WebDriver (https://www.w3.org/TR/webdriver2/) to a driver of its own, one after the other. */
export class WebDriver {
  private last: Promise<unknown> = Promise.resolve();
  /** The window that commands go to. */
  private current: string | undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly session: string,
    readonly version: string,
  ) {}

  /** @param program the driver's path, which takes `--port` */
  static async start(program: string, env: NodeJS.ProcessEnv): Promise<WebDriver> {
    const port = await freePort();
    const child = spawn(program, [`--port=${port}`], { stdio: 'ignore', env });
    endWithMe(child);
    const base = `http://127.0.0.1:${port}`;
    await until('the driver listens', () => request('GET', `${base}/status`).then(isThere, isNot));
    const { sessionId, capabilities } = await request<Session>('POST', `${base}/session`, {
      capabilities: {},
    });
    return new WebDriver(child, `${base}/session/${sessionId}`, capabilities.browserVersion);
  }

  /** Runs commands to a window, between which no others come. */
  inWindow<T>(handle: string, run: () => Promise<T>): Promise<T> {
    const result = this.last.then(async () => {
      // To go there once more would take the focus from an iframe.
      if (this.current !== handle) await this.send('POST', '/window', { handle });
      this.current = handle;
      return run();
    });
    this.last = result.catch(() => {});
    return result;
  }

  /** @throws {Error} with what the driver says against it */
  send<T = unknown>(method: 'POST' | 'DELETE' | 'GET', path: string, body?: object): Promise<T> {
    return request(method, this.session + path, body);
  }

  /** Also closes the browser. */
  async close(): Promise<void> {
    const ended = once(this.child, 'exit');
    await this.send('DELETE', '').catch(() => {});
    this.child.kill();
    await ended;
  }
}

const isThere = () => true;
const isNot = () => false;

async function request<T>(method: string, url: string, body?: object): Promise<T> {
  const response = await fetch(url, {
    method,
    // Or all that wait for their turn would wait with it.
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...(method === 'POST' && { body: JSON.stringify(body ?? {}) }),
    headers: { 'Content-Type': 'application/json' },
  });
  const { value } = (await response.json()) as { value: T & { error?: string; message?: string } };
  if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
  return value;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
