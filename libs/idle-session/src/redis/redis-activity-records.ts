import { Logger } from '@nestjs/common';
import {
  ActivityStorage,
  type ActivityEnd,
  type ActivityReading,
  type ActivityUnlock,
  type Expiry,
  type NewSession,
  type RecordedEnd,
} from '../activity/activity-storage.js';
import type { ActivityFeed, Changes, Touch } from '../activity/buffer/activity-feed.js';
import { DueEnds, mayTell } from './due-ends.js';
import { RedisOwnerIndex } from './redis-owner-index.js';
import { callScript, script, type RedisScriptClient, type Script } from './script-call.js';
import {
  toExpired,
  toReading,
  wasDone,
  type ExpireReply,
  type Field,
  type ScriptReply,
} from './script-reply.js';
import * as scripts from './scripts.js';
import { ToldEnds } from './told-ends.js';

const READ = script(scripts.READ);
const START = script(scripts.START);
const TOUCH = script(scripts.TOUCH);
const UNLOCK = script(scripts.UNLOCK);
const END = script(scripts.END);
const SYNC = script(scripts.SYNC);
const EXPIRE = script(scripts.EXPIRE);
const TOLD = script(scripts.TOLD);
const COUNT = script(scripts.COUNT);

/** Records lie in so many hashes: few enough to send many touches in one call, and enough to spread over a cluster. */
const PARTITIONS = 4;

/** How long nothing more is said of records in no known form: there may be many. */
const SAID_FOR_MS = 60_000;

const UNREADABLE =
  'The activity storage has a record in no known form, which counts as none: its session ends as "lost". Something other than this module wrote or changed it, or another version of it.';

/** The records themselves, on Redis's clock: each operation one script call, nothing remembered. */
export class RedisActivityRecords extends ActivityStorage implements ActivityFeed {
  readonly partitions = PARTITIONS;
  override readonly index: RedisOwnerIndex;
  private readonly keys: readonly string[][];
  /** A partition each. */
  private readonly dueEnds: readonly DueEnds[];
  private readonly toldEnds: readonly ToldEnds[];
  private unreadableSaidAt = -Infinity;

  constructor(
    private readonly client: RedisScriptClient,
    prefix: string,
    private readonly retentionMs: number,
    private readonly channel: string,
  ) {
    super();
    this.index = new RedisOwnerIndex(client, prefix);
    // The braces are a hash tag: all keys of a partition share a slot of a cluster.
    this.keys = Array.from({ length: PARTITIONS }, (_, partition) =>
      ['records', 'deadlines', 'changes', 'untold'].map(
        (name) => `${prefix}{${partition}}:${name}`,
      ),
    );
    this.dueEnds = this.keys.map(
      (_, partition) =>
        new DueEnds((limit) => this.run(partition, EXPIRE, limit) as Promise<ExpireReply>),
    );
    this.toldEnds = this.keys.map(
      (_, partition) => new ToldEnds((keys) => this.run(partition, TOLD, ...keys)),
    );
  }

  partitionOf(key: string): number {
    let sum = 0;
    for (let index = 0; index < key.length; index++) sum += key.charCodeAt(index);
    return sum % PARTITIONS;
  }

  override async read(key: string): Promise<ActivityReading> {
    return toReading(await this.runFor(key, READ));
  }

  override async start(
    key: string,
    { idleTimeoutMs, absoluteTimeoutMs, lockAfterMs, owner, sessionId }: NewSession,
  ): Promise<ActivityReading & { started: boolean }> {
    const limits = [idleTimeoutMs, absoluteTimeoutMs ?? 0, lockAfterMs ?? 0];
    const reply = await this.runFor(key, START, ...limits, owner ?? '', sessionId);
    return { ...toReading(reply), started: wasDone(reply) };
  }

  override async touch(key: string, idleTimeoutMs: number, at: number): Promise<ActivityReading> {
    return toReading(await this.runFor(key, TOUCH, idleTimeoutMs, at));
  }

