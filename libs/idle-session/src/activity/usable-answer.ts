import { UnusableAnswerError } from '../utils/outage-log.js';
import type { ActivityReading, Expiry } from './activity-storage.js';

/**
 * Passes on what a storage answers about a session. Times that are none would compare as "not over yet", so a session
 * would never end.
 * @throws {UnusableAnswerError}
 */
export function usableReading<T extends ActivityReading>(answer: T): T {
  const { now, record, ...outcome } = objectIn(answer, 'no reading');
  if (!isTime(now)) throw new UnusableAnswerError('a reading whose "now" is no time');
  for (const name of ['started', 'won']) {
    if (name in outcome && typeof outcome[name] !== 'boolean')
      throw new UnusableAnswerError(`a reading whose "${name}" is neither true nor false`);
  }
  if (record === undefined) return answer;
  const { startedAt, lastActivityAt, idleTimeoutMs, absoluteTimeoutMs, ended } = objectIn(
    record,
    'a record that is none',
  );
  const times = { startedAt, lastActivityAt, idleTimeoutMs, absoluteTimeoutMs };
  for (const [name, time] of Object.entries(times)) {
    if (!isTime(time) && !(name === 'absoluteTimeoutMs' && time === null))
      throw new UnusableAnswerError(`a record whose "${name}" is no time`);
  }
  if (ended !== undefined && typeof ended !== 'string')
    throw new UnusableAnswerError('a record whose "ended" is no reason');
  return answer;
}

/** @throws {UnusableAnswerError} */
export function usableExpiry(answer: Expiry): Expiry {
  const { expired } = objectIn(answer, 'no list of ended sessions');
  if (!Array.isArray(expired)) throw new UnusableAnswerError('no list of ended sessions');
  return answer;
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

function objectIn(value: unknown, otherwise: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new UnusableAnswerError(otherwise);
}
