import { ANSWER_TIMEOUT_MS, type Environment } from '../browser/environment.js';
import type { ObservedResponse, PageEvent } from '../browser/environment.js';
import type { EndReason } from '../protocol/end-reason.js';
import type { IdleSessionStatus } from '../protocol/idle-session-status.js';
import type { TabMessage } from '../protocol/tab-message.js';
import { Deadline } from './deadline.js';
import type { IdleSessionOptions } from './idle-session-options.js';
import { Presence } from './presence.js';
import { ServerLink } from './server-link.js';
import { StateStore } from './state-store.js';
import type { IdleSessionState } from './state.js';
import { SteadyClock } from './steady-clock.js';
import { TabChannel } from './tab-channel.js';
import { Timer } from './timer.js';

/** How often to look whether the machine has slept: no event tells a page that stayed visible. */
const SLEEP_CHECK_MS = 5000;

const SECOND_MS = 1000;

/**
 * Watches over the session of a page. The server decides when it ends; the page follows the server's answers, and the
 * updates that other tabs have had.
 */
export class IdleSession {
  readonly #clock: SteadyClock;
  readonly #store = new StateStore();
  readonly #sleepTimer: Timer;
  readonly #server: ServerLink;
  readonly #presence: Presence;
  readonly #deadline: Deadline;
  readonly #tabs: TabChannel;
  readonly #extendOnActivity: boolean | undefined;
  readonly #stops: (() => void)[];
  readonly #ended = new AbortController();
  #extension: Promise<boolean> | undefined;
  #isSigningOut = false;

  /**
   * The client aborts it once the server has said that the session has ended, for any reason. The signal's own reason is
   * an `AbortError` whose message is the `reason` of the state.
   */
  readonly signal = this.#ended.signal;