  override async unlock(key: string, idleTimeoutMs: number): Promise<ActivityUnlock> {
    const reply = await this.runFor(key, UNLOCK, idleTimeoutMs);
    return { ...toReading(reply), unlocked: wasDone(reply) };
  }

  override async end(key: string, reason: RecordedEnd): Promise<ActivityEnd> {
    const askedAt = performance.now();
    const reply = await this.runFor(key, END, reason);
    const won = wasDone(reply) && mayTell(askedAt);
    // It is the last of the fields.
    return { ...toReading(reply), won, ...(won && { sessionId: String(reply.at(-1)) }) };
  }

  override async told(keys: readonly string[]): Promise<void> {
    const partitions = new Set<ToldEnds>();
    for (const key of keys) {
      const ends = this.toldEnds[this.partitionOf(key)]!;
      ends.add(key);
      partitions.add(ends);
    }
    await sendAll(partitions);
  }

  override async count(): Promise<number> {
    const counts = await Promise.all(this.keys.map((_, partition) => this.run(partition, COUNT)));
    return counts.reduce<number>((sum, count) => sum + Number(count), 0);
  }

  override async flush(): Promise<void> {
    await sendAll(this.toldEnds);
  }

  async sync(
    partition: number,
    touches: readonly Touch[],
    since: string | undefined,
  ): Promise<Changes> {
    const keys = touches.map(({ key }) => key);
    const times = touches.map(({ at }) => at);
    const timeouts = touches.map(({ idleTimeoutMs }) => idleTimeoutMs);
    const told = [since ?? '', touches.length, ...keys, ...times, ...timeouts];
    const reply = await this.run(partition, SYNC, ...told);
    const [now, cursor, isKnown, ...changed] = reply as [number, string, number, ...string[]];
    return {
      now: Number(now),
      cursor: String(cursor),
      changed: Number(isKnown) === 1 ? changed.map(String) : 'all',
    };
  }

  override async expire(limit: number): Promise<Expiry> {
    // What Redis did not take before.
    sendAll(this.toldEnds.filter(({ size }) => size > 0)).catch(() => {});
    const each = Math.ceil(limit / PARTITIONS);
    const outcomes = await Promise.allSettled(this.dueEnds.map((due) => due.end(each)));
    // What one node of a cluster ended must be told, even if the others fail, and however late it comes.
    const answers = outcomes.flatMap((outcome) =>
      outcome.status === 'fulfilled' ? [outcome.value] : [],
    );
    answers.push(...this.dueEnds.flatMap((due) => due.takeLate()));
    const [failure] = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome] : [],
    );
    if (failure && answers.length === 0) throw failure.reason;

    const replies = answers.filter(({ askedAt }) => mayTell(askedAt)).map(({ reply }) => reply);
    for (const [, unreadable] of replies) this.noteUnreadable(unreadable);
    return {
      expired: replies.flatMap(toExpired),
      more: replies.some(([looked]) => Number(looked) === each),
    };
  }

  private async runFor(
    key: string,
    operation: Script,
    ...values: (string | number)[]
  ): Promise<ScriptReply> {
    const reply = await this.run(this.partitionOf(key), operation, key, ...values);
    const [, unreadable] = reply as ScriptReply;
    this.noteUnreadable(unreadable);
    return reply as ScriptReply;
  }

  private noteUnreadable(count: Field): void {
    if (!Number(count) || performance.now() - this.unreadableSaidAt < SAID_FOR_MS) return;
    this.unreadableSaidAt = performance.now();
    new Logger('IdleSessionModule').error(UNREADABLE);
  }

  private async run(
    partition: number,
    operation: Script,
    ...values: (string | number)[]
  ): Promise<unknown> {
    const all = [this.retentionMs, this.channel, ...values];
    return callScript(this.client, operation, this.keys[partition]!, all);
  }
}

async function sendAll(ends: Iterable<ToldEnds>): Promise<void> {
  await Promise.all(Array.from(ends, (each) => each.send()));
}
