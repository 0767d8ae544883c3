import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { endWithMe } from '../support/end-with-me.js';

const APP = join(import.meta.dirname, 'soak-app.mjs');

export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
}

export interface HttpAnswer {
  /** 0 if the connection broke. */
  readonly status: number;
  /** How it broke. */
  readonly broke?: string;
  readonly cookie: string | undefined;
  readonly body: {
    readonly state?: string;
    readonly reason?: string;
    readonly sessionRef?: string;
  };
}

type Message = { ended: string } | { memory: Memory } | { port: number } | { answers: true };

/** A process of the app that the soak runs on; the same port again after a crash. */
export class AppProcess {
  /** How often it was killed. */
  kills = 0;
  /** Killed, and not there again. */
  isDown = true;
  private child: ChildProcess | undefined;
  private port = 0;
  /** Fewer than a server lets wait to be accepted, however many people ask at once. */
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 256 });

  constructor(
    readonly index: number,
    private readonly settings: Record<string, string>,
    private readonly onEnded: (sessionRef: string) => void,
  ) {}

  async start(): Promise<void> {
    const child = fork(APP, {
      execArgv: ['--expose-gc'],
      env: { PATH: process.env.PATH, PORT: String(this.port), ...this.settings },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.child = child;
    endWithMe(child);
    child.on('message', (message: Message) => {
      if ('ended' in message) this.onEnded(message.ended);
    });
    this.port = (await this.told(child, 'port')).port;
    this.isDown = false;
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    const { child } = this;
    this.isDown = true;
    this.kills++;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** What it uses after a garbage collection. */
  async memory(): Promise<Memory> {
    const { child } = this;
    if (!child) throw new Error('not started');
    child.send('memory');
    return (await this.told(child, 'memory')).memory;
  }

  /** Resolves as soon as it says anything; at once while it is not there. */
  async ping(): Promise<void> {
    const { child } = this;
    if (!child || this.isDown) return;
    const answer = this.told(child, 'answers');
    // One that was killed just now takes nothing.
    child.send('ping', () => {});
    await answer;
  }

  ask(method: string, path: string, cookie?: string, body?: object): Promise<HttpAnswer> {
    const json = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve) => {
      const broken = ({ message }: Error) =>
        resolve({ status: 0, broke: message, cookie: undefined, body: {} });
      const request = httpRequest(
        {
          agent: this.agent,
          host: '127.0.0.1',
          port: this.port,
          method,
          path,
          headers: {
            ...(cookie !== undefined && { cookie }),
            ...(json !== undefined && {
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(json),
            }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', broken);
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const isJson = response.headers['content-type']?.includes('json');
            resolve({
              status: response.statusCode ?? 0,
              cookie: response.headers['set-cookie']?.[0]?.split(';')[0],
              body: isJson ? (JSON.parse(text) as HttpAnswer['body']) : {},
            });
          });
        },
      );
      request.on('error', broken);
      request.end(json);
    });
  }

  close(): Promise<void> {
    this.agent.destroy();
    return this.kill();
  }

  private told<K extends 'memory' | 'port' | 'answers'>(
    child: ChildProcess,
    what: K,
  ): Promise<Extract<Message, Record<K, unknown>>> {
    return new Promise((resolve, reject) => {
      const onMessage = (message: Message) => {
        if (!(what in message)) return;
        child.off('message', onMessage);
        child.off('exit', onExit);
        resolve(message as Extract<Message, Record<K, unknown>>);
      };
      const onExit = () => reject(new Error(`process ${this.index} ended`));
      child.on('message', onMessage);
      child.once('exit', onExit);
    });
  }
}
