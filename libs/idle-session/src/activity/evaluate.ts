import type { EndReason } from 'idle-session-client/protocol';
import { toldReason, type ActivityReading, type ActivityRecord } from './activity-storage.js';

/** What a record is held against, beside the limits in the record itself. */
export interface IdlePolicy {
  /** How long before the end the state becomes `warning`, in milliseconds; false: never. */
  readonly warnBeforeMs: number | false;
}

export type Evaluation =
  | {
      readonly state: 'active' | 'warning' | 'locked';
      readonly expiresInMs: number;
      /** To the lock, if nobody does anything; 0 when locked, null if the session is never locked before it ends. */
      readonly locksInMs: number | null;
      readonly absoluteExpiresInMs: number | null;
    }
  | {
      readonly state: 'expired';
      readonly reason: EndReason;
      readonly absoluteExpiresInMs: number | null;
    };

/**
 * Says whether a session is alive: a pure function of its record, the policy and the time, and the only place where
 * times are compared. A session is over at its deadline, not after it. Of two limits passed, the earlier one is the
 * reason; at a tie, the idle one. From its lock on it is locked, and not in its warning, until it ends.
 */
export function evaluate(record: ActivityRecord, policy: IdlePolicy, now: number): Evaluation {
  // A clock that went back (a Redis failover) must not promise more than the whole timeout.
  const time = Math.max(now, record.lastActivityAt);
  const idleDeadline = idleDeadlineOf(record);
  const absoluteDeadline = absoluteDeadlineOf(record);
  const absoluteExpiresInMs = Number.isFinite(absoluteDeadline)
    ? Math.max(0, absoluteDeadline - time)
    : null;

  const deadline = Math.min(idleDeadline, absoluteDeadline);
  if (record.ended !== undefined)
    return { state: 'expired', reason: toldReason(record.ended), absoluteExpiresInMs };
  if (time >= deadline) {
    return {
      state: 'expired',
      reason: idleDeadline <= absoluteDeadline ? 'idle' : 'absolute',
      absoluteExpiresInMs,
    };
  }
  const expiresInMs = deadline - time;
  const lockDeadline = lockDeadlineOf(record);
  const locksInMs = lockDeadline < deadline ? Math.max(0, lockDeadline - time) : null;
  const warning = policy.warnBeforeMs !== false && expiresInMs <= policy.warnBeforeMs;
  const state = locksInMs === 0 ? 'locked' : warning ? 'warning' : 'active';
  return { state, expiresInMs, locksInMs, absoluteExpiresInMs };
}

/** Whether the person proved who they are no longer ago than this; never without a record. */
export function isFresh(reading: ActivityReading | undefined, maxAgeMs: number): boolean {
  if (!reading?.record) return false;
  const { authenticatedAt, lastActivityAt } = reading.record;
  // A clock that went back (a Redis failover) does not make an old proof a new one.
  return Math.max(reading.now, lastActivityAt) - authenticatedAt <= maxAgeMs;
}

/**
 * Whether the browser is about to get the session's new id, since the person confirmed in another request. One that still
 * has the old id when that would have been idle never got the new one.
 */
export function isBeingReplaced(reading: ActivityReading | undefined): boolean {
  return reading?.record?.ended === 'confirmed' && reading.now < idleDeadlineOf(reading.record);
}

/** When a record's idle timeout is over. */
export function idleDeadlineOf({ lastActivityAt, idleTimeoutMs }: ActivityRecord): number {
  return lastActivityAt + idleTimeoutMs;
}

/** When a record is to be locked; `Infinity` if it never is. */
function lockDeadlineOf({ lastActivityAt, lockAfterMs }: ActivityRecord): number {
  return lockAfterMs === null ? Infinity : lastActivityAt + lockAfterMs;
}

/** Until when activity counts: up to the lock or the idle timeout, whichever comes first. */
export function activityDeadlineOf(record: ActivityRecord): number {
  return record.lastActivityAt + activitySpanOf(record);
}

/** For how long after the last activity the next one counts. */
export function activitySpanOf({ idleTimeoutMs, lockAfterMs }: ActivityRecord): number {
  return Math.min(idleTimeoutMs, lockAfterMs ?? Infinity);
}

/** When a record's absolute timeout is over; `Infinity` without one. */
export function absoluteDeadlineOf({ startedAt, absoluteTimeoutMs }: ActivityRecord): number {
  return absoluteTimeoutMs === null ? Infinity : startedAt + absoluteTimeoutMs;
}
