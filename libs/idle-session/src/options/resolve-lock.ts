import type { Request } from 'express';
import type { ActivityStorage } from '../activity/activity-storage.js';
import { DURATION_TAKES, milliseconds, type Duration } from '../utils/duration.js';
import { durationInWords } from '../utils/duration-in-words.js';
import { durationOption } from '../utils/duration-option.js';
import { IdleSessionOptionsError, valueOf } from '../utils/option-error.js';
import type { IdleSessionModuleOptions } from './idle-session.options.js';
import { checkPresetRule } from './preset-rules.js';
import { boundedFunction } from './user-functions.js';

export interface ResolvedLock {
  /** False: sessions are never locked; null: a function decides. */
  readonly lockAfterMs: number | false | null;
  /** After how long a session that starts is to be locked; null: never. Rejects if a user's function returns a wrong time. */
  readonly lockAfterFor: (request: Request) => Promise<number | null>;
}

/**
 * A lock that comes no earlier than the end never comes: {@link evaluate} says so. Where it could never come for anybody, it is
 * an error.
 * @param commonIdleTimeoutMs null where it is not the same for everybody
 * @throws {IdleSessionOptionsError}
 */
export function resolveLock(
  options: IdleSessionModuleOptions,
  commonIdleTimeoutMs: number | null,
  limitMs: number,
): ResolvedLock {
  const { lockAfter = false } = options;
  if (typeof lockAfter === 'function') {
    const ask = boundedFunction('lockAfter', lockAfter, limitMs);
    return {
      lockAfterMs: null,
      lockAfterFor: async (request) =>
        checkedLock(options, (await ask(request)) as Duration | false),
    };
  }
  const lockAfterMs = lockAfter === false ? false : milliseconds(lockAfter);
  if (lockAfterMs !== false && commonIdleTimeoutMs !== null && lockAfterMs >= commonIdleTimeoutMs) {
    const takes = `false or less than idleTimeout (${durationInWords(commonIdleTimeoutMs)})`;
    throw new IdleSessionOptionsError('lockAfter', lockAfter, takes, valueOf(lockAfter));
  }
  return { lockAfterMs, lockAfterFor: async () => lockAfterMs || null };
}

function checkedLock(
  options: IdleSessionModuleOptions,
  lockAfter: Duration | false,
): number | null {
  const takes = `false or ${DURATION_TAKES}`;
  const lockAfterMs = lockAfter === false ? null : durationOption('lockAfter', lockAfter, takes);
  checkPresetRule(options, 'lockAfter', lockAfter);
  return lockAfterMs;
}

/** @throws {IdleSessionOptionsError} if sessions are locked that the storage cannot unlock */
export function checkUnlocks(
  { lockAfter = false }: Pick<IdleSessionModuleOptions, 'lockAfter'>,
  storage: ActivityStorage,
): void {
  if (lockAfter === false || storage.unlock) return;
  const takes = 'an ActivityStorage with `unlock`, where there is option "lockAfter"';
  throw new IdleSessionOptionsError('storage', storage, takes);
}
