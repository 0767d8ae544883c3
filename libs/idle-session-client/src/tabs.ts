import type { EndReason } from './state.js';

/**
 * What tabs tell each other: the server's newest word about a session, in absolute times of the wall clock that they
 * share, so that a message that comes late still means the same.
 */
export interface IdleSessionWord {
  readonly sessionRef: string;
  /** When the server said so. */
  readonly saidAt: number;
  readonly expiresAt: number;
  readonly absoluteExpiresAt: number | null;
  /** When a tab last told the server of the person. */
  readonly beatAt: number;
  readonly ended?: EndReason;
}

export function isWord(value: unknown): value is IdleSessionWord {
  const word = (value ?? {}) as Record<string, unknown>;
  const times = ['expiresAt', 'saidAt', 'beatAt'].every((key) => typeof word[key] === 'number');
  return times && typeof word.sessionRef === 'string';
}
