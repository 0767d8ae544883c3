import { once } from 'node:events';
import { connect } from 'node:net';
import type { RedisClient } from '../../test/support/redis-server.js';

/** CPU that a redis-server has used so far, in µs. */
export async function redisCpuUs(client: RedisClient): Promise<number> {
  const info = await client.info('cpu');
  let seconds = 0;
  for (const [, used] of info.matchAll(/^used_cpu_(?:sys|user):(\S+)/gm)) seconds += Number(used);
  return seconds * 1e6;
}

/** Commands for the keys of one app. */
export interface Commands {
  /** By name, as clients sent them. */
  readonly sent: ReadonlyMap<string, number>;
  /** Those that scripts called, too. */
  readonly executed: number;
}

/** Counts commands for keys with a prefix. No counter of Redis tells sent ones from those in scripts; MONITOR does. */
export class CommandCounter {
  private log = '';
  private readonly socket;

  private constructor(socketPath: string) {
    this.socket = connect(socketPath).setEncoding('latin1');
  }

  static async start(redisSocketPath: string): Promise<CommandCounter> {
    const counter = new CommandCounter(redisSocketPath);
    counter.socket.write('MONITOR\r\n');
    await once(counter.socket, 'data');
    counter.socket.on('data', (chunk: unknown) => (counter.log += String(chunk)));
    return counter;
  }

  /** Forgets what it has counted. */
  reset(): void {
    this.log = '';
  }

  stop(prefix: string): Commands {
    this.socket.destroy();
    const sent = new Map<string, number>();
    let executed = 0;
    let ours = false;
    for (const [line, client, name = ''] of this.log.matchAll(
      /^\+\S+ \[\d+ (\S+)\] "([^"]+)".*/gm,
    )) {
      const inScript = client === 'lua';
      // What a script calls comes right after it.
      if (!inScript) ours = line.includes(`"${prefix}`);
      if (!ours) continue;
      executed++;
      if (!inScript) sent.set(name.toUpperCase(), (sent.get(name.toUpperCase()) ?? 0) + 1);
    }
    return { sent, executed };
  }
}
