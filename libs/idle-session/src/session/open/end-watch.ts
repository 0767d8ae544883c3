import type { EndReason } from 'idle-session-client/protocol';
import type { ActivityReading, ActivityStorage } from '../../activity/activity-storage.js';
import type { ExpiredSessionSweeper } from '../expired-session.sweeper.js';
import { logMissing } from '../end-log.js';
import { Turnstile } from '../../utils/turnstile.js';
import type { SessionActivity } from '../session-activity.js';
import { AwaitedSweep } from './awaited-sweep.js';
import { QuestionQueue } from './question-queue.js';

/** How often the storage is asked about a session that it cannot watch, or of which it does not say whether it goes on. */
const ASK_AGAIN_MS = 1000;

/** Clocks drift apart, and this process's stands still while the machine is suspended. */
const ASK_AT_LEAST_EVERY_MS = 5 * 60_000;

/** Deadlines that pass within this time are looked at together. */
const LOOK_EVERY_MS = 100;

/** How many answers are looked at in one turn of the event loop. */
const IN_ONE_TURN = 64;

/** How long after its deadline a session may be unclear, since the storage does not answer. */
const UNCLEAR_FOR_MS = 1000;

/** Whose time is up, or whose record is not there. */
type OverdueReason = Extract<EndReason, 'idle' | 'absolute' | 'lost'>;

/** On this process's monotonic clock. */
interface Watched {
  lookAt: number;
  /** Until when the session lives and is not locked, by what the storage said; before it said anything, for a second. */
  openUntil: number;
  /** Whether the session has a record, so that it is lost without one. */
  hasRecord: boolean;
  /** When the storage told of a change, or a request opened more. */
  changedAt: number;
}

/** Told what the watch finds out; of an end that this process decides, events tell. */
export interface EndWatcher {
  /** Another process ended the session. */
  onEnded(sessionRef: string, reading: ActivityReading): void;
  /** The session lives, and is locked. */
  onLocked(sessionRef: string): void;
  /** The session's deadline or lock has passed, and the storage does not say whether it goes on. */
  onUnclear(sessionRef: string): void;
  /** The storage has no record of the session, and had none as far as is known. */
  onUnrecorded(sessionRef: string): void;
}

/**
 * Finds out that sessions were ended, by this process or another, or are locked. It watches the storage, and has one timer
 * for the earliest deadline. Only the storage says that a session has ended; one that does not answer ends nothing, and is asked again a second
 * later. Without a session to look after it costs nothing.
 */
export class EndWatch {
  private readonly turnstile = new Turnstile(IN_ONE_TURN);
  private readonly watched = new Map<string, Watched>();
  private readonly reads = new QuestionQueue((ref) => this.read(ref));
  private readonly ends = new QuestionQueue((ref) => this.end(ref));
  /** Sessions that the storage says to be over and that it is to end. */
  private readonly overdue = new Map<string, OverdueReason>();
  private readonly sweep: AwaitedSweep;
  private stopWatching: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** When the timer is due; Infinity while it is not set. */
  private timerAt = Infinity;

  constructor(
    private readonly activity: SessionActivity,
    private readonly sweeper: ExpiredSessionSweeper,
    private readonly storage: ActivityStorage,
    private readonly watcher: EndWatcher,
  ) {
    this.sweep = new AwaitedSweep(sweeper);
  }

  /** Asks about the session soon, and looks after it until it is deleted. */
  add(sessionRef: string, hasRecord: boolean): void {
    // The guard let in the request that opens more: the person may have unlocked the session.
    if (this.watched.has(sessionRef)) return this.onChange([sessionRef]);
    if (this.watched.size === 0) this.stopWatching = this.watch();
    const openUntil = performance.now() + UNCLEAR_FOR_MS;
    this.watched.set(sessionRef, { lookAt: Infinity, openUntil, hasRecord, changedAt: -Infinity });
    this.lookIn(sessionRef, UNCLEAR_FOR_MS);
    this.reads.add(sessionRef);
  }

  delete(sessionRef: string): void {
    this.watched.delete(sessionRef);
    this.reads.delete(sessionRef);
    this.ends.delete(sessionRef);
    this.overdue.delete(sessionRef);
    if (this.watched.size === 0) this.clear();
  }

  clear(): void {
    this.watched.clear();
    this.reads.clear();
    this.ends.clear();
    this.overdue.clear();
    this.stopWatching?.();
    this.stopWatching = undefined;
    clearTimeout(this.timer);
    this.timerAt = Infinity;
  }

  /** Undefined if the storage cannot be watched, or says that it is without a way to stop: then it is asked. */
  private watch(): (() => void) | undefined {
    try {
      const stop = this.storage.watch?.((keys) =>
        this.onChange(keys === 'all' ? this.watched.keys() : keys),
      );
      return typeof stop === 'function' ? stop : undefined;
    } catch {
      return undefined;
    }
  }

  private onChange(sessionRefs: Iterable<string>): void {
    for (const ref of sessionRefs) {
      const watched = this.watched.get(ref);
      if (!watched) continue;
      watched.changedAt = performance.now();
      this.reads.add(ref);
    }
  }

