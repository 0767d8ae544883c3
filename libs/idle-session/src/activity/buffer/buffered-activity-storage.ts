import { LRUCache } from 'lru-cache';
import {
  ActivityStorage,
  type ActivityReading,
  type ActivityRecord,
  type EndReason,
  type Expiry,
} from '../activity-storage.js';
import { CompactRecord, fromCompact, toCompact } from '../../compact-record.js';
import { Deadline } from '../../utils/time-limit.js';
import { DURATION_TAKES, parseDuration, type Duration } from '../../utils/duration.js';
import { flat } from '../../flat.js';
import { isPromise, type MaybePromise } from '../../maybe-promise.js';
import { IdleSessionOptionsError } from '../../utils/option-error.js';

/** Activity as {@link ActivityStorage.touch} takes it. */
export interface Touch {
  readonly key: string;
  readonly idleTimeoutMs: number;
  readonly at: number;
}

/** What an {@link ActivityFeed} answers. */
export interface News {
  /** The storage's time. */
  readonly now: number;
  /** Where the next call goes on; undefined if there is no history to go on in. */
  readonly cursor: string | undefined;
  /**
   * The keys of which something may have become untrue since the last call: ended, or with a deadline that moved back,
   * or whose touch was refused. `'all'` if that is not known.
   */
  readonly changed: readonly string[] | 'all';
}

/**
 * What a storage can do beside, so that a {@link BufferedActivityStorage} in front of it may answer from memory. Its
 * keys are divided into partitions, each with a clock and a history of changes.
 */
export interface ActivityFeed {
  readonly partitions: number;
  /** From 0 to `partitions - 1`. */
  partitionOf(key: string): number;
  /**
   * Notes activity, and tells what changed; undefined if it can tell nothing.
   * @param since the cursor of the last answer; undefined the first time
   */
  sync(
    partition: number,
    touches: readonly Touch[],
    since: string | undefined,
  ): Promise<News | undefined>;
}

export interface BufferedActivityStorageOptions {
  /**
   * For how long a process goes by what it knows: within this time its touches are sent, and an end that another
   * process decided is known here. 0: touches are sent at once and nothing is remembered, for processes that are frozen
   * between requests. Default `'1s'`.
   */
  readonly syncInterval?: Duration;
  /** Of how many sessions a process remembers the activity; default 100 000. */
  readonly maxSessions?: number;
}

/** Touches in one call: what a script gets done in well under a millisecond. */
const TOUCHES_PER_CALL = 500;

/** An answer that is later than this is not waited for any longer; what was sent is then sent again. */
const SYNC_TIMEOUT_MS = 1000;

/** What is known of a session that has not ended, with activity that the storage may still have to be told of. */
class Known extends CompactRecord {
  /** When the storage was asked for it, on this process's monotonic clock. */
  askedAt = 0;
  private storedActivityAt = 0;

  /** The deadline that the storage itself knows of. */
  get storedDeadline(): number {
    return fromCompact(this.storedActivityAt) + this.idleTimeoutMs;
  }

  /** The storage knows of this activity now. */
  stored(at: number): void {
    this.storedActivityAt = toCompact(at);
  }

  hear(record: ActivityRecord, askedAt: number): void {
    this.record = record;
    this.stored(record.lastActivityAt);
    this.askedAt = Math.floor(askedAt);
  }
}

/**
 * Remembers what a storage said, and collects what it is to be told.
 *
 * Activity only ever moves a deadline forward, so what this process has seen is enough to say "alive", without asking:
 * as long as more than half of the idle timeout is left by what the storage itself knows, and news of the last
 * `syncInterval` say nothing else. Touches are then collected too. In every other case the storage is asked, and is
 * waited for: in the second half of the idle timeout, at an end, and for sessions that this process does not know.
 *
 * So a session that ended here is refused here at once, and by another process at the latest one `syncInterval` later.
 * A process that crashes loses what it collected in one `syncInterval`: a session whose only activity in a long time that
 * was ends early, by less than half of its idle timeout. `flush()` before it stops sends what was collected.
 */
