import { ANSWER_TIMEOUT_MS, type Environment } from '../browser/environment.js';
import type { ObservedResponse, PageEvent } from '../browser/environment.js';
import type { EndReason } from '../protocol/end-reason.js';
import type { SessionAnswer } from '../protocol/server-answer.js';
import { shifted, type TabMessage } from '../protocol/tab-message.js';
import { Deadline } from './deadline.js';
import type { IdleSessionOptions } from './idle-session-options.js';
import { Presence } from './presence.js';
import { ServerLink } from './server-link.js';
import { StateStore } from './state-store.js';
import type { IdleSessionState } from './state.js';
import { SteadyClock } from './steady-clock.js';
import { SECOND_MS } from './times.js';

/**
 * Watches over the session of a page. The server decides when it ends; the page follows the server's answers, and the
 * updates that other tabs have had.
 */
export class IdleSession {
  readonly #clock: SteadyClock;
  readonly #store = new StateStore();
  readonly #environment: Environment;
  readonly #server: ServerLink;
  readonly #presence: Presence;
  readonly #deadline: Deadline;
  readonly #path: string;
  readonly #extendOnActivity: boolean | undefined;
  readonly #ended = new AbortController();
  #extension: Promise<boolean> | undefined;
  #isSigningOut = false;

  /**
   * The client aborts it once the server has said that the session has ended, for any reason. The signal's own reason is
   * an `AbortError` whose message is the `reason` of the state.
   */
  readonly signal = this.#ended.signal;

