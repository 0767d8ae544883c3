import type { EndReason } from '../protocol/end-reason.js';
import type { Presence } from './presence.js';
import type { ServerLink } from './server-link.js';
import type { SessionContext } from './session-context.js';
import type { StateStore } from './state-store.js';
import type { IdleSessionState } from './state.js';
import type { SteadyClock } from './steady-clock.js';
import { Timer } from './timer.js';

const SECOND_MS = 1000;

/** What the server said of the session's end. */
interface DeadlineUpdate {
  readonly expiresAt: number;
  /** The server said so after this. */
  readonly requestedAt: number;
  /** And a tab had its answer by then; left out: just now. */
  readonly receivedBy?: number;
}

/**
 * When the session ends, as the newest update says. Its timer only decides when to ask: before it warns, and before it
 * takes the session for ended, the server is asked.
 */
export class Deadline {
  readonly #clock: SteadyClock;
  readonly #store: StateStore;
  readonly #timer: Timer;
  readonly #server: ServerLink;
  readonly #presence: Presence;

  /** The newest update, and when this tab received it. */
  #newest: DeadlineUpdate = { expiresAt: Infinity, requestedAt: -Infinity };
  #receivedAt = -Infinity;
  #endReportedAt = -Infinity;
  #reportedReason: EndReason | undefined;

  constructor(context: SessionContext, server: ServerLink, presence: Presence) {
    this.#clock = context.clock;
    this.#store = context.store;
    this.#timer = new Timer(context.environment);
    this.#server = server;
    this.#presence = presence;
  }

  get newest(): DeadlineUpdate {
    return this.#newest;
  }

  /** Why the session has ended, where the server knows nothing of it any more. */
  get endReason(): EndReason {
    return this.#reportedReason ?? (this.#remainingMs() <= 0 ? 'idle' : 'signed-out');
  }

  /** Another tab says that the session has ended: the page is covered, and the server is asked whether it is true. */
  reportEnd(reason: EndReason): void {
    if (this.#reportedReason) return;
    this.#reportedReason = reason;
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

  /**
   * Takes the update over if it is the newest; returns whether it is. Answers overtake each other: if one was requested
   * only after the other had come, it is newer; otherwise, and within one tick of the clock, the longer deadline holds,
   * for the server only moves it forward.
   */
  apply(update: DeadlineUpdate, changes: Partial<IdleSessionState> = {}): boolean {
    const now = this.#clock.now();
    const { expiresAt, requestedAt, receivedBy = now } = update;
    const newest = this.#newest;
    const isLonger = receivedBy >= newest.requestedAt && expiresAt > newest.expiresAt;
    const isSameTick = requestedAt === this.#receivedAt && expiresAt >= newest.expiresAt;
    if (requestedAt <= this.#receivedAt && !isSameTick && !isLonger) return false;
    this.#server.markOnline();
    this.#store.update(changes);
    const { state, idleTimeoutMs, warnBeforeMs, failed } = this.#store.current;
    this.#newest = { expiresAt, requestedAt: Math.max(newest.requestedAt, requestedAt) };
    this.#receivedAt = now;
    this.#reportedReason = undefined;
    this.#presence.confirm(expiresAt - (idleTimeoutMs ?? Infinity));
    const remainingMs = this.#remainingMs();
    const warns = remainingMs <= (warnBeforeMs ?? 0);
    this.#store.update({
      expiresAt: this.#clock.toWall(expiresAt),
      state: !warns ? 'active' : state === 'extending' ? 'extending' : 'warning',
      covered: remainingMs <= 0,
      failed: warns && failed,
    });
    this.review();
    return true;
  }

  /** Looks at the clock, does what is due, and plans the next look. */
  review(): void {
    const store = this.#store;
    this.#timer.stop();
    if (!store.isAlive) return;
    this.#presence.planHeartbeat();
    const remainingMs = this.#remainingMs();
    // When the wall clock has leapt, what is shown goes on with the steady one.
    const expiresAt = this.#clock.toWall(this.#newest.expiresAt);
    if (Math.abs(expiresAt - (store.current.expiresAt ?? 0)) > SECOND_MS)
      store.update({ expiresAt });

    const untilWarningMs = remainingMs - (store.current.warnBeforeMs ?? 0);
    if (store.current.state === 'active' && untilWarningMs > 0) {
      return this.#reviewIn(untilWarningMs);
    }
    if (remainingMs <= 0) store.update({ covered: true });
    if (store.current.state === 'active') {
      if (store.current.online && this.#server.waitMs <= 0) return this.#server.check();
      store.update({ state: 'warning' });
    }
    if (remainingMs > 0) return this.#reviewIn(Math.min(remainingMs, SECOND_MS));
    if (store.current.online) this.#server.checkAgain();
  }

  stop(): void {
    this.#timer.stop();
  }

  #reviewIn(delayMs: number): void {
    this.#timer.start(delayMs, () => this.review());
  }

  #remainingMs(): number {
    return this.#newest.expiresAt - this.#clock.now();
  }
}
