import type { Logger } from '@nestjs/common';
import type { Request } from 'express';
import type { ActivityRecord, ActivityStorage } from '../activity/activity-storage.js';
import { DURATION_TAKES, parseDuration, type Duration } from '../utils/duration.js';
import { durationOption } from '../utils/duration-option.js';
import type { IdleSessionModuleOptions } from './idle-session.options.js';
import { MemoryActivityStorage } from '../activity/memory-activity-storage.js';
import { checkKeptTogether, warnOfMemory } from './memory-rules.js';
import { resolveSession, type ResolvedSession } from './resolve-session.js';
import { checkOptions, COOKIE_RULES, MODULE_RULES, SESSION_RULES } from './option-rules.js';
import { policyOf, type IdleSessionPolicy } from './policy.js';
import { checkPreset, checkPresetRule, withPreset, type ValuesInForce } from './preset-rules.js';
import type { IdleSessionPreset } from './presets.js';
import { warnOfStore } from './store-rules.js';
import { boundedFunction, checkedFunction, isBoolean } from './user-functions.js';
import { IdleSessionOptionsError, valueOf } from '../utils/option-error.js';

/** The options as everything inside uses them: checked, complete and in milliseconds. */
export interface ResolvedOptions extends ResolvedSession {
  /** How long before its end a session with this idle timeout is warned; false: never. */
  readonly warnBeforeFor: (idleTimeoutMs: number) => number | false;
  /** The absolute timeout where it is the same for everybody and there is one. */
  readonly absoluteTimeoutMs: number | false;
  /** The limits that a session starts with; throws or rejects if a user's function returns a wrong one. */
  readonly limitsFor: (request: Request) => Promise<StartLimits>;
  /** The idle timeout that holds for a request; throws or rejects if the user's function returns a wrong one. */
  readonly idleTimeoutFor: (request: Request) => number | Promise<number>;
  /** The idle timeout where it is the same for everybody. */
  readonly commonIdleTimeoutMs: number | null;
  readonly storage: ActivityStorage;
  readonly loginUrl: string | null;
  readonly confirmUrl: string | null;
  readonly appliesTo: (request: Request) => boolean;
  readonly ownerOf: ((request: Request) => string | undefined) | undefined;
  readonly onStorageError: 'reject' | 'allow';
  readonly storageTimeoutMs: number;
  readonly policy: IdleSessionPolicy;
}

type StartLimits = Pick<ActivityRecord, 'idleTimeoutMs' | 'absoluteTimeoutMs'>;

interface Limits extends Pick<ResolvedOptions, 'warnBeforeFor' | 'absoluteTimeoutMs'> {
  readonly preset: IdleSessionPreset | undefined;
}

/** WCAG 2.2, success criterion 2.2.1: at least 20 s to extend. */
const MINIMUM_WARNING_MS = 20_000;

/** Where the idle timeout leaves room for it. */
const DEFAULT_WARNING_MS = 120_000;

