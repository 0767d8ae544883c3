import type { MaybePromise } from '../maybe-promise.js';

/** Why a session ended. */
export type EndReason = 'idle' | 'absolute' | 'signed-out' | 'revoked';

/** What is known about the activity of one session. All times are milliseconds on the storage's own clock. */
export interface ActivityRecord {
  /** When the session was signed in; the absolute limit counts from here. */
  readonly startedAt: number;
  /** When the person last did something. Only ever grows. */
  readonly lastActivityAt: number;
  /** How long the session may stay idle, as decided for the newest activity. */
  readonly idleTimeoutMs: number;
  /** Set once, by the first caller of {@link ActivityStorage.end}; never taken back. */
  readonly ended?: EndReason;
}

/** A record together with the storage's time at which it was read. */
export interface ActivityReading {
  readonly record: ActivityRecord | undefined;
  /** The storage's time, in milliseconds. App servers' clocks decide nothing. */
  readonly now: number;
}

/** A session that a storage ended because its time was up. */
export interface ExpiredSession {
  readonly key: string;
  /** As given to {@link ActivityStorage.start}. */
  readonly sessionId: string;
  readonly reason: Extract<EndReason, 'idle' | 'absolute'>;
}

/** What one call of {@link ActivityStorage.expire} did. */
export interface Expiry {
  readonly expired: readonly ExpiredSession[];
  /** Whether there was more to look at. */
  readonly more: boolean;
}

/**
 * Where activity records are kept. Every operation is atomic for its key, and every time in it is on the storage's
 * own clock. The key is a hash of the session id.
 *
 * A storage that cannot answer rejects; it never resolves to "no record".
 *
 * Being an abstract class, it is its own injection token. `activityStorageContract` in
 * `nestjs-idle-session/testing` is the test suite that every storage has to pass.
 */
export abstract class ActivityStorage {
  /**
   * Reads the record; `record` is undefined when there is none.
   * @param fresh what a buffer remembers will not do; default false
   */
  abstract read(key: string, fresh?: boolean): MaybePromise<ActivityReading>;

  /**
   * Starts a record at the storage's time, unless there is one already. `started` tells which.
   * @param sessionId kept until the session ends, for whoever has to remove it from the session store
   */
  abstract start(
    key: string,
    idleTimeoutMs: number,
    sessionId: string,
  ): MaybePromise<ActivityReading & { readonly started: boolean }>;

  /**
   * Notes activity at `at`, a time on the storage's clock, as taken from an earlier reading. Safe to send late, twice
   * or out of order:
   *
   * - fractions of a millisecond are cut, `at` beyond the storage's time counts as now, `at` before the last activity changes nothing;
   * - nothing happens without a record, after its end, or if `at` is at or after the deadline
   *   (`lastActivityAt + idleTimeoutMs`) that is known;
   * - newer activity brings its `idleTimeoutMs` along; `at` equal to `lastActivityAt` changes `idleTimeoutMs` alone,
   *   as long as the deadline has not passed.
   *
   * Resolves to the record as it is afterwards.
   */
  abstract touch(key: string, idleTimeoutMs: number, at: number): MaybePromise<ActivityReading>;

  /**
   * Ends the record for good; the first caller wins and learns that it `won`. Without a record, leaves an ended one.
   * `idle` ends nothing whose deadline has not passed on the storage's clock: late activity that came in first holds.
   *
   * The ended record outlives the session, so that a late save cannot revive it and the reason can still be told.
   */
  abstract end(
    key: string,
    reason: EndReason,
  ): MaybePromise<ActivityReading & { readonly won: boolean }>;

  /**
   * Ends sessions whose time is up, as {@link end} would, each for one caller only. A storage without it leaves an end
   * to be noticed by the session's next request.
   * @param absoluteTimeoutMs how long after its start a session ends whatever happens; false: never
   * @param limit of sessions to look at, so that nobody waits for long
   */
  expire?(absoluteTimeoutMs: number | false, limit: number): MaybePromise<Expiry>;

  /** Sends what was not sent yet: the process is about to stop. */
  flush?(): Promise<void>;
}

/** For how long after its deadline or its end a record is kept by default, so that the reason can still be told. */
export const DEFAULT_RETENTION = '24h';
