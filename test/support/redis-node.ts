import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, RedisProcess, type RedisClient } from './redis-process.js';

const START_ATTEMPTS = 5;

/**
 * A redis-server that others can reach: as a master, a replica, a sentinel or a node of a cluster. Keeps nothing on
 * disk, so what survives it is what others have. Always `stopAll()` in the end.
 */
export class RedisNode extends RedisProcess {
  private known: Promise<RedisClient> | undefined;

  private constructor(
    directory: string,
    port: number,
    private readonly isSentinel: boolean,
  ) {
    super(directory, port);
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

  override get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Always the same one. */
  override client(): Promise<RedisClient> {
    return (this.known ??= super.client());
  }

  /** Whether a replica has all that this master has. */
  async isReplicated(): Promise<boolean> {
    const client = await this.client();
    // WAIT is about what was there at the last command of its own connection.
    await client.ping();
    return (await client.wait(1, 1000)) === 1;
  }

  private launch(): Promise<void> {
    const args = [this.configFile, ...(this.isSentinel ? ['--sentinel'] : [])];
    return this.run(args, /ready to accept connections|\+monitor master/i);
  }

  private get configFile(): string {
    return join(this.directory, 'redis.conf');
  }
}
