import type { Timer } from '../browser/environment.js';
import type { EndReason } from '../protocol/end-reason.js';
import type { SessionAnswer } from '../protocol/server-answer.js';
import type { Presence } from './presence.js';
import type { ServerLink } from './server-link.js';
import type { SessionContext } from './session-context.js';
import type { StateStore } from './state-store.js';
import type { IdleSessionState } from './state.js';
import type { SteadyClock } from './steady-clock.js';
import { FIRST_RETRY_MS, SECOND_MS } from './times.js';

/** What the server said of the session's end, and of its lock. */
interface DeadlineUpdate {
  readonly expiresAt: number;
  /** `-Infinity` when locked, `Infinity` without a lock; left out: the server said nothing of it. */
  readonly locksAt?: number;
  /** The server said so after this. */
  readonly requestedAt: number;
}

/**
 * When the session ends, and when it is locked, as the newest update says. Its timer only decides when to ask: before it
 * warns, and before it takes the session for locked or ended, the server is asked.
 */
export class Deadline {
  readonly #clock: SteadyClock;
  readonly #store: StateStore;
  readonly #timer: Timer;
  readonly #server: ServerLink;
  readonly #presence: Presence;

  /** The newest update, and when this tab received it. */
  #newest = { expiresAt: Infinity, locksAt: Infinity, requestedAt: -Infinity };
  #receivedAt = -Infinity;
  #endReportedAt = -Infinity;

  constructor(context: SessionContext, server: ServerLink, presence: Presence) {
    this.#clock = context.clock;
    this.#store = context.store;
    this.#timer = context.environment.createTimer(context.store.closed);
    this.#server = server;
    this.#presence = presence;
  }

  get newest(): Required<DeadlineUpdate> {
    return this.#newest;
  }

  /** Why the session has ended, where the server knows nothing of it any more. */
  get endReason(): EndReason {
    return this.#remainingMs() <= 0 ? 'idle' : 'signed-out';
  }

  /** Another tab says that the session has ended: the page is covered, and the server is asked whether it is true. */
  reportEnd(): void {
    // Known already, by another tab.
    if (this.#endReportedAt > this.#receivedAt) return;
    this.#endReportedAt = this.#clock.now();
    this.#store.update({ covered: true });
    this.#server.check(this.#endReportedAt);
  }

  /**
   * Whether what was requested then has to be asked again: another tab has reported an end since, or the wall clock has
   * leapt, so that it may be longer ago than it seems. A time in the future shows that it was set back, too.
   */
  isOutdated(requestedAt: number): boolean {
    const isFromFuture = requestedAt > this.#clock.now() + SECOND_MS;
    return isFromFuture || requestedAt < Math.max(this.#endReportedAt, this.#clock.leaptAt);
  }

  /** Takes over what the server said, when it was asked, of a session that is alive; returns whether that is the newest. */
  applyStatus(status: SessionAnswer, requestedAt: number): boolean {
    const { state, expiresInMs, locksInMs, absoluteExpiresInMs, ...others } = status;
    // The server said so by then, or the answer lay about in a page that was frozen.
    const saidAt = Math.min(this.#clock.now(), requestedAt + SECOND_MS);
    const wallMs = requestedAt + this.#clock.toWallMs;
    return this.apply(
      {
        expiresAt: requestedAt + (expiresInMs ?? 0),
        // Rather late than early: the question at that time is to find it locked.
        locksAt: state === 'locked' ? -Infinity : saidAt + (locksInMs ?? Infinity),
        requestedAt,
      },
      {
        ...others,
        state: state === 'locked' ? state : 'active',
        absoluteExpiresAt: absoluteExpiresInMs === null ? null : wallMs + absoluteExpiresInMs,
      },
    );
  }

  /**
   * Takes the update over if it is the newest; returns whether it is. Answers overtake each other: if one was requested
   * only after the other had come, it is newer; otherwise, and within one tick of the clock, the longer deadline holds,
   * for the server only moves it forward. What an update leaves out of the lock stays, and is too early at worst.
   * @param changes what else the server said; only that locks and unlocks
   */
  apply(update: DeadlineUpdate, changes: Partial<IdleSessionState> = {}): boolean {
    const now = this.#clock.now();
    const newest = this.#newest;
    const { expiresAt, locksAt = newest.locksAt, requestedAt } = update;
    const isLonger = expiresAt >= newest.expiresAt || locksAt > newest.locksAt;
    if (requestedAt <= this.#receivedAt && !isLonger) return false;
    this.#server.markOnline();
    const before = this.#store.current;
    const { state, idleTimeoutMs, warnBeforeMs } = { ...before, ...changes };
    this.#newest = { expiresAt, locksAt, requestedAt: Math.max(newest.requestedAt, requestedAt) };
    this.#receivedAt = now;
    this.#presence.confirm(expiresAt - (idleTimeoutMs ?? Infinity), locksAt);
    const warns = expiresAt - now <= (warnBeforeMs ?? 0);
    const warning = before.state === 'extending' ? before.state : 'warning';
    this.#store.update({
      ...changes,
      expiresAt: expiresAt + this.#clock.toWallMs,
      state: state === 'locked' ? state : warns ? warning : 'active',
      covered: state === 'locked' || this.#isOverdue(),
      failed: warns && before.failed,
    });
    this.review();
    return true;
  }

  /** Looks at the clock, does what is due, and plans the next look. */
  review(): void {
    const store = this.#store;
    this.#timer.stop();
    if (store.isOver || store.current.state === 'starting') return;
    this.#presence.planHeartbeat();
    // When the wall clock has leapt, what is shown goes on with the steady one.
    const expiresAt = this.#newest.expiresAt + this.#clock.toWallMs;
    if (Math.abs(expiresAt - (store.current.expiresAt ?? 0)) > SECOND_MS)
      store.update({ expiresAt });

    if (this.#isOverdue()) store.update({ covered: true });
    const { state, warnBeforeMs, online } = store.current;
    const untilLockMs = state === 'locked' ? Infinity : this.#newest.locksAt - this.#clock.now();
    const untilNextMs = this.#remainingMs() - (state === 'active' ? (warnBeforeMs ?? 0) : 0);
    const isLockDue = untilLockMs <= 0;
    if (untilNextMs > 0 && !isLockDue) {
      const isQuiet = state === 'active' || state === 'locked';
      return this.#reviewIn(Math.min(untilNextMs, untilLockMs, isQuiet ? Infinity : SECOND_MS));
    }
    if (isLockDue && untilLockMs > -SECOND_MS) this.#reviewIn(untilLockMs + SECOND_MS);
    const isWarningDue = state === 'active' && !isLockDue;
    if (isWarningDue && (!online || this.#server.waitMs > 0)) {
      // The server cannot be asked now.
      store.update({ state: 'warning' });
      return this.review();
    }
    const isNews = this.#clock.now() - this.#receivedAt <= FIRST_RETRY_MS;
    // Without a back-off, which would hold up the heartbeat of a person who acts meanwhile.
    if (isWarningDue && !isNews) this.#server.check();
    else if (online) this.#server.checkAgain();
  }

  #reviewIn(delayMs: number): void {
    this.#timer.start(delayMs, () => this.review());
  }

  /** What is due is asked about; where it is the lock, the page waits a moment for the answer before it is covered. */
  #isOverdue(): boolean {
    const { expiresAt, locksAt } = this.#newest;
    return Math.min(expiresAt, locksAt + SECOND_MS) <= this.#clock.now();
  }

  #remainingMs(): number {
    return this.#newest.expiresAt - this.#clock.now();
  }
}
