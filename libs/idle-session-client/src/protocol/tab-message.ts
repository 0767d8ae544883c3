import type { EndReason } from './end-reason.js';

/**
 * What one tab tells the others of a session: the newest update from the server. Its times are those of the wall clock,
 * which all tabs share, so that a message that arrives late still means the same.
 */
export interface TabMessage {
  readonly sessionRef: string;
  /** When the update was requested: the server gave it after that. */
  readonly requestedAt: number;
  readonly expiresAt: number;
  /** When it is locked if nobody does anything: `-Infinity` if it is, `Infinity` without a lock. */
  readonly locksAt: number;
  /** When a tab last sent a heartbeat. */
  readonly lastHeartbeatAt: number;
  readonly ended?: EndReason;
}

const TIMES = ['expiresAt', 'locksAt', 'requestedAt', 'lastHeartbeatAt'] as const;

export function isTabMessage(value: unknown): value is TabMessage {
  const message = (value ?? {}) as Record<string, unknown>;
  // Not NaN.
  const hasTimes = TIMES.every((key) => message[key] === Number(message[key]));
  const isFinite = [message.requestedAt, message.expiresAt].every(Number.isFinite);
  return hasTimes && isFinite && typeof message.sessionRef === 'string';
}

/** The same message, with its times moved to another clock. */
export function shifted(message: TabMessage, byMs: number): TabMessage {
  const moved = { ...message };
  for (const key of TIMES) moved[key] += byMs;
  return moved;
}
