import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { createClient, type RedisClientOptions } from 'redis';
import { endWithMe } from './end-with-me.js';
import { redisServer } from './tools.js';

/** How soon clients of tests try again, so that no test waits for a back-off. */
export const RECONNECT_MS = 50;

export type RedisClient = ReturnType<typeof newClient>;

type ClientOptions = Pick<RedisClientOptions, 'disableOfflineQueue' | 'commandOptions'>;

/** A redis-server of the test's own, which can hang and die. Always `stopAll()` in the end. */
export abstract class RedisProcess {
  private static readonly all = new Set<RedisProcess>();

  private server: ChildProcess | undefined;
  private readonly clients: RedisClient[] = [];

  protected constructor(
    /** Its own, removed with it. */
    protected readonly directory: string,
    /** Its TCP port; 0 without one. */
    readonly port: number,
  ) {
    RedisProcess.all.add(this);
  }

  abstract get url(): string;

  /** A connected client of this server alone, which stays quiet about connections that break. */
  async client(options: ClientOptions = {}): Promise<RedisClient> {
    const client = newClient(this.url, options);
    this.clients.push(client);
    await client.connect();
    return client;
  }

  /** Lets it hang: connections stay open, nothing is answered. */
  freeze(): void {
    this.server?.kill('SIGSTOP');
  }

  /** Lets it go on: what was sent in the meantime is executed now. */
  thaw(): void {
    this.server?.kill('SIGCONT');
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  }

  /** Ends all that were started, with their clients and files. */
  static async stopAll(): Promise<void> {
    await Promise.all(Array.from(RedisProcess.all, (server) => server.stop()));
  }

  /** @param ready what it says when it is */
  protected async run(args: readonly string[], ready: RegExp): Promise<void> {
    const server = spawn(redisServer(), args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.server = server;
    endWithMe(server);
    for await (const line of createInterface(server.stdout)) {
      if (ready.test(line)) {
        server.stdout.resume();
        return;
      }
    }
    throw new Error('redis-server did not start');
  }

  protected async stop(): Promise<void> {
    RedisProcess.all.delete(this);
    for (const client of this.clients) if (client.isOpen) client.destroy();
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}

function newClient(url: string, options: ClientOptions) {
  const socket = { reconnectStrategy: () => RECONNECT_MS };
  const client = createClient({ url, socket, ...options });
  return client.on('error', () => {});
}

/** A free port whose counterpart for a cluster's bus, 10000 further on, is free, too. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await probed(0);
    if (port && port < 55_535 && (await probed(port + 10_000))) return port;
  }
}

/** The port, or any for 0, if it can be had. */
async function probed(port: number): Promise<number | undefined> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    return undefined;
  }
  const had = (probe.address() as AddressInfo).port;
  probe.close();
  await once(probe, 'close');
  return had;
}
