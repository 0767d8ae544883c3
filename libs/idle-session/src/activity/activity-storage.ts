import type { EndReason } from 'idle-session-client/protocol';
import type { OwnerIndex } from './owner-index.js';
import type { ChangedKeys } from './watchers.js';

/**
 * What a record says of its end. `replaced`: the session got a new id, at a sign-in say. `confirmed`: the same, since the
 * person proved again who they are. Pages are told `signed-out` of both, and the browser, which has the new id's cookie by
 * then, keeps it.
 */
export type RecordedEnd = EndReason | 'replaced' | 'confirmed';

/**
 * What is known about the activity of one session. Times are milliseconds on the storage's own clock, durations are
 * milliseconds. Only `lastActivityAt` and `idleTimeoutMs` change after the start, and `ended` is set once.
 */
export interface ActivityRecord {
  /** When the session was signed in; the absolute limit counts from here. */
  readonly startedAt: number;
  /** When the person last proved who they are: a newer proof starts a record of its own. */
  readonly authenticatedAt: number;
  /** When the person last did something. Only ever grows. */
  readonly lastActivityAt: number;
  /** How long the session may stay idle, as decided for the newest activity. */
  readonly idleTimeoutMs: number;
  /** How long after `startedAt` the session ends, however active; null: never. Decided when the session started. */
  readonly absoluteTimeoutMs: number | null;
  /** How long the session may stay idle before it is locked; null: it never is. Decided when the session started. */
  readonly lockAfterMs: number | null;
  /** A keyed hash of who the session belongs to; null if nobody is known. */
  readonly owner: string | null;
  /** Set once, by the first caller of {@link ActivityStorage.end}; never taken back. */
  readonly ended?: RecordedEnd;
}

/** A record together with the storage's time at which it was read. */
export interface ActivityReading {
  readonly record: ActivityRecord | undefined;
  /** The storage's time, in milliseconds. App servers' clocks decide nothing. */
  readonly now: number;
}

/** What {@link ActivityStorage.end} resolves to. */
export interface ActivityEnd extends ActivityReading {
  /** Whether this call ended the record: of all callers, one wins. */
  readonly won: boolean;
  /** For who won, as given to {@link ActivityStorage.start}: the session's data is removed by it. Left out or empty: unknown. */
  readonly sessionId?: string;
}

/** What {@link ActivityStorage.start} is told of a session. */
export interface NewSession extends Pick<
  ActivityRecord,
  'idleTimeoutMs' | 'absoluteTimeoutMs' | 'lockAfterMs' | 'owner'
> {
  /** Kept until the session ends, for the process that then removes it from the session store. */
  readonly sessionId: string;
}

/** A session that a storage ended because its time was up, or one that ended and whose event was not told in time. */
export interface ExpiredSession extends Pick<
  ActivityRecord,
  'startedAt' | 'lastActivityAt' | 'owner'
> {
  readonly key: string;
  /** As given to {@link ActivityStorage.start}; empty if the storage does not know it. */
  readonly sessionId: string;
  readonly reason: RecordedEnd;
  /** When it ended, on the storage's clock. */
  readonly endedAt: number;
}

/** What one call of {@link ActivityStorage.unlock} did. */
export interface ActivityUnlock extends ActivityReading {
  /** Whether the record was locked until this call. */
  readonly unlocked: boolean;
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
   * @param fresh true: a buffer may not answer from memory; default false
   */
  abstract read(key: string, fresh?: boolean): Promise<ActivityReading>;

  /** Starts a record at the storage's time, unless there is one already. `started` tells which. */
  abstract start(
    key: string,
    session: NewSession,
  ): Promise<ActivityReading & { readonly started: boolean }>;

