import { CircuitBreaker } from '../../utils/circuit-breaker.js';
import { promised } from '../../utils/time-limit.js';
import {
  ActivityStorage,
  type ActivityEnd,
  type ActivityReading,
  type ActivityUnlock,
  type Expiry,
  type NewSession,
  type RecordedEnd,
} from '../activity-storage.js';
import { Watchers, type ChangedKeys } from '../watchers.js';
import {
  feedOf,
  hasHistory,
  type ActivityFeed,
  type Changes,
  type Touch,
} from './activity-feed.js';
import { resolveBufferOptions, type BufferedActivityStorageOptions } from './buffer-options.js';
import { Partition } from './partition.js';

/** Touches in one call: what a script gets done in well under two milliseconds. */
const TOUCHES_PER_CALL = 500;

/** After this part of an interval a process asks for changes, so that what it knows does not have to wait for them. */
const SYNC_AFTER = 0.8;

/** How often a watched storage is asked for changes that is otherwise asked for everything each time. */
const WATCH_INTERVAL_MS = 1000;

/** A synchronization that takes longer is given up; what was sent is then sent again. */
const SYNC_TIMEOUT_MS = 1000;

/**
 * Remembers what a storage said, and collects what it is to be told.
 *
 * Activity only ever moves a deadline forward, so what this process has seen is enough to say "alive", without asking: as
 * long as more than half of the time to the lock or to the idle end is left by what the storage itself knows, and the changes
 * of the last `syncInterval` say nothing else. Touches are then collected too. In every other case the request waits for the storage.
 *
 * A session that ended here is refused here at once, and by another process one `syncInterval` later at most. A session
 * that nobody uses after a crash ends early, by one `touchInterval` and one `syncInterval` at most: `flush()` prevents it.
 */
export class BufferedActivityStorage extends ActivityStorage {
  override readonly index: ActivityStorage['index'];
  /** There if the storage behind has it. */
  override readonly unlock?: ActivityStorage['unlock'];
  private readonly syncIntervalMs: number;
  private readonly partitions: readonly Partition[];
  private readonly feed: ActivityFeed;
  private timer: NodeJS.Timeout | undefined;
  private closing = false;
  private readonly watchers = new Watchers();
  private readonly breaker = new CircuitBreaker(SYNC_TIMEOUT_MS);

  constructor(
    private readonly storage: ActivityStorage,
    options: BufferedActivityStorageOptions = {},
  ) {
    super();
    this.index = storage.index;
    if (storage.unlock) this.unlock = (key, idleTimeoutMs) => this.unlockNow(key, idleTimeoutMs);
    const { syncIntervalMs, touchIntervalMs, rememberedSessions } = resolveBufferOptions(options);
    this.syncIntervalMs = syncIntervalMs;
    this.feed = feedOf(storage);
    const each = Math.ceil(rememberedSessions / this.feed.partitions);
    const onForget = (keys: ChangedKeys) => this.watchers.tell(keys);
    this.partitions = Array.from(
      { length: this.feed.partitions },
      (_, index) => new Partition(index, each, touchIntervalMs, onForget),
    );
  }

  override recall(key: string): ActivityReading | undefined {
    const partition = this.partitionOf(key);
    const now = partition.now();
    const known = partition.freshEnough(key, this.syncIntervalMs, now);
    if (!known) return undefined;
    this.use(partition);
    return { record: known.record, now };
  }

  override note(key: string, idleTimeoutMs: number, at: number): ActivityReading | undefined {
    const partition = this.partitionOf(key);
    const now = partition.now();
    const known = partition.freshEnough(key, this.syncIntervalMs, now);
    if (!known || this.closing || known.record.idleTimeoutMs !== idleTimeoutMs) return undefined;
    const activityAt = Math.min(Math.floor(at), now);
    if (activityAt > known.record.lastActivityAt) {
      partition.note(key, known, activityAt);
      this.use(partition);
    }
    return { record: known.record, now };
  }

  override async read(key: string, fresh = false): Promise<ActivityReading> {
    if (fresh) return this.query(key, () => this.storage.read(key, true));
    const { reads } = this.partitionOf(key);
    const now = () => this.partitionOf(key).now();
    return this.recall(key) ?? reads.share(key, this.syncIntervalMs, now, () => this.readAnew(key));
  }

  override start(
    key: string,
    session: NewSession,
  ): Promise<ActivityReading & { readonly started: boolean }> {
    return this.query(key, () => this.storage.start(key, session));
  }

  override async touch(key: string, idleTimeoutMs: number, at: number): Promise<ActivityReading> {
    const noted = this.note(key, idleTimeoutMs, at);
    if (noted) return noted;
    await this.sendPending(key, this.partitionOf(key));
    return this.query(key, () => this.storage.touch(key, idleTimeoutMs, at));
  }

