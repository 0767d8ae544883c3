import type { EndReason } from './end-reason.js';
import type { IdleSessionStatus } from './idle-session-status.js';

/**
 * Whether the server itself answered where the session stands, and not a proxy or a sign-on page in between. The problem
 * body of a 401 does so, too, but has the reason and the login address alone.
 */
export function isStatus(body: unknown): body is IdleSessionStatus {
  const { state, expiresInMs, sessionRef } = (body ?? {}) as Partial<IdleSessionStatus>;
  if (state === 'none' || reasonOf(body)) return true;
  return typeof expiresInMs === 'number' && typeof sessionRef === 'string';
}

const REASONS = ['idle', 'absolute', 'signed-out', 'revoked', 'lost'];

/** The reason why the session ended; undefined if the body does not tell of its end. */
export function reasonOf(body: unknown): EndReason | undefined {
  const { reason } = (body ?? {}) as { reason?: EndReason };
  return REASONS.includes(reason as string) ? reason : undefined;
}
