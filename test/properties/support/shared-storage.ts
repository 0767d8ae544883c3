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

  constructor(private readonly options: SharedStorageOptions) {
    super();
    this.memory = new MemoryActivityStorage(options);
  }

  partitionOf(key: string): number {
    return key.charCodeAt(0) % this.partitions;
  }

  override read(key: string): Promise<ActivityReading> {
    return this.memory.read(key);
  }

  override async start(key: string, session: NewSession) {
    return this.written(key, await this.memory.start(key, session));
  }

  override async touch(key: string, idleTimeoutMs: number, at: number): Promise<ActivityReading> {
    const [{ record: before }, reading] = await Promise.all([
      this.memory.read(key),
      this.memory.touch(key, idleTimeoutMs, at),
    ]);
    this.written(key, reading);
    if (deadlineOf(reading.record) < deadlineOf(before)) this.changed(key);
    return reading;
  }

  override async end(key: string, reason: EndReason) {
    const reading = this.written(key, await this.memory.end(key, reason));
    if (reading.won) this.changed(key);
    return reading;
  }

  override async expire(limit: number): Promise<Expiry> {
    const expiry = await this.memory.expire(limit);
    for (const { key } of expiry.expired) this.written(key, await this.memory.read(key));
    return expiry;
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

  private written<T extends ActivityReading>(key: string, reading: T): T {
    if (reading.record) this.options.onWrite?.(key, reading.record);
    return reading;
  }
}

function deadlineOf(record: ActivityRecord | undefined): number {
  return record ? record.lastActivityAt + record.idleTimeoutMs : 0;
}
