import type { IdleSessionStatus } from 'idle-session-client/protocol';
import type { Evaluation } from '../activity/evaluate.js';

/** Whether requests of a session that stands so are let in, and may count as activity. */
export function isOpen(status: Pick<IdleSessionStatus, 'state'> | undefined): boolean {
  return status?.state === 'active' || status?.state === 'warning';
}

/** A status, from the evaluation and what does not depend on it. */
export function statusOf(
  evaluation: Evaluation | undefined,
  {
    idleTimeoutMs,
    warnBeforeMs,
    sessionRef,
    loginUrl,
    unlockUrl,
  }: Pick<
    IdleSessionStatus,
    'idleTimeoutMs' | 'warnBeforeMs' | 'sessionRef' | 'loginUrl' | 'unlockUrl'
  >,
): IdleSessionStatus {
  const expired = evaluation?.state === 'expired';
  return {
    state: evaluation?.state ?? 'none',
    reason: expired ? evaluation.reason : null,
    expiresInMs: expired ? 0 : (evaluation?.expiresInMs ?? null),
    locksInMs: expired ? null : (evaluation?.locksInMs ?? null),
    idleTimeoutMs,
    warnBeforeMs,
    absoluteExpiresInMs: evaluation?.absoluteExpiresInMs ?? null,
    sessionRef,
    loginUrl,
    unlockUrl,
  };
}
