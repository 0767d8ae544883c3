import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClient } from '../../test/support/redis-server.js';
import type { LoadProcess } from './load-process.js';
import { SYNC_INTERVAL_MS } from './ours.js';
import { redisCpuUs } from './redis-meter.js';
import { shuffled, sum } from './statistics.js';

/** Something that is measured against others, on a unix socket. */
export interface Subject {
  readonly name: string;
  readonly socketPath: string;
  /** Of how many sessions its requests are. */
  readonly sessions: number;
  /** Does part of its work after the answers, in batches: its blocks begin and end with one. */
  readonly defers: boolean;
}

/** What one block came to. */
interface Block {
  readonly requests: number;
  readonly rate: number;
  readonly appCpuUs: number;
  readonly redisCpuUs: number;
}

/** Batches are sent twice in an interval; so much later, what was sent last is done. */
const BATCH_MS = SYNC_INTERVAL_MS / 2;
const AFTER_BATCH_MS = BATCH_MS + 20;
const LEAD_IN_MS = 50;
/** As long as it takes for one batch. */
const TIMED_MS = BATCH_MS;

/** All blocks of one subject, in the order of the cycles. */
export class Measured {
  private readonly blocks: Block[] = [];

  add(block: Block): void {
    this.blocks.push(block);
  }

  /** Answers a second, by cycle. */
  get rates(): number[] {
    return this.blocks.map(({ rate }) => rate);
  }

  /** CPU of app and Redis together, a request, by cycle. */
  get costsUs(): number[] {
    return this.blocks.map((block) => (block.appCpuUs + block.redisCpuUs) / block.requests);
  }

  /** Over all blocks: what Redis uses in one is too little for its clock. */
  perRequest(what: 'appCpuUs' | 'redisCpuUs'): number {
    const total = sum(this.blocks.map((block) => block[what]));
    return total / sum(this.blocks.map(({ requests }) => requests));
  }
}

export interface Bench {
  readonly load: LoadProcess;
  /** Of the redis-server whose work is measured. */
  readonly admin: RedisClient;
}

/** In each cycle one short block of each subject, in random order, so that what disturbs the machine hits all alike. */
export async function measure<S extends Subject>(
  { load, admin }: Bench,
  subjects: readonly S[],
  connections: number,
  cycles: number,
): Promise<Map<S, Measured>> {
  const measured = new Map(subjects.map((subject) => [subject, new Measured()]));
  for (let cycle = 0; cycle < cycles; cycle++)
    for (const subject of shuffled(subjects))
      measured.get(subject)?.add(await block({ load, admin }, subject, connections));
  return measured;
}

async function block(
  { load, admin }: Bench,
  { socketPath, sessions, defers }: Subject,
  connections: number,
): Promise<Block> {
  const leadInMs = defers ? AFTER_BATCH_MS : LEAD_IN_MS;
  const job = { socketPath, sessions, connections, leadInMs, timedMs: TIMED_MS };
  let cpu = process.cpuUsage();
  let redisBefore: Promise<number> | undefined;
  const { requests, rate } = await load.forAWhile(job, () => {
    cpu = process.cpuUsage();
    redisBefore = redisCpuUs(admin);
  });
  const { user, system } = process.cpuUsage(cpu);
  const redisAfter = await redisCpuUs(admin);
  const appCpu = user + system;
  if (defers) await delay(AFTER_BATCH_MS);
  return {
    requests,
    rate,
    appCpuUs: appCpu,
    redisCpuUs: redisAfter - ((await redisBefore) ?? NaN),
  };
}
