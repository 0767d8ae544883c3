import { createCluster } from 'redis';
import { RedisNode } from './redis-node.js';
import { RECONNECT_MS } from './redis-process.js';
import { until } from './until.js';

const SLOTS = 16_384;
const MASTERS = 3;
/** After how long without an answer a node is taken to be down, where a test wants a failover. */
const FAILOVER_AFTER_MS = 1000;
/** Elsewhere: longer than a busy machine keeps a node from answering. */
const NODE_TIMEOUT_MS = 60_000;
const MIGRATE_TIMEOUT_MS = '60000';

/** Two nodes with the same slots. Which of them is the master changes. */
export interface ReplicatedShard {
  readonly master: RedisNode;
  readonly replica: RedisNode;
}

/** A cluster of three masters, one of them with a replica. Always `RedisNode.stopAll()` in the end. */
export class RedisCluster {
  private constructor(
    /** The masters without a replica. */
    readonly single: readonly [RedisNode, RedisNode],
    private readonly pair: readonly [RedisNode, RedisNode],
  ) {}

  static async start(): Promise<RedisCluster> {
    const config = [
      'cluster-enabled yes',
      `cluster-node-timeout ${FAILOVER_AFTER_MS}`,
      'cluster-replica-validity-factor 0',
    ];
    const nodes = await Promise.all(
      Array.from({ length: MASTERS + 1 }, () => RedisNode.start(config)),
    );
    const masters = nodes.slice(0, MASTERS);
    const replica = nodes[MASTERS]!;
    for (const [index, master] of masters.entries()) {
      const from = Math.ceil((index * SLOTS) / MASTERS);
      const to = Math.ceil(((index + 1) * SLOTS) / MASTERS) - 1;
      await ask(master, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
      await ask(master, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(to));
    }
    for (const node of nodes)
      for (const other of nodes)
        if (other !== node)
          await ask(node, 'CLUSTER', 'MEET', other.address.host, String(other.port));
    await everyNode('knows the others', nodes, async (node) => {
      const known = await ask<string>(node, 'CLUSTER', 'NODES');
      return known.trim().split('\n').length === nodes.length && !known.includes('handshake');
    });
    await ask(replica, 'CLUSTER', 'REPLICATE', await idOf(masters[0]!));
    await everyNode('takes commands', nodes, async (node) =>
      (await ask<string>(node, 'CLUSTER', 'INFO')).includes('cluster_state:ok'),
    );
    const [first, second, third] = masters as [RedisNode, RedisNode, RedisNode];
    const cluster = new RedisCluster([second, third], [first, replica]);
    await cluster.shard();
    await cluster.replaceSoon(false);
    return cluster;
  }

  /** The shard with two nodes, as soon as they have the same in them: what only the master has dies with it. */
  async shard(): Promise<ReplicatedShard> {
    let shard: ReplicatedShard | undefined;
    await until('the replica has everything', async () => {
      const [one, other] = this.pair;
      shard = (await isMaster(one))
        ? { master: one, replica: other }
        : { master: other, replica: one };
      return shard.master.isReplicated();
    });
    return shard!;
  }

  /** Has nodes be replaced soon that do not answer, or not. */
  async replaceSoon(soon: boolean): Promise<void> {
    const timeout = String(soon ? FAILOVER_AFTER_MS : NODE_TIMEOUT_MS);
    for (const node of [...this.single, ...this.pair])
      await ask(node, 'CONFIG', 'SET', 'cluster-node-timeout', timeout);
  }

  /** A connected client as an app has it. */
  async client() {
    const client = createCluster({
      rootNodes: this.single.map(({ url }) => ({ url })),
      // By default it looks for a new master after 5 s; no test needs to wait for that.
      topologyRefreshOnReconnectionAttemptStrategy: 200,
      defaults: { socket: { reconnectStrategy: () => RECONNECT_MS } },
    }).on('error', () => {});
    await client.connect();
    return client;
  }
}

export async function isMaster(node: RedisNode): Promise<boolean> {
  return (await (await node.client()).info('replication')).includes('role:master');
}

/** The slots in which a node has anything. */
export async function slotsInUse(node: RedisNode): Promise<number[]> {
  const client = await node.client();
  const keys = await client.keys('*');
  const slots = await Promise.all(
    keys.map((key) => client.sendCommand<number>(['CLUSTER', 'KEYSLOT', key])),
  );
  return [...new Set(slots)];
}

/**
 * Moves a slot with all that is in it, as resharding does. Waits for `meanwhile` while the slot is between the two:
 * before its keys go, and after.
 */
export async function moveSlot(
  slot: number,
  from: RedisNode,
  to: RedisNode,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const setSlot = (node: RedisNode, ...how: string[]) =>
    ask(node, 'CLUSTER', 'SETSLOT', String(slot), ...how);
  await setSlot(to, 'IMPORTING', await idOf(from));
  await setSlot(from, 'MIGRATING', await idOf(to));
  await meanwhile();
  for (;;) {
    const keys = await ask<string[]>(from, 'CLUSTER', 'GETKEYSINSLOT', String(slot), '10');
    if (keys.length === 0) break;
    const { host, port } = to.address;
    await ask(from, 'MIGRATE', host, String(port), '', '0', MIGRATE_TIMEOUT_MS, 'KEYS', ...keys);
  }
  await meanwhile();
  for (const node of [to, from]) await setSlot(node, 'NODE', await idOf(to));
}

async function everyNode(
  what: string,
  nodes: readonly RedisNode[],
  isSo: (node: RedisNode) => Promise<boolean>,
): Promise<void> {
  for (const node of nodes) await until(`every node ${what}`, () => isSo(node));
}

async function ask<T>(node: RedisNode, ...command: string[]): Promise<T> {
  return (await node.client()).sendCommand<T & string>(command);
}

function idOf(node: RedisNode): Promise<string> {
  return ask(node, 'CLUSTER', 'MYID');
}