  constructor(options: IdleSessionOptions, environment: Environment) {
    const { path = '/idle-session', headers = {}, extendOnActivity } = options;
    this.#environment = environment;
    this.#extendOnActivity = extendOnActivity;
    this.#path = path.replace(/\/$/, '');
    this.#clock = new SteadyClock(environment);
    const context = {
      path: this.#path,
      headers: typeof headers === 'function' ? headers : () => headers,
      environment,
      clock: this.#clock,
      store: this.#store,
    };
    this.#server = new ServerLink(context, {
      onStatus: (status, requestedAt) => this.#onStatus(status, requestedAt),
      review: () => this.#deadline.review(),
      reportUnconfirmed: () => this.#presence.reportUnconfirmed(),
    });
    this.#presence = new Presence(context, this.#server);
    this.#deadline = new Deadline(context, this.#server, this.#presence);
  }

  start(): void {
    const listeners = {
      onActivity: this.touch,
      onResponse: (response: ObservedResponse) => this.#onResponse(response),
      onPageEvent: (event: PageEvent) => this.#onPageEvent(event),
      onTabMessage: (message: TabMessage) => this.#onTabMessage(message),
    };
    this.#environment.listen(this.#path, listeners, this.#store.closed);
    this.#server.check();
  }

  getState = (): IdleSessionState => this.#store.current;

  /** Calls back after each change of state; returns how to stop. */
  subscribe = this.#store.subscribe;

  /** The person wants to stay. Resolves to false if the server did not answer, or the session has ended or is locked. */
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
    const hasEnded = this.#store.current.reason !== null;
    this.#isSigningOut = true;
    const isDone = hasEnded || (await this.#server.signOut());
    this.#isSigningOut = false;
    if (isDone) this.#end('signed-out');
    else this.#store.update({ failed: !this.#store.isOver });
    return isDone;
  };

  /** The person did something that the page's events do not show. */
  touch = (): void => {
    const { state, expiresAt, absoluteExpiresAt } = this.#store.current;
    // Activity moves the idle limit and the lock only.
    const isMovable = (expiresAt ?? 0) < (absoluteExpiresAt ?? Infinity) - SECOND_MS;
    const hasToAnswer = (state === 'warning' || state === 'extending') && isMovable;
    if (hasToAnswer && !this.#extendOnActivity) return;
    if (hasToAnswer && this.#server.waitMs <= 0) void this.extend();
    else this.#presence.recordActivity();
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
      if (holds.delete(hold)) this.touch();
    };
  };

  /** Stops everything; the session goes on at the server until its time is up. */
  destroy = (): void => this.#store.close();

  async #extend(): Promise<boolean> {
    const store = this.#store;
    if (!store.isAlive) return false;
    if (store.current.state === 'warning') store.update({ state: 'extending', failed: false });
    const isAnswered = await this.#presence.report(this.#clock.now());
    // Still within the warning: there was no answer, or the absolute limit is near, which nothing moves.
    if (store.current.state === 'extending') {
      store.update({ state: 'warning', failed: !isAnswered });
      // What puts nothing off is not to be tried with every key.
      if (isAnswered && this.#server.waitMs <= 0) this.#server.backOff(SECOND_MS);
    }
    return isAnswered && store.isAlive;
  }

  async #onStatus(status: SessionAnswer, requestedAt: number): Promise<void> {
    const { current, isOver } = this.#store;
    if (isOver) return;
    this.#server.markOnline();
    const { state, reason, loginUrl, sessionRef = current.sessionRef } = status;
    const isSameSession = sessionRef === current.sessionRef;
    // Requested before this session began, or before a newer update of it.
    if (requestedAt < this.#deadline.newest.requestedAt && !isSameSession) return;
    const saysOpen = state === 'active' || state === 'warning';
    // Requested before the person signed in or unlocked the session, or before it ended.
    if (this.#server.hasHeardOtherwise(requestedAt, saysOpen)) return this.#server.checkAgain();
    if (reason) {
      this.#store.update({ loginUrl });
      // A public page, opened after signing out, shows nothing that would have to be covered.
      if (current.sessionRef !== null || reason !== 'signed-out') this.#end(reason);
      return;
    }
    if (current.sessionRef !== null && !isSameSession) {
      // The browser's cookie was cleared when it was told of the end, or another person has signed in.
      this.#store.update({ covered: true });
      const endReason = await this.#server.endReasonOf(current.sessionRef);
      return this.#end(endReason ?? this.#deadline.endReason);
    }
    if (state === 'none') return;
    if (this.#deadline.isOutdated(requestedAt)) return this.#server.checkAgain();
    if (this.#deadline.applyStatus(status, requestedAt)) this.#sendToTabs();
    // What is due has to be asked about still.
    else this.#deadline.review();
  }

  #onResponse({ status, expiresInMs, state, requestedAgoMs, mayBeOld }: ObservedResponse): void {
    const { current, isLocked } = this.#store;
    // As this page knows already.
    if (isLocked && state === 'locked') return;
    // What may be old is a reason to ask, and no more.
    const ask = (isOpen: boolean) =>
      mayBeOld ? this.#server.checkAgain() : this.#server.hear(isOpen);
    if (!expiresInMs || state === 'locked') {
      // While offline, it is most likely the answer to a request of this client.
      if (current.online && expiresInMs !== undefined) ask(false);
      else if (current.online && status === 401) this.#server.checkAgain();
      return;
    }
    // Only where the answer would show.
    if (isLocked || current.sessionRef === null || (mayBeOld && current.state === 'warning'))
      return ask(true);
    const requestedAt = this.#clock.now() - requestedAgoMs;
    if (
      mayBeOld ||
      this.#server.hasHeardOtherwise(requestedAt) ||
      this.#deadline.isOutdated(requestedAt)
    )
      return;
    const update = { expiresAt: requestedAt + expiresInMs, requestedAt };
    if (this.#deadline.apply(update)) this.#sendToTabs();
  }

  #onTabMessage(message: TabMessage): void {
    if (message.sessionRef !== this.#store.current.sessionRef) return;
    const update = shifted(message, -this.#clock.toWallMs);
    const { ended, requestedAt, locksAt, lastHeartbeatAt } = update;
    if (ended) return this.#deadline.reportEnd();
    if (this.#deadline.isOutdated(requestedAt)) return this.#server.checkAgain();
    this.#presence.confirmHeartbeat(lastHeartbeatAt);
    // Older than any answer that may have overtaken it.
    if (requestedAt + ANSWER_TIMEOUT_MS < this.#deadline.newest.requestedAt) return;
    this.#deadline.apply(update);
    // Unlocked in the other.
    if (this.#store.isLocked && locksAt > this.#clock.now()) this.#server.check(requestedAt);
  }

  #onPageEvent(event: PageEvent): void {
    // It may not be back.
    if (event === 'hidden') return void this.#presence.reportUnconfirmed(SECOND_MS);
    const { isBehindClock } = this.#server;
    if (event === 'tick' && !isBehindClock) return;
    // The browser may have held up timers, or the machine may have slept.
    this.#deadline.review();
    const { isAlive, current } = this.#store;
    if (event === 'returned' || isBehindClock || !isAlive || !current.online) this.#server.check();
  }

  #end(serverReason: EndReason): void {
    if (this.#store.isOver) return;
    // What the person wanted, though something else was faster.
    const reason = this.#isSigningOut ? 'signed-out' : serverReason;
    this.#store.update({
      state: reason === 'signed-out' ? reason : 'expired',
      reason,
      online: true,
      covered: true,
      failed: false,
    });
    this.#ended.abort(new DOMException(reason, 'AbortError'));
    this.#sendToTabs(reason);
    this.#store.close();
  }

  #sendToTabs(ended?: EndReason): void {
    const { sessionRef } = this.#store.current;
    if (sessionRef === null) return;
    const { lastHeartbeatAt } = this.#presence;
    const message = { ...this.#deadline.newest, sessionRef, lastHeartbeatAt, ended };
    this.#environment.postToTabs(shifted(message, this.#clock.toWallMs));
  }
}
