import type { Request } from 'express';
import type { ActivityStorage } from '../activity/activity-storage.js';
import type { OwnerIndex, SessionDescription } from '../activity/owner-index.js';
import { IdleSessionOptionsError, kindOf, valueOf } from '../utils/option-error.js';
import type { IdleSessionModuleOptions } from './idle-session.options.js';
import { isMaxSessions, MAX_SESSIONS_TAKES } from './max-sessions.js';
import { boundedFunction, checkedFunction } from './user-functions.js';

/** What the options say of the sessions of one owner. */
export interface ResolvedOwnedSessions {
  /** Undefined where nobody knows owners, or the storage has none. */
  readonly index: OwnerIndex | undefined;
  readonly describe: (request: Request) => SessionDescription;
  /** Undefined without a limit. */
  readonly maxSessionsFor: ((request: Request) => number | Promise<number>) | undefined;
  readonly onMaxSessions: 'end-oldest' | 'refuse';
  readonly sessionsEndpoint: boolean;
}

/** What a description may take in the storage, for each session. */
const MAXIMUM_DESCRIPTION_BYTES = 1024;

/** Options that are of no use without an owner and an index. */
const NEED_OWNERS = ['describe', 'maxSessions', 'sessionsEndpoint'] as const;

/** @throws {IdleSessionOptionsError} */
export function resolveOwnedSessions(
  options: IdleSessionModuleOptions,
  storage: ActivityStorage,
  limitMs: number,
): ResolvedOwnedSessions {
  const { describe, maxSessions, onMaxSessions, sessionsEndpoint = false, ownerOf } = options;
  const needing = NEED_OWNERS.find((name) => Boolean(options[name]));
  if (needing && !ownerOf) {
    const takes = `a function: request => string | undefined, where there is option "${needing}"`;
    throw new IdleSessionOptionsError('ownerOf', undefined, takes);
  }
  if (needing && !storage.index) {
    const takes = `an ActivityStorage with \`index\`, where there is option "${needing}"`;
    throw new IdleSessionOptionsError('storage', storage, takes);
  }
  if (onMaxSessions !== undefined && maxSessions === undefined) {
    throw new IdleSessionOptionsError(
      'maxSessions',
      undefined,
      `${MAX_SESSIONS_TAKES}, where there is option "onMaxSessions"`,
    );
  }
  return {
    index: ownerOf && storage.index,
    describe: describe ? resolveDescribe(describe) : () => ({}),
    maxSessionsFor: resolveMaxSessions(maxSessions, limitMs),
    onMaxSessions: onMaxSessions ?? 'end-oldest',
    sessionsEndpoint,
  };
}

function resolveMaxSessions(
  maxSessions: IdleSessionModuleOptions['maxSessions'],
  limitMs: number,
): ResolvedOwnedSessions['maxSessionsFor'] {
  if (maxSessions === undefined) return undefined;
  if (typeof maxSessions !== 'function') return () => maxSessions;
  const ask = boundedFunction('maxSessions', maxSessions, limitMs);
  return async (request) => {
    const max = await ask(request);
    if (isMaxSessions(max)) return max;
    const description = `a function that returned ${valueOf(max)}`;
    throw new IdleSessionOptionsError('maxSessions', max, MAX_SESSIONS_TAKES, description);
  };
}

function resolveDescribe(
  describe: NonNullable<IdleSessionModuleOptions['describe']>,
): ResolvedOwnedSessions['describe'] {
  const checked = checkedFunction('describe', 'an object of strings', describe, isDescription);
  return (request) => {
    const description = { ...checked(request) };
    const bytes = Buffer.byteLength(JSON.stringify(description));
    if (bytes <= MAXIMUM_DESCRIPTION_BYTES) return description;
    throw new IdleSessionOptionsError(
      'describe',
      description,
      `an object of strings, at most ${MAXIMUM_DESCRIPTION_BYTES} bytes as JSON; cut what the browser sends`,
      `a function that returned ${bytes} bytes`,
    );
  };
}

function isDescription(value: unknown): value is SessionDescription {
  if (kindOf(value) !== 'an object') return false;
  return Object.values(value as object).every((text) => typeof text === 'string');
}
