import { LRUCache } from 'lru-cache';
import TinyQueue from 'tinyqueue';
import type { ActivityReading, ActivityRecord } from '../activity-storage.js';
import { absoluteDeadlineOf, activityDeadlineOf, activitySpanOf } from '../evaluate.js';
import type { ChangedKeys } from '../watchers.js';
import type { Changes, Touch } from './activity-feed.js';
import { KnownActivity, type Activity } from './known-activity.js';
import { OpenQuestions, type Question } from './open-questions.js';
import { SharedReads } from './shared-reads.js';

/** When the storage is to be told of a session's activity, on its own clock. */
interface Due {
  readonly key: string;
  readonly known: KnownActivity;
  readonly at: number;
}

/** The storage lags behind what a process has seen of a session by at most this part of its idle timeout or shorter `lockAfter`. */
const LAGS_IN_TIMEOUT = 20;

/** What a process knows of one partition of a storage, what it still has to send there, and the storage's clock. */
export class Partition {
  private readonly known: LRUCache<string, KnownActivity>;
  /** Activity that the storage is to be told of; also of sessions that `known` had to drop. */
  readonly pending = new Map<string, KnownActivity>();
  /** When to tell it, in order. What is no longer pending by then counts for nothing. */
  private readonly due = new TinyQueue<Due>([], (a, b) => a.at - b.at);
  readonly reads = new SharedReads();
  /** Where the storage's history of changes goes on. */
  cursor: string | undefined;
  /** Since when, on this process's monotonic clock, the storage may have changed anything that is known. */
  asOf = -Infinity;
  /** Whether a request has used it since the last synchronization. */
  inUse = false;
  syncing: Promise<void> | undefined;
  private readonly questions = new OpenQuestions();
  /** How far the storage's clock is ahead of this process's monotonic one. */
  private aheadMs = NaN;

  constructor(
    readonly index: number,
    rememberedSessions: number,
    private readonly touchIntervalMs: number,
    private readonly onForget: (keys: ChangedKeys) => void,
  ) {
    // With `max`, the cache would take memory for all of them at once.
    this.known = new LRUCache({ maxSize: rememberedSessions, sizeCalculation: () => 1 });
  }

  /** The storage's time: not before it, so that no session is alive here that is over there. */
  now(): number {
    return Math.ceil(performance.now() + this.aheadMs);
  }

  /**
   * What is known of a session, if that is enough to call it alive: changes elsewhere would be known here, and more than
   * half of its idle timeout, or of its `lockAfter` if that is shorter, is left by what the storage itself knows.
   * @param now the storage's time
   */
  freshEnough(key: string, syncIntervalMs: number, now: number): KnownActivity | undefined {
    const known = this.known.get(key);
    if (!known) return undefined;
    const asOf = Math.max(known.asOf, this.asOf);
    if (performance.now() >= asOf + syncIntervalMs) return undefined;
    // Only the storage says that the absolute timeout is over.
    if (now >= absoluteDeadlineOf(known.record)) return undefined;
    const leftMs = known.storedDeadline - now;
    return leftMs > Math.max(activitySpanOf(known.record) / 2, syncIntervalMs) ? known : undefined;
  }

  /** Notes activity that the storage is to be told of. */
  note(key: string, known: KnownActivity, at: number): void {
    known.touch(at);
    if (this.pending.has(key)) return;
    this.pending.set(key, known);
    this.queue(key, known);
  }

  /** Whether there is activity that the storage has to be told of by a time; default now. */
  isDue(by = this.now()): boolean {
    const next = this.due.peek();
    return next !== undefined && next.at <= by;
  }

  /** What has to be sent by a time, at most `limit` of it. */
  dueTouches(limit: number, by = this.now()): Touch[] {
    const touches: Touch[] = [];
    while (touches.length < limit && this.isDue(by)) {
      const { key, known } = this.due.pop()!;
      known.isQueued = false;
      const record = this.pending.get(key)?.record;
      if (record)
        touches.push({ key, idleTimeoutMs: record.idleTimeoutMs, at: record.lastActivityAt });
    }
    return touches;
  }

