import type { Duration } from '../../utils/duration.js';
import { zeroOrDurationOption } from '../../utils/duration-option.js';
import { checkNames, IdleSessionOptionsError, valueOf } from '../../utils/option-error.js';

export interface BufferedActivityStorageOptions {
  /**
   * For how long a process goes by what it knows: within this time an end that another process decided is known here,
   * and activity that is due is sent. 0: activity is sent at once and nothing is remembered, for processes that are
   * frozen between requests. Default `'1s'`.
   */
  readonly syncInterval?: Duration;
  /**
   * By how much the storage may lag behind the activity that a process has seen, which a crash may cost. At most a
   * twentieth of a session's idle timeout or of its `lockAfter`, however much is given. 0: activity is due at once. Default `'30s'`.
   */
  readonly touchInterval?: Duration;
  /** Of how many sessions a process remembers the activity; default 100 000. */
  readonly rememberedSessions?: number;
}

interface ResolvedBufferOptions {
  readonly syncIntervalMs: number;
  readonly touchIntervalMs: number;
  readonly rememberedSessions: number;
}

export const BUFFER_OPTIONS = ['syncInterval', 'touchInterval', 'rememberedSessions'] as const;

/** @throws {IdleSessionOptionsError} */
export function resolveBufferOptions(
  options: BufferedActivityStorageOptions,
): ResolvedBufferOptions {
  checkNames(options, BUFFER_OPTIONS);
  const { syncInterval = '1s', touchInterval = '30s', rememberedSessions = 100_000 } = options;
  const touchIntervalMs = zeroOrDurationOption('touchInterval', touchInterval);
  if (!Number.isInteger(rememberedSessions) || rememberedSessions < 1) {
    const takes = 'a whole number above zero';
    throw new IdleSessionOptionsError(
      'rememberedSessions',
      rememberedSessions,
      takes,
      valueOf(rememberedSessions),
    );
  }
  const syncIntervalMs = zeroOrDurationOption('syncInterval', syncInterval);
  return { syncIntervalMs, touchIntervalMs, rememberedSessions };
}