export class BufferedActivityStorage extends ActivityStorage {
  private readonly syncIntervalMs: number;
  private readonly partitions: readonly Partition[];
  private readonly feed: ActivityFeed;
  private timer: NodeJS.Timeout | undefined;
  private closing = false;
  private readonly deadline = new Deadline(SYNC_TIMEOUT_MS);

  constructor(
    private readonly storage: ActivityStorage,
    { syncInterval = '1s', maxSessions = 100_000 }: BufferedActivityStorageOptions = {},
  ) {
    super();
    const syncIntervalMs = syncInterval === 0 ? 0 : parseDuration(syncInterval);
    if (syncIntervalMs === undefined) {
      throw new IdleSessionOptionsError('syncInterval', syncInterval, `0 or ${DURATION_TAKES}`);
    }
    if (!Number.isInteger(maxSessions) || maxSessions < 1) {
      throw new IdleSessionOptionsError('maxSessions', maxSessions, 'a whole number above zero');
    }
    this.syncIntervalMs = syncIntervalMs;
    this.feed = isFeed(storage) ? storage : oneByOne(storage);
    const each = Math.ceil(maxSessions / this.feed.partitions);
    this.partitions = Array.from(
      { length: this.feed.partitions },
      (_, index) => new Partition(index, each),
    );
  }

  override read(key: string, fresh = false): MaybePromise<ActivityReading> {
    if (fresh) return this.ask(key, () => this.storage.read(key, true));
    const partition = this.partitionOf(key);
    const known = this.toGoBy(key, partition);
    if (!known) return this.readOnce(key, partition);
    this.use(partition);
    return { record: known.record, now: partition.now() };
  }

  override start(
    key: string,
    idleTimeoutMs: number,
    sessionId: string,
  ): MaybePromise<ActivityReading & { readonly started: boolean }> {
    return this.ask(key, () => this.storage.start(key, idleTimeoutMs, sessionId));
  }

  override touch(key: string, idleTimeoutMs: number, at: number): MaybePromise<ActivityReading> {
    const partition = this.partitionOf(key);
    const known = this.toGoBy(key, partition);
    if (!known || this.closing || known.idleTimeoutMs !== idleTimeoutMs)
      return this.afterCollected(key, () =>
        this.ask(key, () => this.storage.touch(key, idleTimeoutMs, at)),
      );

    const now = partition.now();
    const activityAt = Math.min(Math.floor(at), now);
    if (activityAt > known.lastActivityAt) {
      known.lastActivityAt = activityAt;
      partition.pending.set(key, known);
      this.use(partition);
    }
    return { record: known.record, now };
  }

  override end(
    key: string,
    reason: EndReason,
  ): MaybePromise<ActivityReading & { readonly won: boolean }> {
    const end = () => this.ask(key, () => this.storage.end(key, reason));
    return reason === 'idle' ? this.afterCollected(key, end) : end();
  }

  override expire(absoluteTimeoutMs: number | false, limit: number): MaybePromise<Expiry> {
    return this.storage.expire?.(absoluteTimeoutMs, limit) ?? { expired: [], more: false };
  }

  /** Sends what was collected; from now on touches are sent at once. Rejects if they could not be. */
  override async flush(): Promise<void> {
    this.closing = true;
    clearTimeout(this.timer);
    await Promise.all(this.partitions.map((partition) => this.sendAll(partition)));
  }

  /** Somebody says that something else is true of this session. */
  protected forget(key: string): void {
    this.partitionOf(key).forget([key]);
  }

  private partitionOf(key: string): Partition {
    return this.partitions[this.feed.partitionOf(key)]!;
  }

  /** What is known of a session, if that is enough to go by. */
  private toGoBy(key: string, partition: Partition): Known | undefined {
    const known = partition.known.get(key);
    if (!known) return undefined;
    const askedAt = Math.max(known.askedAt, partition.syncedAt);
    if (performance.now() >= askedAt + this.syncIntervalMs) return undefined;
    const left = known.storedDeadline - partition.now();
    return left > Math.max(known.idleTimeoutMs / 2, this.syncIntervalMs) ? known : undefined;
  }

