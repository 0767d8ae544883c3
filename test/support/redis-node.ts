import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from 'redis';
import { endWithMe } from './end-with-me.js';
import type { RedisClient } from './redis-server.js';
import { redisServer } from './tools.js';

/** How soon clients of tests try again, so that no test waits for a back-off. */
export const RECONNECT_MS = 50;
const START_ATTEMPTS = 5;
const GIVE_UP_MS = 20_000;

/**
 * A redis-server that others can reach: as a master, a replica, a sentinel or a node of a cluster. Keeps nothing on
 * disk, so what survives it is what others have. Always `stopAll()` in the end.
 */
export class RedisNode {
  private static readonly all = new Set<RedisNode>();

  private server: ChildProcess | undefined;
  private readonly clients: RedisClient[] = [];

  private constructor(
    private readonly directory: string,
    readonly port: number,
    private readonly isSentinel: boolean,
  ) {
    RedisNode.all.add(this);
  }

  /** @param config lines of its configuration file, without the port */
  static async start(config: readonly string[], { sentinel = false } = {}): Promise<RedisNode> {
    for (let attempt = 1; ; attempt++) {
      const node = new RedisNode(
        await mkdtemp(join(tmpdir(), 'redis-')),
        await freePort(),
        sentinel,
      );
      const own = [`port ${node.port}`, 'bind 127.0.0.1', `dir ${node.directory}`];
      if (!sentinel) own.push('save ""', 'appendonly no', 'repl-diskless-sync-delay 0');
      // Sentinels and their nodes write down in it what they learn.
      await writeFile(node.configFile, [...own, ...config, ''].join('\n'));
      try {
        await node.launch();
        return node;
      } catch (error) {
        await node.stop();
        // Somebody else may have taken the port that was free.
        if (attempt === START_ATTEMPTS) throw error;
      }
    }
  }

  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.port };
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** A connected client of this node alone, which stays quiet about connections that break. */
  async client(): Promise<RedisClient> {
    const [known] = this.clients;
    if (known) return known;
    const client = createClient({
      url: this.url,
      socket: { reconnectStrategy: () => RECONNECT_MS },
    }).on('error', () => {});
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
    await Promise.all(Array.from(RedisNode.all, (node) => node.stop()));
  }

  private async launch(): Promise<void> {
    const args = [this.configFile, ...(this.isSentinel ? ['--sentinel'] : [])];
    const server = spawn(redisServer(), args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.server = server;
    endWithMe(server);
    for await (const line of createInterface(server.stdout)) {
      if (/ready to accept connections|\+monitor master/i.test(line)) {
        server.stdout.resume();
        return;
      }
    }
    throw new Error('redis-server did not start');
  }

  private async stop(): Promise<void> {
    RedisNode.all.delete(this);
    for (const client of this.clients) if (client.isOpen) client.destroy();
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  private get configFile(): string {
    return join(this.directory, 'redis.conf');
  }
}

/** Asks again and again until it is so. @throws {Error} after a while, with what was waited for */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const giveUp = performance.now() + GIVE_UP_MS; ; await delay(20)) {
    if (await isSo()) return;
    if (performance.now() > giveUp) throw new Error(`Waited in vain: ${what}`);
  }
}

/** A free port whose counterpart for a cluster's bus, 10000 further on, exists. */
async function freePort(): Promise<number> {
  for (;;) {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, 'close');
    if (port < 55_535) return port;
  }
}
