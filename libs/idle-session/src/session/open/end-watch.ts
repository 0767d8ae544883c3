import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EndReason } from 'idle-session-client/protocol';
import type { ActivityReading, ActivityStorage } from '../../activity/activity-storage.js';
import type { ExpiredSessionSweeper } from '../expired-session.sweeper.js';
import { withinTimeLimit } from '../../utils/time-limit.js';
import type { SessionActivity } from '../session-activity.js';

/** Sessions asked about in one go: few, so that requests get their turn in between, however many end at once. */
const AT_ONCE = 64;

/** Sessions asked about while the storage does not answer: more than one, since one node of a cluster may be away. */
const PROBES = 4;

/** How long the storage is left alone when it does not answer, and how often one is asked that cannot be watched. */
const ASK_AGAIN_MS = 1000;

/** Clocks drift apart, and this process's stands still while the machine is suspended. */
const ASK_AT_LEAST_EVERY_MS = 5 * 60_000;

/** Deadlines that pass within this time are looked at together. */
const LOOK_EVERY_MS = 100;

/** How long a sweep is waited for: of all sessions, those that something is open for may be the least. */
const SWEEP_TAKES_MS = 500;

/** Whose time is up, or whose record is not there. */
type OverdueReason = Extract<EndReason, 'idle' | 'absolute' | 'lost'>;

/**
 * Finds out that this process or another ended sessions: watches the storage, and has one timer for the earliest deadline.
 * Only the storage says that a session has ended; one that does not answer ends nothing, and is asked again a second
 * later. Without a session to look after it costs nothing.
 */
export class EndWatch {
  /** When to ask about each session, on this process's monotonic clock. */
  private readonly askAt = new Map<string, number>();
  private readonly toAsk = new Set<string>();
  /** Sessions that the storage says to be over and that it is to end. */
  private readonly overdue = new Map<string, OverdueReason>();
  private stopWatching: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** When the timer is due; Infinity while it is not set. */
  private timerAt = Infinity;
  private retryAt = -Infinity;
  private isAway = false;
  /** The storage took no end. */
  private isRefusing = false;
  private isAsking = false;
  private isEnding = false;

  /** @param onEnded told of an end that another process decided; of one that this process decides, events tell */
  constructor(
    private readonly activity: SessionActivity,
    private readonly sweeper: ExpiredSessionSweeper,
    private readonly storage: ActivityStorage,
    private readonly onEnded: (sessionRef: string, reading: ActivityReading) => void,
  ) {}

  /** Asks about the session soon, and looks after it until it is deleted. */
  add(sessionRef: string): void {
    if (this.askAt.size === 0) this.stopWatching = this.watch();
    this.askAt.set(sessionRef, Infinity);
    this.ask([sessionRef]);
  }

  delete(sessionRef: string): void {
    this.askAt.delete(sessionRef);
    this.toAsk.delete(sessionRef);
    this.overdue.delete(sessionRef);
    if (this.askAt.size === 0) this.clear();
  }

  clear(): void {
    this.askAt.clear();
    this.toAsk.clear();
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
        this.ask(keys === 'all' ? this.askAt.keys() : keys),
      );
      return typeof stop === 'function' ? stop : undefined;
    } catch {
      return undefined;
    }
  }

  private ask(sessionRefs: Iterable<string>): void {
    for (const ref of sessionRefs) if (this.askAt.has(ref)) this.toAsk.add(ref);
    if (this.toAsk.size > 0) void this.askAll();
  }

  private async askAll(): Promise<void> {
    if (this.isAsking) return;
    if (performance.now() < this.retryAt) return this.lookBy(this.retryAt);
    this.isAsking = true;
    for (;;) {
      await nextTurn();
      const refs = [...this.toAsk].slice(0, this.isAway ? PROBES : AT_ONCE);
      if (refs.length === 0) break;
      for (const ref of refs) this.toAsk.delete(ref);
      const answered = await Promise.all(refs.map((ref) => this.askOne(ref)));
      this.isAway = !answered.includes(true);
      if (this.isAway) break;
    }
    this.isAsking = false;
    if (!this.isAway) return;
    this.retryAt = performance.now() + ASK_AGAIN_MS;
    if (this.askAt.size > 0) this.lookBy(this.retryAt);
  }

  /** @returns whether the storage answered */
  private async askOne(sessionRef: string): Promise<boolean> {
    const reading = await this.activity.read(sessionRef, true).catch(() => undefined);
    const reason = this.take(sessionRef, reading);
    if (reason) this.overdue.set(sessionRef, reason);
    else this.overdue.delete(sessionRef);
    if (reason && !this.isRefusing) void this.endOverdue();
    return reading !== undefined;
  }

  /** @returns why the session is to be ended, if it is */
  private take(
    sessionRef: string,
    reading: ActivityReading | undefined,
  ): OverdueReason | undefined {
    if (!this.askAt.has(sessionRef)) return undefined;
    if (!reading) {
      this.askIn(sessionRef, ASK_AGAIN_MS);
      return undefined;
    }
    if (reading.record?.ended !== undefined) {
      this.onEnded(sessionRef, reading);
      return undefined;
    }
    const evaluation = this.activity.evaluate(reading);
    if (!evaluation) return 'lost';
    if (evaluation.state === 'expired') return evaluation.reason as OverdueReason;
    const atLeastEvery = this.stopWatching ? ASK_AT_LEAST_EVERY_MS : ASK_AGAIN_MS;
    this.askIn(sessionRef, Math.min(evaluation.expiresInMs, atLeastEvery));
    return undefined;
  }

  /** Ends what is overdue by a sweep, which also removes the session's data; and by itself what a sweep does not end. */
  private async endOverdue(): Promise<void> {
    if (this.isEnding) return;
    this.isEnding = true;
    while (this.overdue.size > 0) {
      await nextTurn();
      await this.sweep();
      const some = [...this.overdue].slice(0, this.isRefusing ? PROBES : AT_ONCE);
      const answered = await Promise.all(some.map((each) => this.end(...each)));
      this.isRefusing = some.length > 0 && !answered.includes(true);
      if (this.isRefusing) break;
    }
    this.isEnding = false;
    if (this.overdue.size > 0) this.lookBy(performance.now() + ASK_AGAIN_MS);
  }

  /** @returns whether the storage answered */
  private async end(sessionRef: string, reason: OverdueReason): Promise<boolean> {
    const end = this.activity.end(sessionRef, reason, { cause: 'clock' });
    const reading = await end.catch(() => undefined);
    if (!reading) return false;
    this.overdue.delete(sessionRef);
    // A storage that says neither that it ended nor that it goes on is asked again.
    if (this.take(sessionRef, reading)) this.askIn(sessionRef, ASK_AGAIN_MS);
    return true;
  }

  private async sweep(): Promise<void> {
    await withinTimeLimit(SWEEP_TAKES_MS, () => this.sweeper.sweep()).catch(() => {});
  }

  private askIn(sessionRef: string, milliseconds: number): void {
    const at = performance.now() + milliseconds;
    this.askAt.set(sessionRef, at);
    this.lookBy(at);
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
    for (const [ref, at] of this.askAt) {
      if (at > now) {
        next = Math.min(next, at);
        continue;
      }
      this.askAt.set(ref, Infinity);
      due.push(ref);
    }
    this.lookBy(next);
    if (this.overdue.size > 0) void this.endOverdue();
    if (due.length > AT_ONCE) void this.sweep().then(() => this.ask(due));
    else this.ask(due);
  }
}
