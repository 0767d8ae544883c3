import TinyQueue from 'tinyqueue';
import type { Duration } from '../utils/duration.js';
import { durationOption } from '../utils/duration-option.js';
import { checkNames, IdleSessionOptionsError, valueOf } from '../utils/option-error.js';
import {
  ActivityStorage,
  DEFAULT_RETENTION,
  newRecord,
  type ActivityEnd,
  type ActivityReading,
  type ActivityRecord,
  type ActivityUnlock,
  type ExpiredSession,
  type Expiry,
  type NewSession,
  type RecordedEnd,
} from './activity-storage.js';
import { absoluteDeadlineOf, activityDeadlineOf, evaluate, idleDeadlineOf } from './evaluate.js';
import { MemoryOwnerIndex } from './memory-owner-index.js';
import { Watchers, type ChangedKeys } from './watchers.js';

export interface MemoryActivityStorageOptions {
  /** How long a record is kept after its deadline or its end; default `'24h'`. */
  readonly retention?: Duration;
  /**
   * The clock, in milliseconds; default: one that never steps, however the wall clock is set. On Linux it stands
   * still while the machine is suspended (a laptop, a paused VM), and that time does not count as idle: take Redis there.
   */
  readonly now?: () => number;
}

/** A record and its place in the queue. */
interface Entry {
  readonly key: string;
  record: ActivityRecord;
  /** Empty once the session has ended. */
  sessionId: string;
  /** When the record ended; NaN while it has not. */
  endedAt: number;
  /** When to look at it next: never later than it is due, often earlier. Does not change while it is in the queue. */
  lookAt: number;
}

/** Entries looked at for dropping with every write: more than one, so that dropping is faster than growing. */
const DROP_STEPS = 2;

/** Without a record, an end leaves this one. */
const UNKNOWN: NewSession = {
  sessionId: '',
  idleTimeoutMs: 0,
  absoluteTimeoutMs: null,
  lockAfterMs: null,
  owner: null,
};

/** The time of day when the process started, and what has passed since while the machine ran. */
const steadyNow = () => Math.floor(performance.timeOrigin + performance.now());

/** Keeps activity records in this process: for one process, tests and development. Bounded by the sessions of the retention time. */
export class MemoryActivityStorage extends ActivityStorage {
  override readonly index: MemoryOwnerIndex;
  private readonly entries = new Map<string, Entry>();
  /** Ordered by time. An entry that another one replaced stays until it comes up, and then counts for nothing. */
  private readonly queue = new TinyQueue<Entry>([], (a, b) => a.lookAt - b.lookAt);
  private readonly watchers = new Watchers();
  private readonly retentionMs: number;
  private readonly now: () => number;

  /** @throws {IdleSessionOptionsError} */
  constructor(options: MemoryActivityStorageOptions = {}) {
    super();
    checkNames(options, ['retention', 'now']);
    const { retention = DEFAULT_RETENTION, now = steadyNow } = options;
    if (typeof now !== 'function') {
      throw new IdleSessionOptionsError('now', now, 'a function: () => milliseconds', valueOf(now));
    }
    this.retentionMs = durationOption('retention', retention);
    this.now = now;
    this.index = new MemoryOwnerIndex(now);
  }

  override watch(onChange: (keys: ChangedKeys) => void): () => void {
    return this.watchers.add(onChange);
  }

  /** How many records are held. */
  get size(): number {
    return this.entries.size;
  }

  override async read(key: string): Promise<ActivityReading> {
    const now = this.now();
    return { record: this.recordOf(key, now), now };
  }

  override async start(
    key: string,
    session: NewSession,
  ): Promise<ActivityReading & { started: boolean }> {
    const now = this.now();
    const known = this.recordOf(key, now);
    if (known) return { record: known, now, started: false };
    const record = newRecord(session, now);
    this.write(key, record, now, session.sessionId);
    return { record, now, started: true };
  }

  override async touch(key: string, idleTimeoutMs: number, at: number): Promise<ActivityReading> {
    const now = this.now();
    const record = this.recordOf(key, now);
    if (!record || record.ended !== undefined) return { record, now };
    const activityAt = Math.min(Math.floor(at), now);
    const deadline = activityDeadlineOf(record);
    const newer = activityAt > record.lastActivityAt && activityAt < deadline;
    const sameButInTime = activityAt === record.lastActivityAt && now < deadline;
    if (!newer && !sameButInTime) return { record, now };
    const touched = { ...record, lastActivityAt: activityAt, idleTimeoutMs };
    this.write(key, touched, now);
    if (idleDeadlineOf(touched) < idleDeadlineOf(record)) this.watchers.tell([key]);
    return { record: touched, now };
  }

