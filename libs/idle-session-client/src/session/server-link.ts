import type { Answer } from '../browser/environment.js';
import type { EndReason } from '../protocol/end-reason.js';
import type { IdleSessionStatus } from '../protocol/idle-session-status.js';
import { isStatus, reasonOf } from '../protocol/server-answer.js';
import type { SessionContext } from './session-context.js';
import type { StateStore } from './state-store.js';
import type { SteadyClock } from './steady-clock.js';
import { Timer } from './timer.js';

/** How soon to check again after a request without an answer: doubled each time, up to the second. */
const FIRST_RETRY_MS = 2000;
const LAST_RETRY_MS = 30_000;

/** How long a check that is under way is shared. */
const SHARED_CHECK_MS = 1000;

export interface ServerLinkHandlers {
  onStatus(status: IdleSessionStatus, requestedAt: number): void;
  onEnded(reason: EndReason): void;
  /** A check is done, or a request had no answer. */
  review(): void;
  /** Sends a heartbeat if there is one to send; resolves to whether the server answered. */
  reportUnconfirmed(): Promise<boolean> | undefined;
}

/**
 * The requests to the server's endpoints. Only the server's own answer counts: a 5xx, a proxy's page and silence are no
 * answers and end no session, but are tried again.
 */
export class ServerLink {
  readonly #clock: SteadyClock;
  readonly #store: StateStore;
  readonly #timer: Timer;
  readonly #handlers: ServerLinkHandlers;
  readonly #context: SessionContext;

  #check: Promise<void> | undefined;
  #checkedAt = -Infinity;
  /** Whether the last request had any answer, even an error. */
  #isReachable = true;
  #retryMs = FIRST_RETRY_MS;

  constructor(context: SessionContext, handlers: ServerLinkHandlers) {
    this.#clock = context.clock;
    this.#store = context.store;
    this.#timer = new Timer(context.environment);
    this.#handlers = handlers;
    this.#context = context;
  }

  /**
   * Asks where the session stands: with a heartbeat if there is one to send, else for the status. A check that has just
   * begun is shared.
   * @param notBefore an earlier check is not shared; default: one from before the wall clock leapt, since what it says to
   * be left may have passed in sleep
   */
  check(notBefore = this.#clock.leaptAt): void {
    const isShareable = this.#sharedForMs() > 0 && this.#checkedAt >= notBefore;
    if (this.#store.isOver || (this.#check && isShareable)) return;
    this.#checkedAt = this.#clock.now();
    const check = this.#runCheck().finally(() => {
      if (this.#check === check) this.#check = undefined;
      this.#handlers.review();
    });
    this.#check = check;
  }

  /** Asks once more after a check that is done, but not too soon. */
  checkAgain(): void {
    if (this.#check) return;
    const waitMs = this.#sharedForMs();
    if (waitMs > 0) this.#timer.start(waitMs, () => this.check());
    else this.check();
  }

  /** Resolves to whether the server answered. */
  sendHeartbeat(idleForMs: number): Promise<boolean> {
    return this.#query('POST', 'heartbeat', { idleForMs });
  }

  /** Resolves to whether the server has ended the session. */
  async signOut(): Promise<boolean> {
    const answer = await this.#request('POST', 'sign-out');
    const isDone = answer?.status === 204;
    if (!isDone) this.#retryLater();
    return isDone;
  }

  /** An answer or another tab's message has shown that the server can be reached. */
  markOnline(): void {
    this.#store.update({ online: true });
    this.#retryMs = FIRST_RETRY_MS;
    this.#timer.stop();
  }

  stop(): void {
    this.#timer.stop();
  }

  /** How long the last check is still shared. */
  #sharedForMs(): number {
    return this.#checkedAt + SHARED_CHECK_MS - this.#clock.now();
  }

  async #runCheck(): Promise<void> {
    const report = this.#handlers.reportUnconfirmed();
    if (report) {
      const isAnswered = await report;
      if (isAnswered || !this.#isReachable) return;
    }
    await this.#query('GET', 'status');
  }

  /** Sends a request that the server answers with where the session stands; resolves to whether it did. */
  async #query(method: 'GET' | 'POST', endpoint: string, body?: object): Promise<boolean> {
    const requestedAt = this.#clock.now();
    const answer = await this.#request(method, endpoint, body);
    const reason = answer?.status === 401 && reasonOf(answer.body);
    if (reason) {
      this.#handlers.onEnded(reason);
    } else if (answer?.status === 200 && isStatus(answer.body)) {
      this.#handlers.onStatus(answer.body, requestedAt);
    } else {
      this.#retryLater();
      return false;
    }
    return true;
  }

  async #request(
    method: 'GET' | 'POST',
    endpoint: string,
    body?: object,
  ): Promise<Answer | undefined> {
    const { environment, path } = this.#context;
    if (this.#store.isClosed) return undefined;
    try {
      const answer = await environment.request(method, `${path}/${endpoint}`, body);
      this.#isReachable = true;
      return answer;
    } catch {
      this.#isReachable = false;
      return undefined;
    }
  }

  #retryLater(): void {
    if (this.#store.isOver) return;
    this.#store.update({ online: false });
    this.#handlers.review();
    this.#timer.start(this.#retryMs, () => this.check());
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }
}