  /** What could not be sent is due again. */
  takeBack(touches: readonly Touch[]): void {
    for (const { key } of touches) {
      const known = this.pending.get(key);
      if (known) this.queue(key, known, -Infinity);
    }
  }

  private queue(key: string, known: KnownActivity, at = this.dueAt(known)): void {
    if (known.isQueued) return;
    known.isQueued = true;
    this.due.push({ key, known, at });
  }

  private dueAt({ storedActivityAt, record }: KnownActivity): number {
    const lagsMs = activitySpanOf(record) / LAGS_IN_TIMEOUT;
    return storedActivityAt + Math.min(this.touchIntervalMs, lagsMs);
  }

  /** Asks the storage about one session, and remembers its answer. */
  async ask<T extends ActivityReading>(key: string, ask: () => Promise<T>): Promise<T> {
    const question = this.questions.begin(key);
    try {
      const reading = await ask();
      return { ...reading, record: this.takeReading(key, reading, question) };
    } finally {
      this.questions.end(key, question);
    }
  }

  /** @returns the record, with the activity that the storage does not know yet */
  private takeReading(
    key: string,
    { record, now }: ActivityReading,
    { askedAt, isOvertaken }: Question,
  ): ActivityRecord | undefined {
    this.takeTime(now, askedAt);
    if (!record || record.ended !== undefined) {
      this.forget([key]);
      return record;
    }
    const known = this.pending.get(key) ?? this.known.get(key) ?? new KnownActivity(record, 0);
    const pending = this.pendingActivity(key, record);
    // An answer that a change or another answer overtook may be older than that.
    if (isOvertaken || known.isNewerThan({ askedAt, now })) return { ...record, ...pending };
    if (!pending) this.pending.delete(key);
    known.update({ record, now }, pending, askedAt);
    this.known.set(key, known);
    return known.record;
  }

  /** Takes in what the storage says after `sent` reached it. */
  takeChanges(changes: Changes | undefined, sent: readonly Touch[], askedAt: number): void {
    for (const { key, at } of sent) {
      const pending = this.pending.get(key);
      if (!pending) continue;
      pending.markStored(at, changes?.now);
      if (pending.record.lastActivityAt === at) this.pending.delete(key);
      else this.queue(key, pending);
    }
    if (!changes) return;
    const { now, cursor, changed } = changes;
    this.takeTime(now, askedAt);
    this.cursor = cursor;
    if (cursor !== undefined) this.asOf = askedAt;
    if (changed === 'all') this.forgetAll();
    else this.forget(changed);
  }

  /** What is known of these sessions may be untrue. */
  forget(keys: readonly string[]): void {
    if (keys.length === 0) return;
    for (const key of keys) {
      this.questions.overtake(key);
      this.known.delete(key);
      this.reads.delete(key);
    }
    this.onForget(keys);
  }

  private forgetAll(): void {
    this.questions.overtakeAll();
    this.known.clear();
    this.reads.clear();
    this.onForget('all');
  }

  /**
   * The storage told the time between question and answer. What was taken for its clock is kept if that fits: of many
   * answers, the quickest says it best. Otherwise it is taken as late as it can be.
   */
  private takeTime(now: number, askedAt: number): void {
    const [atLeast, atMost] = [now - performance.now(), now - askedAt];
    if (!(this.aheadMs >= atLeast && this.aheadMs <= atMost)) this.aheadMs = atMost;
  }

  /** The activity that the storage does not know yet, if it still counts by what the storage says. */
  private pendingActivity(key: string, record: ActivityRecord): Activity | undefined {
    const pending = this.pending.get(key)?.record;
    if (!pending) return undefined;
    const { lastActivityAt, idleTimeoutMs } = pending;
    const counts =
      lastActivityAt > record.lastActivityAt && lastActivityAt < activityDeadlineOf(record);
    return counts ? { lastActivityAt, idleTimeoutMs } : undefined;
  }
}
