import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from 'redis';
import { endWithMe } from './end-with-me.js';
import { redisServer } from './tools.js';

/** How soon clients of tests try again, so that no test waits for a back-off. */
const RECONNECT_MS = 50;

export type RedisClient = ReturnType<typeof newClient>;

interface Options {
  /** Listens on TCP too, as the only node of a cluster. */
  readonly cluster?: boolean;
}

/**
 * A redis-server of the test's own, on a unix socket, that can hang, die and come back with what it knew.
 * Always `stopAll()` in the end.
 */
export class RedisServer {
  private static readonly all = new Set<RedisServer>();

  private server: ChildProcess | undefined;
  private readonly clients: RedisClient[] = [];

  private constructor(
    private readonly directory: string,
    /** Its TCP port; 0 without one. */
    readonly port: number,
  ) {
    RedisServer.all.add(this);
  }

  static async start({ cluster = false }: Options = {}): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), 'redis-'));
    const server = new RedisServer(directory, cluster ? await freeClusterPort() : 0);
    await server.launch();
    if (cluster) await takeAllSlots(await server.client());
    return server;
  }

  get url(): string {
    return `unix://${this.socket}`;
  }

  /** A connected client, which stays quiet about connections that break. */
  async client(): Promise<RedisClient> {
    const client = newClient(this.url);
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

  /** Starts it again after `kill()`, with what it had acknowledged before. */
  async launch(): Promise<void> {
    const args = {
      port: String(this.port),
      bind: '127.0.0.1',
      unixsocket: this.socket,
      dir: this.directory,
      save: '',
      appendonly: 'yes',
      // Written before it is acknowledged: that survives the process, and the machine is not what fails here.
      appendfsync: 'no',
      'cluster-enabled': this.port === 0 ? 'no' : 'yes',
    };
    const server = spawn(
      redisServer(),
      Object.entries(args).flatMap(([name, value]) => [`--${name}`, value]),
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    this.server = server;
    endWithMe(server);
    for await (const line of createInterface(server.stdout)) {
      if (/ready to accept connections (at|unix)/i.test(line)) {
        server.stdout.resume();
        return;
      }
    }
    throw new Error('redis-server did not start');
  }

  /** Ends all that were started, with their clients and files. */
  static async stopAll(): Promise<void> {
    await Promise.all(Array.from(RedisServer.all, (server) => server.stop()));
  }

  private async stop(): Promise<void> {
    RedisServer.all.delete(this);
    for (const client of this.clients) if (client.isOpen) client.destroy();
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  private get socket(): string {
    return join(this.directory, 'socket');
  }
}

function newClient(url: string) {
  const client = createClient({ url, socket: { reconnectStrategy: () => RECONNECT_MS } });
  return client.on('error', () => {});
}

/** A node of a cluster takes commands about 2 s after it started. */
async function takeAllSlots(client: RedisClient): Promise<void> {
  await client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
  const isUp = async () =>
    (await client.sendCommand<string>(['CLUSTER', 'INFO'])).includes('cluster_state:ok');
  while (!(await isUp())) await delay(20);
}

/** A free port whose counterpart for the cluster's bus, 10000 further on, exists. */
async function freeClusterPort(): Promise<number> {
  for (;;) {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, 'close');
    if (port < 55_535) return port;
  }
}
