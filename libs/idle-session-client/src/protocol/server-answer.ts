import { END_REASONS, type EndReason } from './end-reason.js';
import type { IdleSessionStatus } from './idle-session-status.js';

const ALIVE = ['active', 'warning', 'locked'];

/** Whether the server itself answered, and not a proxy or a sign-on page in between. */
export function isStatus(body: unknown): body is IdleSessionStatus {
  const { state, expiresInMs, sessionRef } = (body ?? {}) as Partial<IdleSessionStatus>;
  if (state === 'none' || state === 'expired') return true;
  const isAlive = ALIVE.includes(state as string);
  return isAlive && typeof expiresInMs === 'number' && typeof sessionRef === 'string';
}

/** The reason in a problem body of a 401; undefined if the 401 is not about the session's end. */
export function reasonOf(body: unknown): EndReason | undefined {
  const { reason } = (body ?? {}) as { reason?: unknown };
  return END_REASONS.find((known) => known === reason);
}