  /** Requests that come at once are answered by one reading. */
  private readOnce(key: string, partition: Partition): MaybePromise<ActivityReading> {
    const { reads } = partition;
    const inFlight = reads.get(key);
    const now = performance.now();
    if (inFlight && now <= inFlight.askedAt + this.syncIntervalMs) {
      // Whoever comes later comes at a later time.
      return inFlight.reading.then((reading) => ({ ...reading, now: partition.now() }));
    }
    const pending = partition.pending.get(key);
    const reading = this.ask(key, () =>
      pending ? this.touchAs(key, pending) : this.storage.read(key),
    );
    if (isPromise(reading)) {
      const done = () => reads.get(key)?.reading === reading && reads.delete(key);
      reads.set(key, { reading, askedAt: now });
      reading.then(done, done);
    }
    return reading;
  }

  private ask<T extends ActivityReading>(
    key: string,
    question: () => MaybePromise<T>,
  ): MaybePromise<T> {
    const partition = this.partitionOf(key);
    const askedAt = performance.now();
    const take = (reading: T): T => ({ ...reading, record: partition.hear(key, reading, askedAt) });
    const answer = question();
    this.use(partition);
    return isPromise(answer) ? answer.then(take) : take(answer);
  }

  /** What was collected may be what keeps the session alive. */
  private afterCollected<T>(key: string, ask: () => MaybePromise<T>): MaybePromise<T> {
    const pending = this.partitionOf(key).pending.get(key);
    if (!pending) return ask();
    const touched = this.ask(key, () => this.touchAs(key, pending));
    return isPromise(touched) ? touched.then(ask) : ask();
  }

  private touchAs(
    key: string,
    { idleTimeoutMs, lastActivityAt }: Known,
  ): MaybePromise<ActivityReading> {
    return this.storage.touch(key, idleTimeoutMs, lastActivityAt);
  }

  /** Keeps up with the news of a partition for as long as somebody goes by them. */
  private use(partition: Partition): void {
    partition.inUse = true;
    if (this.timer || this.closing || this.syncIntervalMs === 0) return;
    // Twice in an interval, so that what is known never has to wait for news.
    this.timer = setTimeout(() => this.syncAll(), this.syncIntervalMs / 2).unref();
  }

  private syncAll(): void {
    this.timer = undefined;
    for (const partition of this.partitions) {
      if (!partition.inUse && partition.pending.size === 0) continue;
      partition.inUse = false;
      this.sync(partition).then(
        () => {
          if (partition.pending.size > 0) this.use(partition);
        },
        // What was not sent is sent with the next; whoever needs an answer asks, and learns of the outage.
        () => this.use(partition),
      );
    }
  }

  private sync(partition: Partition): Promise<void> {
    partition.syncing ??= this.exchange(partition).finally(() => (partition.syncing = undefined));
    return partition.syncing;
  }

  private async exchange(partition: Partition): Promise<void> {
    let sent: readonly Touch[];
    do {
      sent = partition.collected(TOUCHES_PER_CALL);
      const askedAt = performance.now();
      const ask = () => this.feed.sync(partition.index, sent, partition.cursor);
      partition.hearNews(await this.deadline.ask(ask), sent, askedAt);
    } while (sent.length === TOUCHES_PER_CALL);
  }

  private async sendAll(partition: Partition): Promise<void> {
    await partition.syncing?.catch(() => {});
    if (partition.pending.size > 0) await this.sync(partition);
  }
}

/** What is known and collected of one partition, and its clock. */
class Partition {
  readonly known: LRUCache<string, Known>;
  /** Of which the storage is to be told; also of sessions that had to give way to others. */
  readonly pending = new Map<string, Known>();
  /** Those in flight. */
  readonly reads = new Map<string, { reading: Promise<ActivityReading>; askedAt: number }>();
  cursor: string | undefined;
  /** When what is known was last known to be true. */
  syncedAt = -Infinity;
  inUse = false;
  syncing: Promise<void> | undefined;
  /** When something that was known turned out to be untrue. */
  private forgotAt = -Infinity;
  /** How far the storage's clock is ahead of this process's monotonic one. */
  private ahead = NaN;

