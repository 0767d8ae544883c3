import type { TabMessage } from '../protocol/tab-message.js';

/** A request without an answer is given up after this. */
export const ANSWER_TIMEOUT_MS = 10_000;

/** How often to look for what no event tells: whether the machine has slept, and what happens in an iframe. */
export const TICK_MS = 4000;

/** How long to wait for the lock: longer than the tab that holds it waits for its answer. A frozen one may hold it for ever. */
export const LOCK_TIMEOUT_MS = ANSWER_TIMEOUT_MS + 1000;

/** How long a tab keeps the lock after its run, so that its message reaches the other tabs before the next one runs. */
export const LOCK_KEPT_MS = 100;

/** Browsers fire timers beyond this at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What a tab tells the others as it is left by a form that it posted. */
export const POSTED = 'posted';

/** What the server answered; `body` is undefined if it was no JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  /** How long the server asks to wait (`Retry-After`); NaN or left out if it does not say. */
  readonly retryAfterMs?: number;
}

/** A response of the server's origin to the page: to a script, or to the navigation itself. */
export interface ObservedResponse {
  /** Undefined where the browser does not tell, as WebKit. */
  readonly status: number | undefined;
  /**
   * From its `Server-Timing` header: to the nearer limit, when the response was sent; 0 if the session has ended.
   * Undefined: it says nothing of that.
   */
  readonly expiresInMs: number | undefined;
  /** From the same header: the state of the session, such as `locked`. Undefined: it says nothing of that. */
  readonly state?: string | undefined;
  /** How long ago the request for it went out. */
  readonly requestedAgoMs: number;
  /** It may be out of a cache of the browser or of a service worker: it says what was true when the server sent it. */
  readonly mayBeOld?: boolean;
}

/**
 * What happens to a page. `hidden`: it may not be back. `returned`: it was frozen or offline, or another tab was left by a
 * form that it posted, which may have signed the person out. `tick`: some time has passed.
 */
export type PageEvent = 'hidden' | 'visible' | 'returned' | 'tick';

/** One timer. Starting it again replaces what was planned before. */
export interface Timer {
  /** Runs once after a delay; soon if the delay is negative. */
  readonly start: (delayMs: number, run: () => void) => void;
  readonly stop: () => void;
}

/** Who is told of what happens in a browser. */
export interface Listeners {
  readonly onActivity: () => void;
  readonly onResponse: (response: ObservedResponse) => void;
  readonly onPageEvent: (event: PageEvent) => void;
  readonly onTabMessage: (message: TabMessage) => void;
}

/** Everything that a session needs of a browser; tests bring their own. */
export interface Environment {
  /** The wall clock, in milliseconds. Goes on during sleep, and may jump. */
  now(): number;
  /** A clock that never jumps, in milliseconds. May stand still during sleep. */
  elapsed(): number;
  /** A timer that the signal stops. */
  createTimer(signal: AbortSignal): Timer;
  /**
   * Sends a request; rejects if the server itself did not answer.
   * @param idleForMs how long ago the person was present, if the request, a POST then, is of a person
   */
  request(path: string, headers: Record<string, string>, idleForMs?: number): Promise<Answer>;
  /** Runs while no other tab runs under the same name; where the browser has no locks, at once. */
  withLock(name: string, run: () => Promise<void>): Promise<void>;
  /**
   * Tells of what happens until the signal aborts.
   * @param path where the server's endpoints are: responses of that origin count, and messages of tabs with the same path
   */
  listen(path: string, listeners: Listeners, signal: AbortSignal): void;
  /** Sends to the other tabs. */
  postToTabs(message: TabMessage): void;
}
