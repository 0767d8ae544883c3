import type { EndReason } from './state.js';

/** The status body of the server's endpoints. */
export interface ServerStatus {
  readonly state: 'none' | 'active' | 'warning' | 'expired';
  readonly reason: EndReason | null;
  readonly expiresInMs: number | null;
  readonly idleTimeoutMs: number | null;
  readonly warnBeforeMs: number | null;
  readonly absoluteExpiresInMs: number | null;
  readonly sessionRef: string | null;
  readonly loginUrl: string | null;
}

/** Whether an answer is the server's own word, and not that of a proxy or a sign-on page in between. */
export function isStatus(body: unknown): body is ServerStatus {
  const { state, expiresInMs, sessionRef } = (body ?? {}) as Partial<ServerStatus>;
  if (state === 'none' || state === 'expired') return true;
  const alive = state === 'active' || state === 'warning';
  return alive && typeof expiresInMs === 'number' && typeof sessionRef === 'string';
}

const REASONS = ['idle', 'absolute', 'signed-out', 'revoked'];

/** The reason in a problem body of a 401; undefined if the 401 is not about the session's end. */
export function reasonOf(body: unknown): EndReason | undefined {
  const { reason } = (body ?? {}) as { reason?: EndReason };
  return REASONS.includes(reason as string) ? reason : undefined;
}