  constructor(
    readonly index: number,
    maxSessions: number,
  ) {
    this.known = new LRUCache({ max: maxSessions });
  }

  now(): number {
    return Math.ceil(performance.now() + this.ahead);
  }

  collected(limit: number): Touch[] {
    const touches: Touch[] = [];
    for (const [key, { idleTimeoutMs, lastActivityAt }] of this.pending) {
      if (touches.length === limit) break;
      touches.push({ key, idleTimeoutMs, at: lastActivityAt });
    }
    return touches;
  }

  /** Takes in what the storage says of one session; the record, with what was collected here. */
  hear(key: string, { record, now }: ActivityReading, askedAt: number): ActivityRecord | undefined {
    this.hearTime(now, askedAt);
    if (!record || record.ended !== undefined) {
      this.forget([key]);
      return record;
    }
    const collectedAt = this.collectedAt(key, record);
    // An answer that was overtaken by news may be older than they are.
    if (askedAt >= this.forgotAt) {
      const inMemory = this.known.get(key);
      const known = this.pending.get(key) ?? inMemory ?? new Known();
      known.hear(record, askedAt);
      if (collectedAt !== undefined) known.lastActivityAt = collectedAt;
      if (known !== inMemory) this.known.set(flat(key), known);
    }
    return collectedAt === undefined ? record : { ...record, lastActivityAt: collectedAt };
  }

  /** Takes in what the storage says after it was told of `sent`. */
  hearNews(news: News | undefined, sent: readonly Touch[], askedAt: number): void {
    for (const { key, at } of sent) {
      const pending = this.pending.get(key);
      pending?.stored(at);
      if (pending?.lastActivityAt === at) this.pending.delete(key);
    }
    if (!news) return;
    const { now, cursor, changed } = news;
    this.hearTime(now, askedAt);
    this.cursor = cursor;
    if (cursor !== undefined) this.syncedAt = askedAt;
    if (changed === 'all') this.forgetAll();
    else this.forget(changed);
  }

  forget(keys: readonly string[]): void {
    if (keys.length > 0) this.forgotAt = performance.now();
    for (const key of keys) {
      this.known.delete(key);
      this.reads.delete(key);
    }
  }

  private forgetAll(): void {
    this.forgotAt = performance.now();
    this.known.clear();
    this.reads.clear();
  }

  /**
   * The storage told the time between question and answer. What was taken for its clock is kept if that fits: of many
   * answers, the quickest says it best. Otherwise it is taken as late as it can be, so that nobody is alive here at a
   * time when the storage would say otherwise.
   */
  private hearTime(now: number, askedAt: number): void {
    const [atLeast, atMost] = [now - performance.now(), now - askedAt];
    if (!(this.ahead >= atLeast && this.ahead <= atMost)) this.ahead = atMost;
  }

  /** What was collected of a session, if it still counts by what the storage says. */
  private collectedAt(key: string, record: ActivityRecord): number | undefined {
    const collectedAt = this.pending.get(key)?.lastActivityAt;
    if (collectedAt === undefined) return undefined;
    const { lastActivityAt, idleTimeoutMs } = record;
    if (collectedAt > lastActivityAt && collectedAt < lastActivityAt + idleTimeoutMs)
      return collectedAt;
    this.pending.delete(key);
    return undefined;
  }
}

function isFeed(storage: ActivityStorage): storage is ActivityStorage & ActivityFeed {
  return 'sync' in storage;
}

/** For a storage that tells no news: what it says of a session holds for that session only, for one interval. */
function oneByOne(storage: ActivityStorage): ActivityFeed {
  return {
    partitions: 1,
    partitionOf: () => 0,
    async sync(_partition, touches) {
      const readings = await Promise.all(
        touches.map(async ({ key, idleTimeoutMs, at }) => storage.touch(key, idleTimeoutMs, at)),
      );
      const last = readings.at(-1);
      if (!last) return undefined;
      const refused = touches.filter(({ at }, index) => {
        const { record } = readings[index]!;
        return !record || record.ended !== undefined || record.lastActivityAt < at;
      });
      return { now: last.now, cursor: undefined, changed: refused.map(({ key }) => key) };
    },
  };
}