  override async end(key: string, reason: RecordedEnd): Promise<ActivityEnd> {
    // What was collected may be what keeps the session alive.
    if (reason === 'idle') await this.sendPending(key, this.partitionOf(key));
    return this.query(key, () => this.storage.end(key, reason));
  }

  override expire(limit: number): Promise<Expiry> {
    return this.storage.expire(limit);
  }

  /** Asks for changes while there is a watcher, also after `flush()`: in each `syncInterval`, or each second if that is 0. */
  override watch(onChange: (keys: ChangedKeys) => void): (() => void) | undefined {
    if (!hasHistory(this.storage)) return this.storage.watch?.(onChange);
    const stop = this.watchers.add(onChange);
    this.schedule();
    return stop;
  }

  override async told(keys: readonly string[]): Promise<void> {
    await this.storage.told?.(keys);
  }

  override async count(): Promise<number | null> {
    return (await this.storage.count?.()) ?? null;
  }

  /** Sends what was collected; from now on touches are sent at once. Rejects if they could not be. */
  override async flush(): Promise<void> {
    this.closing = true;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.schedule();
    await Promise.all([
      ...this.partitions.map(async (partition) => {
        await partition.syncing?.catch(() => {});
        if (partition.pending.size > 0) await this.sync(partition);
      }),
      this.storage.flush?.(),
    ]);
  }

  /** Something else may be true of this session than what is remembered. */
  protected forget(key: string): void {
    this.partitionOf(key).forget([key]);
  }

  private async unlockNow(key: string, idleTimeoutMs: number): Promise<ActivityUnlock> {
    const partition = this.partitionOf(key);
    // What was collected may be what keeps the session alive.
    await this.sendPending(key, partition);
    const reading = await this.query(key, () => this.storage.unlock!(key, idleTimeoutMs));
    // A read that began before must not answer a request that comes after.
    partition.forget([key]);
    return reading;
  }

  private partitionOf(key: string): Partition {
    return this.partitions[this.feed.partitionOf(key)]!;
  }

  private readAnew(key: string): Promise<ActivityReading> {
    const due = this.partitionOf(key).pending.get(key)?.record;
    const read = () => this.storage.read(key);
    if (!due) return this.query(key, read);
    const send = () => this.storage.touch(key, due.idleTimeoutMs, due.lastActivityAt);
    // Writes alone may fail, where a Redis is full say.
    return this.query(key, () => send().catch(read));
  }

  /** Asks the storage about one session, and remembers its answer. */
  private query<T extends ActivityReading>(key: string, ask: () => Promise<T>): Promise<T> {
    const partition = this.partitionOf(key);
    const answer = partition.ask(key, ask);
    this.use(partition);
    return answer;
  }

  private async sendPending(key: string, partition: Partition): Promise<void> {
    const due = partition.pending.get(key)?.record;
    if (!due) return;
    await this.query(key, () => this.storage.touch(key, due.idleTimeoutMs, due.lastActivityAt));
  }

  /** Keeps up with the changes of a partition for as long as requests use it. */
  private use(partition: Partition): void {
    partition.inUse = true;
    this.schedule();
  }

  private schedule(): void {
    const isNeeded = this.watchers.size > 0 || (this.syncIntervalMs > 0 && !this.closing);
    if (this.timer || !isNeeded) return;
    const intervalMs = this.syncIntervalMs || WATCH_INTERVAL_MS;
    this.timer = setTimeout(() => this.syncAll(), intervalMs * SYNC_AFTER).unref();
  }

  private syncAll(): void {
    this.timer = undefined;
    const isWatched = this.watchers.size > 0;
    for (const partition of this.partitions) {
      if (isWatched || partition.pending.size > 0) this.schedule();
      if (!isWatched && !partition.inUse && !partition.isDue()) continue;
      partition.inUse = false;
      // What was not sent is sent with the next; a request that needs an answer asks, and learns of the outage.
      this.sync(partition).catch(() => this.use(partition));
    }
  }

  private sync(partition: Partition): Promise<void> {
    partition.syncing ??= this.exchange(partition).finally(() => (partition.syncing = undefined));
    return partition.syncing;
  }

  private async exchange(partition: Partition): Promise<void> {
    let sent: readonly Touch[];
    do {
      // Of a process that is about to stop, all is due.
      sent = partition.dueTouches(TOUCHES_PER_CALL, this.closing ? Infinity : undefined);
      const askedAt = performance.now();
      partition.takeChanges(await this.send(partition, sent), sent, askedAt);
    } while (sent.length === TOUCHES_PER_CALL);
  }

  private send(partition: Partition, touches: readonly Touch[]): Promise<Changes | undefined> {
    const { index, cursor } = partition;
    const answer = this.breaker.call(promised(() => this.feed.sync(index, touches, cursor)));
    return answer.catch((error: unknown) => {
      partition.takeBack(touches);
      throw error;
    });
  }
}
