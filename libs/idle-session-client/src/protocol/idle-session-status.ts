import type { EndReason } from './end-reason.js';

/**
 * Where a session stands, as the status and heartbeat endpoints answer it. Durations are remaining milliseconds: no
 * timestamp leaves the server, so that no clock but the storage's counts.
 */
export interface IdleSessionStatus {
  /**
   * `none`: no session, or one that the options do not apply to. `warning`: within `warnBefore` of the end. `locked`: idle
   * for `lockAfter`, until the person unlocks it or it ends.
   */
  readonly state: 'none' | 'active' | 'warning' | 'locked' | 'expired';
  /** Why it ended; null unless `expired`. */
  readonly reason: EndReason | null;
  /** To the nearer of the two limits; 0 when expired, null when there is no session. */
  readonly expiresInMs: number | null;
  /** To the lock, if nobody does anything; 0 when locked, null without a lock. */
  readonly locksInMs: number | null;
  /** The idle timeout that holds for the session; null when it depends on a session and there is none. */
  readonly idleTimeoutMs: number | null;
  /** Null without a warning. */
  readonly warnBeforeMs: number | null;
  /** To the absolute limit; null without one, or without a session. */
  readonly absoluteExpiresInMs: number | null;
  /** One-way hash of the session id: tells one session from another. */
  readonly sessionRef: string | null;
  /** Where to sign in again; null when the options name none. */
  readonly loginUrl: string | null;
  /** Where to unlock it; null when the options name none. */
  readonly unlockUrl: string | null;
}
