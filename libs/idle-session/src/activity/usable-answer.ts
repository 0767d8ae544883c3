import { UnusableAnswerError } from '../utils/outage-log.js';
import type { ActivityReading, ActivityRecord, Expiry } from './activity-storage.js';

/**
 * Passes on what a storage answers about a session. Times that are none would compare as "not over yet", so a session
 * would never end.
 * @throws {UnusableAnswerError}
 */
export function usableReading<T extends ActivityReading>(answer: T): T {
  if (!isObject(answer)) throw new UnusableAnswerError('no reading');
  if (!isTime(answer.now)) throw new UnusableAnswerError('a reading whose "now" is no time');
  checkOutcome(answer, 'started');
  checkOutcome(answer, 'won');
  checkOutcome(answer, 'unlocked');
  const { record } = answer;
  if (record === undefined) return answer;
  if (!isObject(record)) throw new UnusableAnswerError('a record that is none');
  checkTime(record, 'startedAt');
  checkTime(record, 'lastActivityAt');
  checkTime(record, 'idleTimeoutMs');
  if (record.absoluteTimeoutMs !== null) checkTime(record, 'absoluteTimeoutMs');
  if (record.lockAfterMs !== null) checkTime(record, 'lockAfterMs');
  if (record.ended !== undefined && typeof record.ended !== 'string')
    throw new UnusableAnswerError('a record whose "ended" is no reason');
  return answer;
}

function checkOutcome(answer: object, name: 'started' | 'won' | 'unlocked'): void {
  if (name in answer && typeof (answer as Record<string, unknown>)[name] !== 'boolean')
    throw new UnusableAnswerError(`a reading whose "${name}" is neither true nor false`);
}

function checkTime(record: ActivityRecord, name: keyof ActivityRecord): void {
  if (!isTime(record[name])) throw new UnusableAnswerError(`a record whose "${name}" is no time`);
}

/** @throws {UnusableAnswerError} */
export function usableExpiry(answer: Expiry): Expiry {
  if (!isObject(answer) || !Array.isArray(answer.expired))
    throw new UnusableAnswerError('no list of ended sessions');
  return answer;
}

/**
 * @returns null if the storage does not count
 * @throws {UnusableAnswerError}
 */
export function usableCount(answer: number | null | undefined): number | null {
  if (answer == null) return null;
  if (!Number.isFinite(answer)) throw new UnusableAnswerError('a count that is no number');
  return answer;
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
