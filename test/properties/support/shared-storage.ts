import {
  ActivityStorage,
  MemoryActivityStorage,
  type ActivityReading,
  type ActivityRecord,
  type EndReason,
  type Expiry,
} from 'nestjs-idle-session';
import type {
  ActivityFeed,
  News,
  Touch,
} from '../../../libs/idle-session/src/activity/buffer/buffered-activity-storage.js';

export interface SharedStorageOptions {
  readonly now: () => number;
  readonly retention?: number;
  /** Of each partition. */
  readonly changesRemembered: number;
  /** Told what a record is now, with every write of it. */
  readonly onWrite?: (key: string, record: ActivityRecord) => void;
}

interface Changes {
  count: number;
  /** Newest first. */
  keys: string[];
}

/** What all processes share: as the scripts in Redis, in this process. Answers at once. */
export class SharedStorage extends ActivityStorage implements ActivityFeed {
  readonly partitions = 2;
  private readonly memory: MemoryActivityStorage;
  private readonly changes: Changes[] = Array.from({ length: this.partitions }, () => ({
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

  override read(key: string): ActivityReading {
    return this.memory.read(key);
  }

  override start(key: string, idleTimeoutMs: number, sessionId: string) {
    return this.written(key, this.memory.start(key, idleTimeoutMs, sessionId));
  }

  override touch(key: string, idleTimeoutMs: number, at: number): ActivityReading {
    const before = this.memory.read(key).record;
    const reading = this.written(key, this.memory.touch(key, idleTimeoutMs, at));
    if (deadlineOf(reading.record) < deadlineOf(before)) this.changed(key);
    return reading;
  }

  override end(key: string, reason: EndReason) {
    const reading = this.written(key, this.memory.end(key, reason));
    if (reading.won) this.changed(key);
    return reading;
  }

  override expire(absoluteTimeoutMs: number | false, limit: number): Expiry {
    const expiry = this.memory.expire(absoluteTimeoutMs, limit);
    for (const { key, reason } of expiry.expired) {
      this.written(key, this.memory.read(key));
      if (reason === 'absolute') this.changed(key);
    }
    return expiry;
  }

  /** Answers at once too, but its type promises. */
  async sync(partition: number, touches: readonly Touch[], since: unknown): Promise<News> {
    return this.syncNow(partition, touches, since);
  }

  syncNow(partition: number, touches: readonly Touch[], since: unknown): News {
    const refused = touches.filter(({ key, idleTimeoutMs, at }) => {
      const { record } = this.touch(key, idleTimeoutMs, at);
      return (
        !record ||
        record.ended !== undefined ||
        record.lastActivityAt < Math.min(Math.floor(at), this.options.now())
      );
    });
    const { count, keys } = this.changes[partition]!;
    const missed = since === undefined ? Infinity : count - Number(since);
    const told = refused.map(({ key }) => key).concat(keys.slice(0, missed));
    return {
      now: this.options.now(),
      cursor: String(count),
      changed: missed <= keys.length ? told : 'all',
    };
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
