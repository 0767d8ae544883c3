import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, RedisProcess, type RedisClient } from './redis-process.js';

export type { RedisClient };

interface Options {
  /** Listens on TCP too, as the only node of a cluster. */
  readonly cluster?: boolean;
}

/**
 * A redis-server of the test's own, on a unix socket, that can hang, die and come back with what it knew.
 * Always `stopAll()` in the end.
 */
export class RedisServer extends RedisProcess {
  static async start({ cluster = false }: Options = {}): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), 'redis-'));
    const server = new RedisServer(directory, cluster ? await freePort() : 0);
    await server.launch();
    if (cluster) await takeAllSlots(await server.client());
    return server;
  }

  override get url(): string {
    return `unix://${this.socket}`;
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
      // A node alone does not find out its address, and ioredis believes in no node without one.
      'cluster-announce-ip': '127.0.0.1',
    };
    await this.run(
      Object.entries(args).flatMap(([name, value]) => [`--${name}`, value]),
      /ready to accept connections (at|unix)/i,
    );
  }

  get socket(): string {
    return join(this.directory, 'socket');
  }
}

/** A node of a cluster takes commands about 2 s after it started. */
async function takeAllSlots(client: RedisClient): Promise<void> {
  await client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
  const isUp = async () =>
    (await client.sendCommand<string>(['CLUSTER', 'INFO'])).includes('cluster_state:ok');
  while (!(await isUp())) await delay(20);
}
