import type { ActivityRecord, EndReason } from './activity-storage.js';

/** The limits that a record is held against, in milliseconds. The idle timeout is in the record itself. */
export interface IdlePolicy {
  /** How long before the end the state becomes `warning`; false: never. */
  readonly warnBeforeMs: number | false;
  /** How long after `startedAt` the session ends whatever happens; false: never. */
  readonly absoluteTimeoutMs: number | false;
}

export type Evaluation =
  | {
      readonly state: 'active' | 'warning';
      readonly expiresInMs: number;
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
 * reason; at a tie, the idle one.
 */
export function evaluate(record: ActivityRecord, policy: IdlePolicy, now: number): Evaluation {
  // A clock that went back (a Redis failover) must not promise more than the whole timeout.
  const time = Math.max(now, record.lastActivityAt);
  const idleDeadline = record.lastActivityAt + record.idleTimeoutMs;
  const absoluteDeadline =
    policy.absoluteTimeoutMs === false ? Infinity : record.startedAt + policy.absoluteTimeoutMs;
  const absoluteExpiresInMs = Number.isFinite(absoluteDeadline)
    ? Math.max(0, absoluteDeadline - time)
    : null;

  const deadline = Math.min(idleDeadline, absoluteDeadline);
  if (record.ended !== undefined)
    return { state: 'expired', reason: record.ended, absoluteExpiresInMs };
  if (time >= deadline) {
    return {
      state: 'expired',
      reason: idleDeadline <= absoluteDeadline ? 'idle' : 'absolute',
      absoluteExpiresInMs,
    };
  }
  const expiresInMs = deadline - time;
  const warning = policy.warnBeforeMs !== false && expiresInMs <= policy.warnBeforeMs;
  return { state: warning ? 'warning' : 'active', expiresInMs, absoluteExpiresInMs };
}