/** Checks the options and fills in the defaults. @throws {IdleSessionOptionsError} naming the first wrong one */
export function resolveOptions(given: IdleSessionModuleOptions, logger: Logger): ResolvedOptions {
  checkOptionsObject(given);
  checkOptions(given, MODULE_RULES);
  checkOptions(given.session, SESSION_RULES, 'session.');
  checkOptions(given.session.cookie ?? {}, COOKIE_RULES, 'session.cookie.');

  const options = withPreset(given);
  const { idleTimeout = '15m', absoluteTimeout = '12h' } = options;
  const limits: Limits = {
    preset: options.preset,
    warnBeforeFor: resolveWarnBefore(options.warnBefore),
    absoluteTimeoutMs: isUncommon(absoluteTimeout) ? false : milliseconds(absoluteTimeout),
  };
  const storageTimeoutMs = milliseconds(options.storageTimeout ?? '1s');
  const resolvedIdleTimeout = resolveIdleTimeout(idleTimeout, limits, storageTimeoutMs);
  const warnBeforeMs = limits.warnBeforeFor(resolvedIdleTimeout.commonIdleTimeoutMs ?? Infinity);
  if (warnBeforeMs !== false && warnBeforeMs < MINIMUM_WARNING_MS) {
    logger.warn(
      `Option "warnBefore" is ${warnBeforeMs} ms: WCAG 2.2, success criterion 2.2.1 (level A) asks for at least 20 s to answer the warning.`,
    );
  }
  checkKeptTogether(options);
  warnOfMemory(options, logger);

  const session = resolveSession(options.session);
  warnOfStore(session.session.store, resolvedIdleTimeout.commonIdleTimeoutMs, logger);
  const values = valuesInForce(options, limits, resolvedIdleTimeout, session);
  checkPreset(given, values);

  return {
    ...limits,
    policy: policyOf(given, values),
    ...resolvedIdleTimeout,
    limitsFor: resolveLimits(
      options,
      absoluteTimeout,
      resolvedIdleTimeout.idleTimeoutFor,
      storageTimeoutMs,
    ),
    ...session,
    storage: options.storage ?? new MemoryActivityStorage(),
    loginUrl: options.loginUrl ?? null,
    confirmUrl: options.confirmUrl ?? null,
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
  const takes = "false or a path such as 'idle-session'";
  throw new IdleSessionOptionsError('path', path, takes, valueOf(path));
}

function resolveWarnBefore(
  warnBefore: IdleSessionModuleOptions['warnBefore'],
): ResolvedOptions['warnBeforeFor'] {
  if (warnBefore === undefined) return defaultWarnBefore;
  const warnBeforeMs = warnBefore === false ? false : milliseconds(warnBefore);
  return () => warnBeforeMs;
}

/** A third of the idle timeout, but 20 s at least, if it is longer than that, and two minutes at most. */
function defaultWarnBefore(idleTimeoutMs: number): number {
  const third = Math.round(idleTimeoutMs / 3);
  if (idleTimeoutMs <= MINIMUM_WARNING_MS) return third;
  return Math.min(Math.max(third, MINIMUM_WARNING_MS), DEFAULT_WARNING_MS);
}

function resolveIdleTimeout(
  idleTimeout: NonNullable<IdleSessionModuleOptions['idleTimeout']>,
  limits: Limits,
  limitMs: number,
): Pick<ResolvedOptions, 'idleTimeoutFor' | 'commonIdleTimeoutMs'> {
  const checked = (value: Duration) => idleTimeoutWithin(limits, value);
  if (typeof idleTimeout !== 'function') {
    const commonIdleTimeoutMs = checked(idleTimeout);
    return { commonIdleTimeoutMs, idleTimeoutFor: () => commonIdleTimeoutMs };
  }
  const ask = boundedFunction('idleTimeout', idleTimeout, limitMs);
  return {
    commonIdleTimeoutMs: null,
    idleTimeoutFor: async (request) => checked((await ask(request)) as Duration),
  };
}

function idleTimeoutWithin(limits: Limits, idleTimeout: Duration): number {
  const { warnBeforeFor, absoluteTimeoutMs } = limits;
  // What a function returned has not been checked before.
  const idleTimeoutMs = durationOption('idleTimeout', idleTimeout);
  checkPresetRule(limits.preset, 'idleTimeout', idleTimeout);
  if (absoluteTimeoutMs !== false && idleTimeoutMs > absoluteTimeoutMs) {
    const takes = `at most absoluteTimeout (${absoluteTimeoutMs} ms)`;
    throw new IdleSessionOptionsError('idleTimeout', idleTimeout, takes, valueOf(idleTimeout));
  }
  const warnBeforeMs = warnBeforeFor(idleTimeoutMs);
  if (warnBeforeMs !== false && warnBeforeMs >= idleTimeoutMs) {
    const takes = `false or less than idleTimeout (${idleTimeoutMs} ms)`;
    throw new IdleSessionOptionsError('warnBefore', warnBeforeMs, takes, valueOf(warnBeforeMs));
  }
  return idleTimeoutMs;
}

const isUncommon = (absoluteTimeout: unknown): absoluteTimeout is false | Function =>
  absoluteTimeout === false || typeof absoluteTimeout === 'function';

function resolveLimits(
  { preset }: IdleSessionModuleOptions,
  absoluteTimeout: NonNullable<IdleSessionModuleOptions['absoluteTimeout']>,
  idleTimeoutFor: ResolvedOptions['idleTimeoutFor'],
  limitMs: number,
): ResolvedOptions['limitsFor'] {
  const ask =
    typeof absoluteTimeout === 'function'
      ? boundedFunction('absoluteTimeout', absoluteTimeout, limitMs)
      : async () => absoluteTimeout;
  return async (request) => {
    const idleTimeoutMs = await idleTimeoutFor(request);
    const absolute = (await ask(request)) as Duration | false;
    const absoluteTimeoutMs = absoluteTimeoutOver(idleTimeoutMs, absolute);
    checkPresetRule(preset, 'absoluteTimeout', absolute);
    return { idleTimeoutMs, absoluteTimeoutMs };
  };
}

function absoluteTimeoutOver(idleTimeoutMs: number, absolute: Duration | false): number | null {
  if (absolute === false) return null;
  const absoluteTimeoutMs = durationOption(
    'absoluteTimeout',
    absolute,
    `false or ${DURATION_TAKES}`,
  );
  if (absoluteTimeoutMs >= idleTimeoutMs) return absoluteTimeoutMs;
  const takes = `false or at least idleTimeout (${idleTimeoutMs} ms)`;
  throw new IdleSessionOptionsError('absoluteTimeout', absolute, takes, valueOf(absolute));
}

function valuesInForce(
  options: IdleSessionModuleOptions,
  { warnBeforeFor, absoluteTimeoutMs }: Limits,
  { commonIdleTimeoutMs }: Pick<ResolvedOptions, 'commonIdleTimeoutMs'>,
  { session: { name, cookie } }: ResolvedSession,
): ValuesInForce {
  const isWarningKnown = commonIdleTimeoutMs !== null || options.warnBefore !== undefined;
  return {
    idleTimeout: commonIdleTimeoutMs,
    absoluteTimeout: typeof options.absoluteTimeout === 'function' ? null : absoluteTimeoutMs,
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

/** Of a duration that was checked. */
function milliseconds(duration: Duration): number {
  return parseDuration(duration) ?? NaN;
}
