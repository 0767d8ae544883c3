import type { Logger } from '@nestjs/common';
import type { Request } from 'express';
import type { ActivityStorage } from '../activity/activity-storage.js';
import { milliseconds } from '../utils/duration.js';
import type { IdleSessionModuleOptions } from './idle-session.options.js';
import { DEFAULT_PATH, type Configuration } from './module-definition.js';
import { MemoryActivityStorage } from '../activity/memory-activity-storage.js';
import { checkKeptTogether, warnOfMemory } from './memory-rules.js';
import { resolveLimits, type ResolvedLimits } from './resolve-limits.js';
import { checkUnlocks } from './resolve-lock.js';
import { resolveOrigins } from './resolve-origins.js';
import { resolveSession, type ResolvedSession } from './resolve-session.js';
import { resolveOwnedSessions, type ResolvedOwnedSessions } from './resolve-owned-sessions.js';
import {
  asFields,
  checkOptions,
  COOKIE_RULES,
  MODULE_RULES,
  SESSION_RULES,
} from './option-rules.js';
import { policyOf, type IdleSessionPolicy } from './policy.js';
import { checkPreset, withPreset, type ValuesInForce } from './preset-rules.js';
import { warnOfStore } from './store-rules.js';
import { checkedFunction, isBoolean } from './user-functions.js';
import { IdleSessionOptionsError, valueOf } from '../utils/option-error.js';

/** The options as everything inside uses them: checked, complete and in milliseconds. */
export interface ResolvedOptions extends ResolvedSession, ResolvedLimits, ResolvedOwnedSessions {
  readonly storage: ActivityStorage;
  readonly loginUrl: string | null;
  readonly confirmUrl: string | null;
  readonly unlockUrl: string | null;
  /** Of pages beside the app's own, as browsers send them. */
  readonly origins: readonly string[];
  readonly appliesTo: (request: Request) => boolean;
  readonly ownerOf: ((request: Request) => string | undefined) | undefined;
  readonly onStorageError: 'reject' | 'allow';
  readonly storageTimeoutMs: number;
  readonly policy: IdleSessionPolicy;
}

/** As {@link resolveOptions}, also against the path, which stands beside them. @throws {IdleSessionOptionsError} */
export function resolveConfiguration(
  { options, path }: Configuration,
  logger: Logger,
): ResolvedOptions {
  const resolved = resolveOptions(options, logger);
  if (path !== false || !resolved.sessionsEndpoint) return resolved;
  const takes = `a path such as '${DEFAULT_PATH}', where there is option "sessionsEndpoint"`;
  throw new IdleSessionOptionsError('path', path, takes);
}

/** Checks the options and fills in the defaults. @throws {IdleSessionOptionsError} naming the first wrong one */
export function resolveOptions(written: IdleSessionModuleOptions, logger: Logger): ResolvedOptions {
  const given = checkedOptions(written);
  const options = withPreset(given);
  const storageTimeoutMs = milliseconds(options.storageTimeout ?? '1s');
  const limits = resolveLimits(given, options, storageTimeoutMs, logger);
  checkKeptTogether(options);
  warnOfMemory(options, logger);

  const session = resolveSession(options.session);
  warnOfStore(session.session.store, limits.commonIdleTimeoutMs, logger);
  const values = valuesInForce(options, limits, session);
  checkPreset(given, values);

  const storage = options.storage ?? new MemoryActivityStorage();
  checkUnlocks(options, storage);

  return {
    ...limits,
    policy: policyOf(given, values),
    ...session,
    ...resolveOwnedSessions(options, storage, storageTimeoutMs),
    storage,
    loginUrl: options.loginUrl ?? null,
    confirmUrl: options.confirmUrl ?? null,
    unlockUrl: options.unlockUrl ?? null,
    origins: resolveOrigins(options.origins, session.session.cookie),
    appliesTo: checkedFunction(
      'appliesTo',
      MODULE_RULES.appliesTo!.takes,
      options.appliesTo ?? (() => true),
      isBoolean,
    ),
    ownerOf: options.ownerOf && resolveOwnerOf(options.ownerOf),
    onStorageError: options.onStorageError ?? 'reject',
    storageTimeoutMs,
  };
}

/** @throws {IdleSessionOptionsError} for the first option that is wrong or unknown */
function checkedOptions(written: IdleSessionModuleOptions): IdleSessionModuleOptions {
  checkOptionsObject(written);
  const options = asFields(written, MODULE_RULES);
  checkOptions(options, MODULE_RULES);
  const session = asFields(options.session, SESSION_RULES);
  checkOptions(session, SESSION_RULES, 'session.');
  const cookie = asFields(session.cookie ?? {}, COOKIE_RULES);
  checkOptions(cookie, COOKIE_RULES, 'session.cookie.');
  return { ...options, session: { ...session, cookie } };
}

/** @throws {IdleSessionOptionsError} if what should be the module's options is no object */
export function checkOptionsObject(options: unknown): void {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return;
  const takes = 'the options object of IdleSessionModule';
  throw new IdleSessionOptionsError('options', options, takes);
}

/** The path of the endpoints as Nest takes it. @throws {IdleSessionOptionsError} */
export function resolvePath(path: unknown): string | false {
  if (path === false) return false;
  const segments = typeof path === 'string' ? path.replace(/^\/|\/$/g, '').split('/') : [''];
  if (segments.every((segment) => /^(?!\.\.?$)[\w.~-]+$/.test(segment))) return segments.join('/');
  const takes = `false or a path such as '${DEFAULT_PATH}'`;
  throw new IdleSessionOptionsError('path', path, takes, valueOf(path));
}

function valuesInForce(
  options: IdleSessionModuleOptions,
  { warnBeforeFor, absoluteTimeoutMs, commonIdleTimeoutMs, lockAfterMs }: ResolvedLimits,
  { session: { name, cookie } }: ResolvedSession,
): ValuesInForce {
  const isWarningKnown = commonIdleTimeoutMs !== null || options.warnBefore !== undefined;
  return {
    idleTimeout: commonIdleTimeoutMs,
    absoluteTimeout: typeof options.absoluteTimeout === 'function' ? null : absoluteTimeoutMs,
    lockAfter: lockAfterMs,
    warnBefore: isWarningKnown ? warnBeforeFor(commonIdleTimeoutMs ?? NaN) : null,
    onStorageError: options.onStorageError ?? 'reject',
    'session.name': name,
    'session.persistentCookie': options.session.persistentCookie ?? false,
    'session.cookie.secure': cookie.secure ?? false,
    'session.cookie.httpOnly': cookie.httpOnly ?? false,
    'session.cookie.sameSite': cookie.sameSite ?? false,
  };
}

function resolveOwnerOf(
  ownerOf: NonNullable<IdleSessionModuleOptions['ownerOf']>,
): (request: Request) => string | undefined {
  const { takes } = MODULE_RULES.ownerOf!;
  const checked = checkedFunction('ownerOf', takes, ownerOf, isStringOrNone);
  // Nobody is '': all who are nobody would be one.
  return (request) => checked(request) || undefined;
}

const isStringOrNone = (value: unknown) => value == null || typeof value === 'string';
