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
  /** Null without an absolute limit; left out: it is as before. */
  readonly absoluteExpiresAt?: number | null;
  /** The server said so after this. */
  readonly requestedAt: number;
  /** And a tab had its answer by then; left out: just now. */
  readonly receivedBy?: number;
}

type Newest = Required<Omit<DeadlineUpdate, 'receivedBy'>>;

/**
 * When the session ends, as the newest update says. Its timer only decides when to ask: before it warns, and before it
 * takes the session for ended, the server is asked.
 */
export class Deadline {
  /** The newest update, and when this tab received it. */
  #newest: Newest = { expiresAt: Infinity, absoluteExpiresAt: null, requestedAt: -Infinity };
  #receivedAt = -Infinity;
  #endReportedAt = -Infinity;
  #reportedReason: EndReason | undefined;

  readonly #clock: SteadyClock;
  readonly #store: StateStore;
  readonly #server: ServerLink;
  readonly #presence: Presence;
  readonly #timer: Timer;

  constructor(
    { environment, clock, store }: SessionContext,
    server: ServerLink,
    presence: Presence,
  ) {
    this.#clock = clock;
    this.#store = store;
    this.#server = server;
    this.#presence = presence;
    this.#timer = new Timer(environment);
  }

  get newest(): Newest {
    return this.#newest;
  }

  get isDue(): boolean {
    return this.#remainingMs() <= 0;
  }

  /** The reason that another tab reported, until the server is known to hold the session alive. */
  get reportedReason(): EndReason | undefined {
    return this.#reportedReason;
  }

  /** Another tab says that the session has ended: the page is covered, and the server is asked whether it is true. */
  reportEnd(reason: EndReason): void {
    this.#reportedReason = reason;
    this.#endReportedAt = this.#clock.now();
    this.#store.update({ covered: true });
    this.#server.check(this.#endReportedAt);
  }

  /**
   * Whether what was requested then has to be asked again: another tab has reported an end since, or the wall clock has
   * leapt, so that nobody knows how long ago it was.
   */
  isOutdated(requestedAt: number): boolean {
    return requestedAt < Math.max(this.#endReportedAt, this.#clock.leaptAt);
  }

  /** Takes the update over if it is the newest; returns whether it is. */
  apply(update: DeadlineUpdate, changes: Partial<IdleSessionState> = {}): boolean {
    if (!this.#isNewer(update)) return false;
    this.#server.markOnline();
    this.#store.update(changes);
    const { state, idleTimeoutMs, warnBeforeMs, failed } = this.#store.current;
    const { expiresAt, absoluteExpiresAt = this.#newest.absoluteExpiresAt } = update;
    const requestedAt = Math.max(this.#newest.requestedAt, update.requestedAt);
    this.#newest = { expiresAt, absoluteExpiresAt, requestedAt };
    this.#receivedAt = this.#clock.now();
    this.#reportedReason = undefined;
    this.#presence.confirm(expiresAt - (idleTimeoutMs ?? Infinity));
    const remainingMs = this.#remainingMs();
    const warns = remainingMs <= (warnBeforeMs ?? 0);
    this.#store.update({
      ...this.#wallTimes(),
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
    const times = this.#wallTimes();
    if (Math.abs(times.expiresAt - (store.current.expiresAt ?? 0)) > SECOND_MS) store.update(times);

    const untilWarningMs = remainingMs - (store.current.warnBeforeMs ?? 0);
    if (store.current.state === 'active' && untilWarningMs > 0) {
      return this.#reviewIn(untilWarningMs);
    }
    if (remainingMs <= 0) store.update({ covered: true });
    if (store.current.state === 'active') {
      if (store.current.online) return this.#server.check();
      store.update({ state: 'warning' });
    }
    if (remainingMs > 0) return this.#reviewIn(Math.min(remainingMs, SECOND_MS));
    if (!store.current.online || this.#server.isChecking) return;
    // It may have been asked just before the end: once more, but not too soon.
    const waitMs = this.#server.msUntilNextCheck;
    if (waitMs > 0) this.#reviewIn(waitMs);
    else this.#server.check();
  }

  stop(): void {
    this.#timer.stop();
  }

  /**
   * Answers overtake each other. If one was requested only after the other had come, it is newer; otherwise the longer
   * deadline holds, for the server only moves it forward.
   */
  #isNewer({ expiresAt, requestedAt, receivedBy = this.#clock.now() }: DeadlineUpdate): boolean {
    if (requestedAt >= this.#receivedAt) return true;
    return receivedBy >= this.#newest.requestedAt && expiresAt > this.#newest.expiresAt;
  }

  #reviewIn(delayMs: number): void {
    this.#timer.start(delayMs, () => this.review());
  }

  #remainingMs(): number {
    return this.#newest.expiresAt - this.#clock.now();
  }

  #wallTimes(): { expiresAt: number } & Pick<IdleSessionState, 'absoluteExpiresAt'> {
    const { expiresAt, absoluteExpiresAt } = this.#newest;
    return {
      expiresAt: this.#clock.toWall(expiresAt),
      absoluteExpiresAt: absoluteExpiresAt === null ? null : this.#clock.toWall(absoluteExpiresAt),
    };
  }
}
