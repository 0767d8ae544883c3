import type { EndReason } from '../protocol/end-reason.js';

/** Where the session stands, as far as this tab knows. A new object whenever something changed, else the same. */
export interface IdleSessionState {
  /**
   * `starting`: the server has not answered yet, or there is no session. `warning`: within `warnBeforeMs` of the end.
   * `extending`: the person asked to stay, and the server has not answered yet. `locked`: the person has to unlock the
   * session before it ends; nothing else moves its end.
   */
  readonly state:
    'starting' | 'active' | 'warning' | 'extending' | 'locked' | 'expired' | 'signed-out';
  /** Why the session ended; null unless it did. */
  readonly reason: EndReason | null;
  /** When the session ends unless it is extended: a time of `Date.now()`, from the remaining time that the server gave. */
  readonly expiresAt: number | null;
  /** When it ends even if it is extended; null without such a limit. */
  readonly absoluteExpiresAt: number | null;
  readonly idleTimeoutMs: number | null;
  readonly warnBeforeMs: number | null;
  readonly loginUrl: string | null;
  readonly unlockUrl: string | null;
  readonly sessionRef: string | null;
  /** False while the server itself does not answer: it cannot be reached, or fails, or something else answers. */
  readonly online: boolean;
  /**
   * What the page shows is to be covered: the session has ended or is locked, or it seems so, by the time or by another
   * tab's message, and the server has not answered yet.
   */
  readonly covered: boolean;
  /** The last `extend()` or `signOut()` did not reach the server. */
  readonly failed: boolean;
}

export const STARTING: IdleSessionState = {
  state: 'starting',
  reason: null,
  expiresAt: null,
  absoluteExpiresAt: null,
  idleTimeoutMs: null,
  warnBeforeMs: null,
  loginUrl: null,
  unlockUrl: null,
  sessionRef: null,
  online: true,
  covered: false,
  failed: false,
};
