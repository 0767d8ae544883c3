import {
  ActivityStorage,
  MemoryActivityStorage,
  type ActivityReading,
  type ActivityRecord,
  type EndReason,
  type ActivityFeed,
  type Changes,
  type Expiry,
  type NewSession,
  type Touch,
} from 'nestjs-idle-session';

export interface SharedStorageOptions {
  readonly now: () => number;
  readonly retention?: number;
  /** Of each partition. */
  readonly changesRemembered: number;
  /** Told what a record is now, with every write of it. */
  readonly onWrite?: (key: string, record: ActivityRecord) => void;
}

interface History {
  count: number;
  /** Newest first. */
  keys: string[];
}

/** What all processes share: as the scripts in Redis, in this process. Each call is done as it is made. */
export class SharedStorage extends ActivityStorage implements ActivityFeed {
  readonly partitions = 2;
  private readonly memory: MemoryActivityStorage;
  private readonly changes: History[] = Array.from({ length: this.partitions }, () => ({
    count: 0,
    keys: [],
  }));

  private reported: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: SharedStorageOptions) {
    super();
    const { now, retention } = options;
    this.memory = new MemoryActivityStorage({ now, retention });
  }

  partitionOf(key: string): number {
    return key.charCodeAt(0) % this.partitions;
  }

  override read(key: string): Promise<ActivityReading> {
    return this.inOrder(this.memory.read(key), () => {});
  }

  override start(key: string, session: NewSession) {
    return this.inOrder(this.memory.start(key, session), (reading) => this.written(key, reading));
  }

  override async touch(key: string, idleTimeoutMs: number, at: number): Promise<ActivityReading> {
    const both = Promise.all([this.memory.read(key), this.memory.touch(key, idleTimeoutMs, at)]);
    const [, reading] = await this.inOrder(both, ([before, after]) => {
      this.written(key, after);
      if (deadlineOf(after.record) < deadlineOf(before.record)) this.changed(key);
    });
    return reading;
  }

  override async unlock(key: string, idleTimeoutMs: number) {
    const both = Promise.all([this.memory.read(key), this.memory.unlock(key, idleTimeoutMs)]);
    const [, reading] = await this.inOrder(both, ([before, after]) => {
      this.written(key, after);
      if (after.record !== before.record) this.changed(key);
    });
    return reading;
  }

  override end(key: string, reason: EndReason) {
    return this.inOrder(this.memory.end(key, reason), (reading) => {
      this.written(key, reading);
      if (reading.won) this.changed(key);
    });
  }

  override async expire(limit: number): Promise<Expiry> {
    const all = this.memory.expire(limit).then(async (expiry) => ({
      expiry,
      ended: await Promise.all(
        expiry.expired.map(async ({ key }) => [key, await this.memory.read(key)] as const),
      ),
    }));
    const { expiry } = await this.inOrder(all, ({ ended }) => {
      for (const [key, reading] of ended) this.written(key, reading);
    });
    return expiry;
  }

  override count() {
    return this.memory.count();
  }

  async sync(partition: number, touches: readonly Touch[], since: unknown): Promise<Changes> {
    const now = this.options.now();
    const readings = await Promise.all(
      touches.map(({ key, idleTimeoutMs, at }) => this.touch(key, idleTimeoutMs, at)),
    );
    const refused = touches.filter(({ at }, index) => {
      const { record } = readings[index]!;
      return (
        !record ||
        record.ended !== undefined ||
        record.lastActivityAt < Math.min(Math.floor(at), now)
      );
    });
    const { count, keys } = this.changes[partition]!;
    const missed = since === undefined ? Infinity : count - Number(since);
    const changed = refused.map(({ key }) => key).concat(keys.slice(0, missed));
    return { now, cursor: String(count), changed: missed <= keys.length ? changed : 'all' };
  }

  private changed(key: string): void {
    const changes = this.changes[this.partitionOf(key)]!;
    changes.count++;
    changes.keys = [key, ...changes.keys].slice(0, this.options.changesRemembered);
  }

  private written(key: string, { record }: ActivityReading): void {
    if (record) this.options.onWrite?.(key, record);
  }

  /**
   * Operations are done as they are called; what they did is reported in the same order, and before any later operation
   * is answered: else a server could tell of an end that the oracle has not heard of.
   */
  private inOrder<T>(answer: Promise<T>, report: (answer: T) => void): Promise<T> {
    const reported = this.reported.then(async () => {
      report(await answer);
      return answer;
    });
    this.reported = reported;
    return reported;
  }
}

function deadlineOf(record: ActivityRecord | undefined): number {
  return record ? record.lastActivityAt + record.idleTimeoutMs : 0;
}
