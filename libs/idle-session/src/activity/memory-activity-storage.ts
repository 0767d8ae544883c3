import TinyQueue from 'tinyqueue';
import {
  ActivityStorage,
  DEFAULT_RETENTION,
  type ActivityReading,
  type ActivityRecord,
  type EndReason,
  type ExpiredSession,
  type Expiry,
} from './activity-storage.js';
import { CompactRecord, fromCompact, toCompact } from '../compact-record.js';
import { DURATION_TAKES, parseDuration, type Duration } from '../utils/duration.js';
import { evaluate } from './evaluate.js';
import { flat } from '../flat.js';
import { IdleSessionOptionsError } from '../utils/option-error.js';

export interface MemoryActivityStorageOptions {
  /** How long a record is kept after its deadline or its end; default `'24h'`. */
  readonly retention?: Duration;
  /** The clock, in milliseconds; default `Date.now`. */
  readonly now?: () => number;
}

interface End {
  readonly reason: EndReason;
  readonly at: number;
}

/** A record and its place in the queue. */
class Entry extends CompactRecord {
  private looked = 0;

  constructor(
    readonly key: string,
    /** The session id, or once that is not needed any more, how the session ended. */
    public rest: string | End,
  ) {
    super();
  }

  get sessionId(): string {
    return typeof this.rest === 'string' ? this.rest : '';
  }

  override get record(): ActivityRecord {
    const { rest } = this;
    return typeof rest === 'string' ? super.record : { ...super.record, ended: rest.reason };
  }

  override set record(record: ActivityRecord) {
    super.record = record;
  }

  /** When to look at it next. Never later than it is due, often earlier; does not change while it is in the queue. */
  get lookAt(): number {
    return fromCompact(this.looked);
  }

  set lookAt(time: number) {
    this.looked = toCompact(time);
  }
}

/** Records looked at for dropping with every write: more than one, so that dropping is faster than growing. */
const DROP_STEPS = 2;

/**
 * Keeps activity records in this process: for one process, tests and development. Answers at once, never with a
 * promise. Bounded by the sessions of the retention time.
 */
export class MemoryActivityStorage extends ActivityStorage {
  private readonly entries = new Map<string, Entry>();
  /** Ordered by time. Entries that another has taken the place of stay until they come up, and then count for nothing. */
  private readonly queue = new TinyQueue<Entry>([], (a, b) => a.lookAt - b.lookAt);
  private readonly retentionMs: number;
  private readonly now: () => number;

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

  override read(key: string): ActivityReading {
    return this.reading(key, this.now());
  }

  override start(
    key: string,
    idleTimeoutMs: number,
    sessionId: string,
  ): ActivityReading & { started: boolean } {
    const now = this.now();
    const started = this.recordOf(key, now) === undefined;
    if (started)
      this.write(key, { startedAt: now, lastActivityAt: now, idleTimeoutMs }, now, sessionId);
    return { ...this.reading(key, now), started };
  }

  override touch(key: string, idleTimeoutMs: number, at: number): ActivityReading {
    const now = this.now();
    const record = this.recordOf(key, now);
    if (record === undefined || record.ended !== undefined) return { record, now };
    const activityAt = Math.min(Math.floor(at), now);
    const deadline = deadlineOf(record);
    const newer = activityAt > record.lastActivityAt && activityAt < deadline;
    const sameButInTime = activityAt === record.lastActivityAt && now < deadline;
    if (newer || sameButInTime)
      this.write(key, { ...record, lastActivityAt: activityAt, idleTimeoutMs }, now);
    return this.reading(key, now);
  }

  override end(key: string, reason: EndReason): ActivityReading & { won: boolean } {
    const now = this.now();
    const record = this.recordOf(key, now) ?? {
      startedAt: now,
      lastActivityAt: now,
      idleTimeoutMs: 0,
    };
    const inTime = reason === 'idle' && now < deadlineOf(record);
    const won = record.ended === undefined && !inTime;
    if (won) this.write(key, { ...record, ended: reason }, now);
    return { ...this.reading(key, now), won };
  }

  override expire(absoluteTimeoutMs: number | false, limit: number): Expiry {
    const now = this.now();
    const expired: ExpiredSession[] = [];
    for (let looked = 0; looked < limit; looked++) {
      const next = this.queue.peek();
      if (next === undefined || next.lookAt > now) return { expired, more: false };
      this.queue.pop();
      if (this.isReplaced(next)) continue;

      const { key, record, sessionId } = next;
      const evaluation = evaluate(record, { warnBeforeMs: false, absoluteTimeoutMs }, now);
      if (record.ended !== undefined) {
        if (now >= this.dropAtOf(next)) this.entries.delete(key);
        else this.enqueue(next, this.dropAtOf(next));
      } else if (evaluation.state === 'expired') {
        const reason = evaluation.reason as ExpiredSession['reason'];
        this.change(next, { ...record, ended: reason }, now);
        this.enqueue(next, this.dropAtOf(next));
        expired.push({ key, sessionId, reason });
      } else {
        this.enqueue(next, now + evaluation.expiresInMs);
      }
    }
    return { expired, more: true };
  }

  private reading(key: string, now: number): ActivityReading {
    return { record: this.recordOf(key, now), now };
  }

  private recordOf(key: string, now: number): ActivityRecord | undefined {
    const entry = this.entries.get(key);
    return entry && now < this.dropAtOf(entry) ? entry.record : undefined;
  }

  /** @param sessionId default: the one that is known */
  private write(key: string, record: ActivityRecord, now: number, sessionId?: string): void {
    const known = this.entries.get(key);
    const due = record.ended === undefined ? deadlineOf(record) : now + this.retentionMs;
    let entry = known;
    if (!entry || due < entry.lookAt) {
      entry = new Entry(known?.key ?? flat(key), known?.rest ?? '');
      this.entries.set(entry.key, entry);
      this.enqueue(entry, due);
    }
    if (sessionId !== undefined) entry.rest = flat(sessionId);
    this.change(entry, record, now);
    this.dropOld(now);
  }

  private change(entry: Entry, record: ActivityRecord, now: number): void {
    entry.record = record;
    if (record.ended !== undefined) entry.rest = { reason: record.ended, at: now };
  }

  /** From when on nobody needs the record any more. */
  private dropAtOf(entry: Entry): number {
    const { rest } = entry;
    return (typeof rest === 'string' ? deadlineOf(entry) : rest.at) + this.retentionMs;
  }

  /** @param entry in no place of the queue */
  private enqueue(entry: Entry, at: number): void {
    entry.lookAt = at;
    this.queue.push(entry);
  }

  private isReplaced(entry: Entry): boolean {
    return this.entries.get(entry.key) !== entry;
  }

  /** For whoever uses the storage without {@link expire}. */
  private dropOld(now: number): void {
    for (let step = 0; step < DROP_STEPS; step++) {
      const next = this.queue.peek();
      if (next === undefined || next.lookAt > now) return;
      const current = !this.isReplaced(next);
      if (current && now < this.dropAtOf(next)) return;
      this.queue.pop();
      if (current) this.entries.delete(next.key);
    }
  }
}

function deadlineOf({
  lastActivityAt,
  idleTimeoutMs,
}: Pick<ActivityRecord, 'lastActivityAt' | 'idleTimeoutMs'>): number {
  return lastActivityAt + idleTimeoutMs;
}
