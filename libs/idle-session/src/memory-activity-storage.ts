import {
  ActivityStorage,
  DEFAULT_RETENTION,
  type ActivityReading,
  type ActivityRecord,
  type EndReason,
} from './activity-storage.js';
import { DURATION_TAKES, parseDuration, type Duration } from './duration.js';
import { IdleSessionOptionsError } from './options-error.js';

export interface MemoryActivityStorageOptions {
  /** How long a record is kept after its deadline or its end; default `'24h'`. */
  readonly retention?: Duration;
  /** The clock, in milliseconds; default `Date.now`. */
  readonly now?: () => number;
}

/** A record with the time from which nobody needs it any more. */
interface Entry {
  readonly record: ActivityRecord;
  readonly dropAt: number;
}

/** Records looked at for dropping with every write: more than one, so that dropping is faster than growing. */
const SWEEP_STEPS = 2;

/**
 * Keeps activity records in this process: for one process, tests and development. Bounded by the sessions of the
 * retention time; records are dropped as others are written, without a timer.
 */
export class MemoryActivityStorage extends ActivityStorage {
  private readonly entries = new Map<string, Entry>();
  private readonly retentionMs: number;
  private readonly now: () => number;
  private sweeper = this.entries.entries();

  constructor(options: MemoryActivityStorageOptions = {}) {
    super();
    const retention = options.retention ?? DEFAULT_RETENTION;
    const retentionMs = parseDuration(retention);
    if (retentionMs === undefined)
      throw new IdleSessionOptionsError('retention', retention, DURATION_TAKES);
    this.retentionMs = retentionMs;
    this.now = options.now ?? Date.now;
  }

  /** How many records are held. */
  get size(): number {
    return this.entries.size;
  }

  override async read(key: string): Promise<ActivityReading> {
    return this.reading(key, this.now());
  }

  override async start(
    key: string,
    idleTimeoutMs: number,
  ): Promise<ActivityReading & { started: boolean }> {
    const now = this.now();
    const started = this.recordOf(key, now) === undefined;
    if (started) this.write(key, { startedAt: now, lastActivityAt: now, idleTimeoutMs }, now);
    return { ...this.reading(key, now), started };
  }

  override async touch(key: string, idleTimeoutMs: number, at: number): Promise<ActivityReading> {
    const now = this.now();
    const record = this.recordOf(key, now);
    if (record === undefined || record.ended !== undefined) return { record, now };
    const activityAt = Math.min(at, now);
    const deadline = record.lastActivityAt + record.idleTimeoutMs;
    const newer = activityAt > record.lastActivityAt && activityAt < deadline;
    const sameButInTime = activityAt === record.lastActivityAt && now < deadline;
    if (newer || sameButInTime)
      this.write(key, { ...record, lastActivityAt: activityAt, idleTimeoutMs }, now);
    return this.reading(key, now);
  }

  override async end(key: string, reason: EndReason): Promise<ActivityReading & { won: boolean }> {
    const now = this.now();
    const record = this.recordOf(key, now) ?? {
      startedAt: now,
      lastActivityAt: now,
      idleTimeoutMs: 0,
    };
    const inTime = reason === 'idle' && now < record.lastActivityAt + record.idleTimeoutMs;
    const won = record.ended === undefined && !inTime;
    if (won) this.write(key, { ...record, ended: reason }, now);
    return { ...this.reading(key, now), won };
  }

  private reading(key: string, now: number): ActivityReading {
    return { record: this.recordOf(key, now), now };
  }

  private recordOf(key: string, now: number): ActivityRecord | undefined {
    const entry = this.entries.get(key);
    return entry && now < entry.dropAt ? entry.record : undefined;
  }

  private write(key: string, record: ActivityRecord, now: number): void {
    const neededUntil =
      record.ended === undefined ? record.lastActivityAt + record.idleTimeoutMs : now;
    this.entries.set(key, { record, dropAt: neededUntil + this.retentionMs });
    this.sweep(now);
  }

  private sweep(now: number): void {
    for (let step = 0; step < SWEEP_STEPS; step++) {
      const next = this.sweeper.next();
      if (next.done) {
        this.sweeper = this.entries.entries();
        return;
      }
      const [key, entry] = next.value;
      if (now >= entry.dropAt) this.entries.delete(key);
    }
  }
}