  override async unlock(key: string, idleTimeoutMs: number): Promise<ActivityUnlock> {
    const now = this.now();
    const record = this.recordOf(key, now);
    if (!record || evaluate(record, { warnBeforeMs: false }, now).state !== 'locked')
      return { record, now, unlocked: false };
    const after = { ...record, lastActivityAt: now, idleTimeoutMs };
    this.write(key, after, now);
    this.watchers.tell([key]);
    return { record: after, now, unlocked: true };
  }

  override async end(key: string, reason: RecordedEnd): Promise<ActivityEnd> {
    const now = this.now();
    const found = this.recordOf(key, now);
    const record = found ?? newRecord(UNKNOWN, now);
    const isInTime = reason === 'idle' && now < idleDeadlineOf(record);
    const isFound = reason === 'lost' && found !== undefined;
    if (record.ended !== undefined || isInTime || isFound) return { record, now, won: false };
    const ended = { ...record, ended: reason };
    const sessionId = this.entries.get(key)?.sessionId ?? '';
    this.write(key, ended, now);
    return { record: ended, now, won: true, sessionId };
  }

  override async expire(limit: number): Promise<Expiry> {
    const now = this.now();
    const expired: ExpiredSession[] = [];
    for (let looked = 0; looked < limit; looked++) {
      const next = this.queue.peek();
      if (next === undefined || next.lookAt > now) return { expired, more: false };
      this.queue.pop();
      if (this.isReplaced(next)) continue;

      const { key, record, sessionId } = next;
      const evaluation = evaluate(record, { warnBeforeMs: false }, now);
      if (record.ended !== undefined) {
        if (now >= this.dropAtOf(next)) this.entries.delete(key);
        else this.enqueue(next, this.dropAtOf(next));
      } else if (evaluation.state === 'expired') {
        const reason = evaluation.reason as ExpiredSession['reason'];
        this.change(next, { ...record, ended: reason }, now);
        this.enqueue(next, this.dropAtOf(next));
        const { startedAt, lastActivityAt, owner } = record;
        expired.push({ key, sessionId, reason, endedAt: now, startedAt, lastActivityAt, owner });
      } else {
        this.enqueue(next, now + evaluation.expiresInMs);
      }
    }
    return { expired, more: true };
  }

  override async count(): Promise<number> {
    let active = 0;
    for (const { record } of this.entries.values()) if (record.ended === undefined) active++;
    return active;
  }

  private recordOf(key: string, now: number): ActivityRecord | undefined {
    const entry = this.entries.get(key);
    return entry && now < this.dropAtOf(entry) ? entry.record : undefined;
  }

  /** @param sessionId default: the one that is known */
  private write(key: string, record: ActivityRecord, now: number, sessionId?: string): void {
    const known = this.entries.get(key);
    const deadline = Math.min(idleDeadlineOf(record), absoluteDeadlineOf(record));
    const due = record.ended === undefined ? deadline : now + this.retentionMs;
    let entry = known;
    if (!entry || due < entry.lookAt) {
      entry = { key, record, sessionId: known?.sessionId ?? '', endedAt: NaN, lookAt: 0 };
      this.entries.set(key, entry);
      this.enqueue(entry, due);
    }
    if (sessionId !== undefined) entry.sessionId = sessionId;
    this.change(entry, record, now);
    this.dropOld(now);
  }

  private change(entry: Entry, record: ActivityRecord, now: number): void {
    entry.record = record;
    if (record.ended === undefined) return;
    entry.endedAt = now;
    entry.sessionId = '';
    this.watchers.tell([entry.key]);
  }

  /** From when on the record is of no use. */
  private dropAtOf({ record, endedAt }: Entry): number {
    return (record.ended === undefined ? idleDeadlineOf(record) : endedAt) + this.retentionMs;
  }

  /** @param entry in no place of the queue */
  private enqueue(entry: Entry, at: number): void {
    entry.lookAt = at;
    this.queue.push(entry);
  }

  private isReplaced(entry: Entry): boolean {
    return this.entries.get(entry.key) !== entry;
  }

  /** So that a storage on which nobody calls {@link expire} does not grow for ever. */
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