  constructor(options: IdleSessionOptions, environment: Environment) {
    this.#extendOnActivity = options.extendOnActivity;
    this.#clock = new SteadyClock(environment);
    const { headers = {} } = options;
    const context = {
      path: (options.path ?? '/idle-session').replace(/\/$/, ''),
      headers: typeof headers === 'function' ? headers : () => headers,
      environment,
      clock: this.#clock,
      store: this.#store,
    };
    this.#server = new ServerLink(context, {
      onStatus: (status, requestedAt) => this.#onStatus(status, requestedAt),
      onEnded: (reason) => this.#end(reason),
      review: () => this.#deadline.review(),
      reportUnconfirmed: () => this.#presence.reportUnconfirmed(),
    });
    this.#tabs = new TabChannel(context);
    this.#presence = new Presence(context, this.#server);
    this.#deadline = new Deadline(context, this.#server, this.#presence);
    this.#sleepTimer = new Timer(environment);
    this.#stops = [
      environment.onActivity(this.touch),
      environment.onResponse((response) => this.#onResponse(response), context.path),
      environment.onPageEvent((event) => this.#onPageEvent(event)),
      this.#tabs.listen((message) => this.#onTabMessage(message)),
    ];
    this.#watchForSleep();
    this.#server.check();
  }

  getState = (): IdleSessionState => this.#store.current;

  /** Calls back after each change of state; returns how to stop. */
  subscribe = this.#store.subscribe;

  /** The person wants to stay. Resolves to whether the session goes on; if not, the countdown does. */
  extend = (): Promise<boolean> => {
    this.#extension ??= this.#extend().finally(() => (this.#extension = undefined));
    return this.#extension;
  };

  /** Asks the server at once where the session stands, as a stream that it closed gives reason to. Extends nothing. */
  check = (): void => this.#server.check(this.#clock.now());

  /**
   * Ends the session. Resolves to whether the server has ended it; if not, nothing has changed. Where the session ends
   * meanwhile, the reason is `signed-out`.
   */
  signOut = async (): Promise<boolean> => {
    this.#isSigningOut = true;
    const isDone = await this.#server.signOut();
    this.#isSigningOut = false;
    if (isDone) this.#end('signed-out');
    else this.#store.update({ failed: !this.#store.isOver });
    return isDone;
  };

  /** The person did something that the page's events do not show. */
  touch = (): void => {
    const { state, expiresAt, absoluteExpiresAt } = this.#store.current;
    if (state !== 'warning' && state !== 'extending') return this.#presence.recordActivity();
    // Activity moves the idle limit only.
    const isMovable = (expiresAt ?? 0) < (absoluteExpiresAt ?? Infinity) - SECOND_MS;
    if (this.#extendOnActivity && isMovable) void this.extend();
  };

  /**
   * While held, the person counts as present: a video plays, an upload runs. Bounded by the absolute limit.
   * @param reason for debugging
   * @returns how to release it; once is enough
   */
  hold = (reason: string): (() => void) => {
    const { holds } = this.#presence;
    const hold = Symbol(reason);
    holds.add(hold);
    this.touch();
    return () => {
      if (!holds.has(hold)) return;
      this.touch();
      holds.delete(hold);
    };
  };

  /** Stops everything; the session goes on at the server until its time is up. */
  destroy = (): void => {
    this.#stopTimers();
    this.#store.close();
    for (const stop of this.#stops.splice(0)) stop();
  };

  async #extend(): Promise<boolean> {
    const store = this.#store;
    if (!store.isAlive) return false;
    if (store.current.state === 'warning') store.update({ state: 'extending', failed: false });
    const isAnswered = await this.#presence.report(this.#clock.now());
    // Still within the warning: there was no answer, or the absolute limit is near, which nothing moves.
    if (store.current.state === 'extending') {
      store.update({ state: 'warning', failed: !isAnswered });
    }
    return isAnswered && store.isAlive;
  }

  async #onStatus(status: IdleSessionStatus, requestedAt: number): Promise<void> {
    if (this.#store.isOver) return;
    const { sessionRef } = this.#store.current;
    this.#server.markOnline();
    const isSameSession = status.sessionRef === sessionRef;
    // Requested before this session began, or before a newer update of it.
    if (requestedAt < this.#deadline.newest.requestedAt && !isSameSession) return;
    if (status.state === 'expired') {
      this.#store.update({ loginUrl: status.loginUrl });
      // A public page, opened after signing out, shows nothing that would have to be covered.
      if (sessionRef !== null || status.reason !== 'signed-out') this.#end(status.reason ?? 'idle');
      return;
    }
    if (sessionRef !== null && !isSameSession) {
      // The browser's cookie was cleared when it was told of the end, or another person has signed in.
      this.#store.update({ covered: true });
      const reason = await this.#server.endReasonOf(sessionRef);
      return this.#end(reason ?? this.#deadline.endReason);
    }
    if (status.state === 'none') return;
    if (this.#deadline.isOutdated(requestedAt)) return this.#server.checkAgain();
    if (this.#deadline.applyStatus(status, requestedAt)) this.#sendToTabs();
  }

  #onResponse({ status, expiresInMs, state, requestedAgoMs, mayBeOld }: ObservedResponse): void {
    const { current, isOver } = this.#store;
    const isLocked = state === 'locked';
    if (this.#store.isLocked && state && !isLocked && current.online) return this.check();
    if (this.#store.isLocked && state) return;
    // While offline, it is most likely the answer to a request of this client.
    if ((status === 401 || expiresInMs === 0 || isLocked) && current.online)
      this.#server.checkAgain();
    if (!expiresInMs || isLocked) return;
    // What may be old is a reason to ask, and only where the answer would show.
    if (current.sessionRef === null || (mayBeOld && current.state === 'warning'))
      return this.#server.checkAgain();
    if (isOver || mayBeOld) return;
    const requestedAt = this.#clock.now() - requestedAgoMs;
    if (this.#deadline.isOutdated(requestedAt)) return;
    const update = { expiresAt: requestedAt + expiresInMs, requestedAt };
    if (this.#deadline.apply(update)) this.#sendToTabs();
  }

  #onTabMessage({ ended, requestedAt, expiresAt, locksAt, lastHeartbeatAt }: TabMessage): void {
    if (ended) return this.#deadline.reportEnd(ended);
    if (this.#deadline.isOutdated(requestedAt)) return this.#server.check();
    this.#presence.recordHeartbeat(lastHeartbeatAt);
    const receivedBy = requestedAt + ANSWER_TIMEOUT_MS;
    this.#deadline.apply({ expiresAt, locksAt, requestedAt, receivedBy });
    // Unlocked in the other.
    if (this.#store.isLocked && locksAt > this.#clock.now()) this.#server.check(requestedAt);
  }

  #onPageEvent(event: PageEvent): void {
    if (event === 'hidden' || event === 'leaving') return this.#presence.flush();
    // Back on the screen: the browser may have held up timers, or the machine may have slept.
    const { state, online } = this.#store.current;
    const isWaiting = state === 'starting' || this.#store.isLocked;
    const hasToAsk = isWaiting || !online || this.#clock.hasLeapt();
    if (hasToAsk || event !== 'visible') this.#server.check();
    else this.#deadline.review();
  }

  #watchForSleep(): void {
    this.#sleepTimer.start(SLEEP_CHECK_MS, () => {
      this.#watchForSleep();
      if (!this.#clock.hasLeapt()) return;
      this.#deadline.review();
      this.#server.check();
    });
  }

  #end(serverReason: EndReason): void {
    if (this.#store.isOver) return;
    // What the person wanted, though something else was faster.
    const reason = this.#isSigningOut ? 'signed-out' : serverReason;
    this.#stopTimers();
    this.#store.update({
      state: reason === 'signed-out' ? reason : 'expired',
      reason,
      online: true,
      covered: true,
      failed: false,
    });
    this.#ended.abort(new DOMException(reason, 'AbortError'));
    this.#sendToTabs(reason);
  }

  #sendToTabs(ended?: EndReason): void {
    this.#tabs.send({
      ...this.#deadline.newest,
      lastHeartbeatAt: this.#presence.lastHeartbeatAt,
      ended,
    });
  }

  #stopTimers(): void {
    this.#server.stop();
    this.#presence.stop();
    this.#deadline.stop();
    this.#sleepTimer.stop();
  }
}
