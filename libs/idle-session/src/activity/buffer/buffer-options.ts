import type { Duration } from '../../utils/duration.js';
import { zeroOrDurationOption } from '../../utils/duration-option.js';
import { IdleSessionOptionsError, valueOf } from '../../utils/option-error.js';

export interface BufferedActivityStorageOptions {
  /**
   * For how long a process goes by what it knows: within this time an end that another process decided is known here,
   * and activity that is due is sent. 0: activity is sent at once and nothing is remembered, for processes that are
   * frozen between requests. Default `'1s'`.
   */
  readonly syncInterval?: Duration;
  /**
   * By how much the storage may lag behind the activity that a process has seen, which a crash may cost. At most a
   * twentieth of a session's idle timeout, however much is given. 0: activity is due at once. Default `'30s'`.
   */
  readonly touchInterval?: Duration;
  /** Of how many sessions a process remembers the activity; default 100 000. */
  readonly maxSessions?: number;
}

interface ResolvedBufferOptions {
  readonly syncIntervalMs: number;
  readonly touchIntervalMs: number;
  readonly maxSessions: number;
}

export function resolveBufferOptions({
  syncInterval = '1s',
  touchInterval = '30s',
  maxSessions = 100_000,
}: BufferedActivityStorageOptions): ResolvedBufferOptions {
  const touchIntervalMs = zeroOrDurationOption('touchInterval', touchInterval);
  if (!Number.isInteger(maxSessions) || maxSessions < 1) {
    const takes = 'a whole number above zero';
    throw new IdleSessionOptionsError('maxSessions', maxSessions, takes, valueOf(maxSessions));
  }
  const syncIntervalMs = zeroOrDurationOption('syncInterval', syncInterval);
  return { syncIntervalMs, touchIntervalMs, maxSessions };
}
