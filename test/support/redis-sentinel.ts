import { Redis } from 'ioredis';
import { createSentinel } from 'redis';
import { RedisNode } from './redis-node.js';
import type { RedisClient } from './redis-server.js';
import { until } from './until.js';

const NAME = 'sessions';
const SENTINELS = 3;
const QUORUM = 2;
/** After how long without an answer a sentinel takes the master to be down, once a test wants a failover. */
const DOWN_AFTER_MS = 700;
/** Before that: longer than a busy machine keeps the master from answering. */
const UP_ANYWAY_MS = 600_000;

/** Makes sentinels talk more often, and not stop judging for half a minute when the machine is busy. */
const HASTE = ['PUBLISH-PERIOD', '200', 'INFO-PERIOD', '500', 'TILT-TRIGGER', '20000'];

/** A master with a replica, and three sentinels that watch them. Always `RedisNode.stopAll()` in the end. */
export class RedisSentinels {
  private constructor(
    /** The master as long as nothing happens to it. */
    readonly master: RedisNode,
    private readonly replica: RedisNode,
    private readonly sentinels: readonly RedisNode[],
  ) {}

  static async start(): Promise<RedisSentinels> {
    const master = await RedisNode.start([]);
    const replica = await RedisNode.start([`replicaof ${master.address.host} ${master.port}`]);
    await until('the replica is in sync', () => master.isReplicated());
    const sentinels = await Promise.all(
      Array.from({ length: SENTINELS }, () => startSentinel(master)),
    );
    const expected = `status=ok,address=127.0.0.1:${master.port},slaves=1,sentinels=${SENTINELS}`;
    for (const sentinel of sentinels)
      await until('the sentinels know each other', async () =>
        (await (await sentinel.client()).info('sentinel')).includes(expected),
      );
    return new RedisSentinels(master, replica, sentinels);
  }

  /** A connected client as an app has it. */
  async client() {
    const client = createSentinel({
      name: NAME,
      sentinelRootNodes: this.sentinels.map(({ address }) => address),
    });
    client.on('error', () => {}).on('client-error', () => {});
    await client.connect();
    return client;
  }

  /** The same with ioredis, which is connected soon. */
  ioredis(): Redis {
    const client = new Redis({
      name: NAME,
      sentinels: this.sentinels.map(({ address }) => address),
    });
    return client.on('error', () => {});
  }

  /** A client of the replica alone, which is the master once the other is away. */
  get successor(): Promise<RedisClient> {
    return this.replica.client();
  }

  /**
   * Has the sentinels replace the master from now on. Waits until the replica has all that the master has: what it lacks
   * when the master dies is lost.
   */
  async failOver(): Promise<void> {
    await until('the replica has everything', () => this.master.isReplicated());
    for (const sentinel of this.sentinels) {
      const set = ['SENTINEL', 'SET', NAME, 'down-after-milliseconds', String(DOWN_AFTER_MS)];
      await (await sentinel.client()).sendCommand(set);
    }
  }
}

async function startSentinel(master: RedisNode): Promise<RedisNode> {
  const sentinel = await RedisNode.start(
    [
      `sentinel monitor ${NAME} 127.0.0.1 ${master.port} ${QUORUM}`,
      `sentinel down-after-milliseconds ${NAME} ${UP_ANYWAY_MS}`,
      `sentinel failover-timeout ${NAME} 3000`,
    ],
    { sentinel: true },
  );
  await (await sentinel.client()).sendCommand(['SENTINEL', 'DEBUG', ...HASTE]);
  return sentinel;
}