  private async read(sessionRef: string): Promise<boolean> {
    const [watched, askedAt] = [this.watched.get(sessionRef), performance.now()];
    const reading = await this.activity.read(sessionRef, true).catch(() => undefined);
    // Answers come many at once, and what is open may have to be closed.
    await this.turnstile.pass();
    if (!reading) return false;
    // What was opened since then has a question of its own.
    if (this.watched.get(sessionRef) !== watched) return true;
    const reason = this.take(sessionRef, reading, askedAt);
    if (reason) void this.endSoon(sessionRef, reason);
    else this.overdue.delete(sessionRef);
    return true;
  }

  /** @returns why the session is to be ended, if it is */
  private take(
    sessionRef: string,
    reading: ActivityReading,
    askedAt: number,
  ): OverdueReason | undefined {
    const watched = this.watched.get(sessionRef);
    if (!watched) return undefined;
    if (reading.record?.ended !== undefined) {
      this.watcher.onEnded(sessionRef, reading);
      return undefined;
    }
    const evaluation = this.activity.evaluate(reading);
    if (!evaluation && !watched.hasRecord) {
      this.watcher.onUnrecorded(sessionRef);
      return undefined;
    }
    watched.hasRecord = true;
    const now = performance.now();
    if (!evaluation || evaluation.state === 'expired') {
      watched.openUntil = Math.min(watched.openUntil, now);
      this.lookIn(sessionRef, UNCLEAR_FOR_MS);
      return evaluation ? (evaluation.reason as OverdueReason) : 'lost';
    }
    if (evaluation.state === 'locked') {
      // What changed since may be that the person unlocked it: the next question tells.
      if (watched.changedAt <= askedAt) this.watcher.onLocked(sessionRef);
      return undefined;
    }
    const openForMs = Math.min(evaluation.expiresInMs, evaluation.locksInMs ?? Infinity);
    watched.openUntil = now + openForMs;
    const atLeastEvery = this.stopWatching ? ASK_AT_LEAST_EVERY_MS : ASK_AGAIN_MS;
    this.lookIn(sessionRef, Math.min(openForMs, atLeastEvery));
    return undefined;
  }

  /** Ends what is overdue by a sweep, which also removes the session's data; and by itself what a sweep does not end. */
  private async endSoon(sessionRef: string, reason: OverdueReason): Promise<void> {
    this.overdue.set(sessionRef, reason);
    // Instead of asking again: an answer without a record tells of a change itself.
    this.reads.delete(sessionRef);
    if (this.ends.isUnanswered(sessionRef) || !(await this.sweep.once())) return;
    for (const ref of this.overdue.keys()) this.ends.add(ref);
  }

  private async end(sessionRef: string): Promise<boolean> {
    const [watched, askedAt] = [this.watched.get(sessionRef), performance.now()];
    const reason = this.overdue.get(sessionRef);
    if (!reason) return true;
    const end = this.activity.end(sessionRef, reason, { cause: 'clock' });
    const reading = await end.catch(() => undefined);
    if (!reading) return this.watched.has(sessionRef) && !this.overdue.has(sessionRef);
    if (reading.won && reason === 'lost') logMissing('record', sessionRef);
    if (reading.won && reading.sessionId) void this.sweeper.removeData([reading.sessionId]);
    if (this.watched.get(sessionRef) !== watched) return true;
    this.overdue.delete(sessionRef);
    // A storage that says neither that it ended nor that it goes on is asked again.
    if (this.take(sessionRef, reading, askedAt)) this.lookIn(sessionRef, ASK_AGAIN_MS);
    return true;
  }

  private lookIn(sessionRef: string, milliseconds: number): void {
    const watched = this.watched.get(sessionRef);
    if (!watched) return;
    watched.lookAt = performance.now() + milliseconds;
    this.lookBy(watched.lookAt);
  }

  private lookBy(at: number): void {
    if (at >= this.timerAt) return;
    clearTimeout(this.timer);
    this.timerAt = at;
    const milliseconds = Math.max(Math.ceil(at - performance.now()), LOOK_EVERY_MS);
    this.timer = setTimeout(() => this.look(), milliseconds).unref();
  }

  private look(): void {
    this.timerAt = Infinity;
    const now = performance.now();
    const due: string[] = [];
    let next = Infinity;
    for (const [ref, watched] of this.watched) {
      if (watched.lookAt <= now) {
        watched.lookAt = now + UNCLEAR_FOR_MS;
        due.push(ref);
      }
      next = Math.min(next, watched.lookAt);
    }
    this.lookBy(next);
    for (const ref of due) if (this.isUnclear(ref, now)) this.watcher.onUnclear(ref);
    void this.readAll(due);
  }

  private isUnclear(sessionRef: string, now: number): boolean {
    const { openUntil = Infinity } = this.watched.get(sessionRef) ?? {};
    if (now < openUntil + UNCLEAR_FOR_MS) return false;
    return this.reads.isUnanswered(sessionRef) || this.ends.isUnanswered(sessionRef);
  }

  private async readAll(sessionRefs: readonly string[]): Promise<void> {
    await this.sweep.whileUseful(sessionRefs.length, () => this.watched.size);
    for (const ref of sessionRefs)
      if (this.watched.has(ref) && !this.overdue.has(ref)) this.reads.add(ref);
  }
}
