import type { Answer } from '../browser/environment.js';
import type { Timer } from '../browser/environment.js';
import type { EndReason } from '../protocol/end-reason.js';
import { isStatus, reasonOf, type SessionAnswer } from '../protocol/server-answer.js';
import type { SessionContext } from './session-context.js';
import type { StateStore } from './state-store.js';
import type { SteadyClock } from './steady-clock.js';
import { FIRST_RETRY_MS, LAST_RETRY_MS, SECOND_MS } from './times.js';

export interface ServerLinkHandlers {
  onStatus(status: SessionAnswer, requestedAt: number): void | Promise<void>;
  /** A request had no answer. */
  review(): void;
  /** Sends a heartbeat if there is one to send; resolves to whether the server answered. */
  reportUnconfirmed(): Promise<boolean> | undefined;
}

/**
 * The requests to the server's endpoints. Only the server's own answer counts: a 5xx, a proxy's page and silence are no
 * answers and end no session, but are tried again. No answer, response or activity makes the page ask more often than the
 * back-off says, or earlier than the server's `Retry-After`. What else happens to the page does, and so does another tab that
 * tells of an end or an unlock.
 */
export class ServerLink {
  readonly #clock: SteadyClock;
  readonly #store: StateStore;
  readonly #timer: Timer;
  readonly #handlers: ServerLinkHandlers;
  readonly #context: SessionContext;

  #checkedAt = -Infinity;
  /** What a response last told that the page did not know: that the session is open, or that it is not. */
  #told = { at: -Infinity, isOpen: false };
  #isChecking = false;
  /** Whether the last request had any answer, even an error. */
  #isReachable = true;
  /** No answer, response or activity causes a request before that. */
  #backedOffUntil = -Infinity;
  #nextBackoffMs = 0;
  /** The server was out, and is asked again soon once it answers, though its `Retry-After` said later. */
  #isOutage = false;
  #hasWarned = false;

  constructor(context: SessionContext, handlers: ServerLinkHandlers) {
    this.#clock = context.clock;
    this.#store = context.store;
    this.#timer = context.environment.createTimer(context.store.closed);
    this.#handlers = handlers;
    this.#context = context;
  }

  /** The wall clock has leapt since the last check: what it said to be left may have passed in sleep. */
  get isBehindClock(): boolean {
    return this.#checkedAt < this.#clock.leaptAt;
  }

  /** What is left of the back-off; zero or less: nothing. */
  get waitMs(): number {
    return this.#backedOffUntil - this.#clock.now();
  }

  /**
   * Asks where the session stands: with a heartbeat if there is one to send, else for the status. A check that is under
   * way for less than a second is shared.
   * @param notBefore an earlier check is not shared; default: one from before the wall clock leapt, since what it says to
   * be left may have passed in sleep
   */
  check(notBefore = this.#clock.leaptAt): void {
    const now = this.#clock.now();
    const sharedFrom = Math.max(notBefore, now - SECOND_MS);
    if (this.#store.isOver || (this.#isChecking && this.#checkedAt >= sharedFrom)) return;
    this.#checkedAt = now;
    void this.#runCheck();
  }

  /** Asks because of an answer, of a response, of a message or of the deadline, as soon as the back-off allows. */
  checkAgain(): void {
    if (this.waitMs > 0) return this.#timer.start(this.waitMs, () => this.checkAgain());
    this.backOff(SECOND_MS);
    this.check();
  }

  /** A response told what the page does not know. Only what is asked from then on settles it. */
  hear(isOpen: boolean): void {
    this.#told = { at: this.#clock.now(), isOpen };
    this.checkAgain();
  }

  /** Whether a response told otherwise since the request. Without `saysOpen`, whatever it told is otherwise. */
  hasHeardOtherwise(requestedAt: number, saysOpen?: boolean): boolean {
    return requestedAt < this.#told.at && saysOpen !== this.#told.isOpen;
  }

  /** @param leastMs the wait is not shorter */
  backOff(leastMs: number): void {
    // After a quiet time it begins anew.
    const waitMs = Math.max(this.waitMs < -LAST_RETRY_MS ? 0 : this.#nextBackoffMs, leastMs);
    this.#backedOffUntil = this.#clock.now() + waitMs;
    this.#nextBackoffMs = Math.min(waitMs * 2, LAST_RETRY_MS);
  }

  /**
   * Sends a heartbeat, or asks for the status; resolves to whether the server answered where the session stands.
   * @param idleForMs how long ago the person was present: of a heartbeat
   */
  async query(idleForMs?: number): Promise<boolean> {
    const requestedAt = this.#clock.now();
    const endpoint = idleForMs === undefined ? 'status' : 'heartbeat';
    const answer = await this.#request(endpoint, idleForMs);
    const { status, body } = answer;
    if ((status !== 200 && status !== 401) || !isStatus(body)) {
      return this.#retryLater(answer, endpoint);
    }
    await this.#handlers.onStatus(body, requestedAt);
    return true;
  }

  /** Resolves to whether the server has ended the session. */
  async signOut(): Promise<boolean> {
    const answer = await this.#request('sign-out', 0);
    return answer.status === 204 || this.#retryLater(answer, 'sign-out');
  }

  /** Why a session has ended whose cookie the browser has not any more; undefined if the server does not say. */
  async endReasonOf(sessionRef: string): Promise<EndReason | undefined> {
    const { body } = await this.#request(`status?of=${sessionRef}`);
    return reasonOf(body);
  }

  /** An answer or another tab's message has shown that the server can be reached. */
  markOnline(): void {
    this.#store.update({ online: true });
    if (this.#checkedAt >= this.#told.at) this.#timer.stop();
    if (!this.#isOutage) return;
    this.#backedOffUntil = Math.min(this.#backedOffUntil, this.#clock.now() + LAST_RETRY_MS);
  }

  async #runCheck(): Promise<void> {
    this.#isChecking = true;
    this.#isReachable = true;
    const isAnswered = await this.#handlers.reportUnconfirmed();
    if (!isAnswered && this.#isReachable) await this.query();
  }

  async #request(endpoint: string, idleForMs?: number): Promise<Answer> {
    const { environment, path, headers } = this.#context;
    try {
      this.#store.closed.throwIfAborted();
      return await environment.request(`${path}/${endpoint}`, headers(), idleForMs);
    } catch {
      this.#isReachable = false;
      return { status: 500, body: undefined };
    } finally {
      this.#isChecking = false;
    }
  }

  /** The request was not answered by the server itself; returns false. */
  #retryLater({ status, retryAfterMs }: Answer, endpoint: string): false {
    if (!this.#store.isOver) {
      // No outage: what stands in front of the server answers for it.
      if (status < 500 && !this.#hasWarned) {
        console.warn(`${this.#context.path}/${endpoint} ${status}, see docs/troubleshooting.md`);
        this.#hasWarned = true;
      }
      this.#isOutage = status >= 500;
      this.backOff(Math.max(FIRST_RETRY_MS, retryAfterMs || 0));
      this.#store.update({ online: false });
      this.#handlers.review();
      this.#timer.start(this.waitMs, () => this.check());
    }
    return false;
  }
}