  /**
   * Notes activity at `at`, a time on the storage's clock, as taken from an earlier reading. Safe to send late, twice
   * or out of order:
   *
   * - fractions of a millisecond are cut, `at` beyond the storage's time counts as now, `at` before the last activity changes nothing;
   * - nothing happens without a record, after its end, or if `at` is at or after the deadline
   *   (`lastActivityAt + idleTimeoutMs`) or the lock (`lastActivityAt + lockAfterMs`) that is known;
   * - newer activity brings its `idleTimeoutMs` along; `at` equal to `lastActivityAt` changes `idleTimeoutMs` alone,
   *   as long as neither the deadline nor the lock has passed.
   *
   * Resolves to the record as it is afterwards.
   */
  abstract touch(key: string, idleTimeoutMs: number, at: number): Promise<ActivityReading>;

  /**
   * Unlocks a record that is locked, for the option `lockAfter`, which needs it: `lastActivityAt` becomes the storage's time,
   * and `idleTimeoutMs` what is given. Of several callers at once, one learns that it `unlocked` the record. Changes nothing
   * without a record, of one that is not locked, after its end, or once its idle or absolute deadline has passed.
   *
   * Resolves to the record as it is afterwards.
   */
  unlock?(key: string, idleTimeoutMs: number): Promise<ActivityUnlock>;

  /**
   * Ends the record for good; the first caller wins and learns that it `won`. Without a record, leaves an ended one.
   * `idle` ends nothing whose deadline has not passed on the storage's clock: late activity that came in first holds.
   * `lost` ends nothing that there is a record of: it may have been away for a while, in a failover say.
   *
   * The ended record outlives the session, so that a late save cannot revive it and the reason can still be told.
   *
   * Who won may be given the `sessionId`, to remove the session's data by. Where a session is ended by its reference
   * and the storage does not say, the data stays, withheld, until the next request or until it expires in its store.
   */
  abstract end(key: string, reason: RecordedEnd): Promise<ActivityEnd>;

  /**
   * Ends sessions whose time is up, by the idle or by their absolute timeout, each for one caller only.
   * @param limit of sessions to look at, so that other work does not wait for long
   */
  abstract expire(limit: number): Promise<Expiry>;

  /** Which sessions an owner has: for lists of them, and for a limit. */
  readonly index?: OwnerIndex | undefined;

  /** What {@link read} would answer without asking anything outside the process; undefined if it would have to ask. */
  recall?(key: string): ActivityReading | undefined;

  /** Does and answers what {@link touch} would without asking; undefined, and nothing done, if it would have to ask. */
  note?(key: string, idleTimeoutMs: number, at: number): ActivityReading | undefined;

  /**
   * Tells the keys of sessions that any process ended by {@link end} or unlocked, or whose deadline any process moved back;
   * `'all'` where the storage does not know which. It need not tell what {@link expire} ends, since that was due. To tell
   * twice, or for nothing, costs a question and does no harm.
   * @returns ends the watch; undefined if the storage cannot tell
   */
  watch?(onChange: (keys: ChangedKeys) => void): (() => void) | undefined;

  /**
   * The events of these ends were told. A storage may keep each end until then, and hand it out in {@link expire} again
   * if it is not told in time, since the process that was to tell it may have died.
   */
  told?(keys: readonly string[]): Promise<void>;

  /** How many sessions have started and not ended; null if that cannot be counted. */
  count?(): Promise<number | null>;

  /** Sends what was not sent yet: the process is about to stop. */
  flush?(): Promise<void>;
}

/** Whether the browser goes on under another session id. */
export function goesOn(end: RecordedEnd | undefined): end is 'replaced' | 'confirmed' {
  return end === 'replaced' || end === 'confirmed';
}

/** The reason that people and pages are told. */
export function toldReason(end: RecordedEnd): EndReason {
  return goesOn(end) ? 'signed-out' : end;
}

/** For how long after its deadline or its end a record is kept by default, so that the reason can still be told. */
export const DEFAULT_RETENTION = '24h';

/** The record of a session that starts. */
export function newRecord(
  { idleTimeoutMs, absoluteTimeoutMs, lockAfterMs, owner }: NewSession,
  now: number,
): ActivityRecord {
  return {
    startedAt: now,
    authenticatedAt: now,
    lastActivityAt: now,
    idleTimeoutMs,
    absoluteTimeoutMs,
    lockAfterMs,
    owner,
  };
}
