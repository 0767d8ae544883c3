import type { Logger } from '@nestjs/common';
import type { Request } from 'express';
import type { ActivityRecord } from '../activity/activity-storage.js';
import { DURATION_TAKES, milliseconds, type Duration } from '../utils/duration.js';
import { durationInWords } from '../utils/duration-in-words.js';
import { durationOption } from '../utils/duration-option.js';
import { IdleSessionOptionsError, valueOf } from '../utils/option-error.js';
import type { IdleSessionModuleOptions } from './idle-session.options.js';
import { checkPresetRule, rulesOf, type PresetOptions } from './preset-rules.js';
import { resolveLock, type ResolvedLock } from './resolve-lock.js';
import { boundedFunction } from './user-functions.js';

/** The limits of sessions, as everything inside uses them. */
export interface ResolvedLimits extends Pick<ResolvedLock, 'lockAfterMs'> {
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
}

type StartLimits = Pick<ActivityRecord, 'idleTimeoutMs' | 'absoluteTimeoutMs' | 'lockAfterMs'>;

/** What an idle timeout has to fit into. */
interface Limits extends Pick<ResolvedLimits, 'warnBeforeFor' | 'absoluteTimeoutMs'> {
  readonly options: PresetOptions &
    Pick<IdleSessionModuleOptions, 'warnBefore' | 'absoluteTimeout'>;
  /** Where the app leaves out its idle timeout: what sets it. */
  readonly idleTimeoutFrom?: 'the default' | 'of the preset';
}

/** WCAG 2.2, success criterion 2.2.1: at least 20 s to extend. */
const MINIMUM_WARNING_MS = 20_000;

/** Where the idle timeout leaves room for it. */
const DEFAULT_WARNING_MS = 120_000;

/**
 * @param given as the app wrote them, for the error
 * @throws {IdleSessionOptionsError} naming the first limit that does not fit the others
 */
export function resolveLimits(
  given: Pick<IdleSessionModuleOptions, 'idleTimeout'>,
  options: IdleSessionModuleOptions,
  storageTimeoutMs: number,
  logger: Logger,
): ResolvedLimits {
  const { idleTimeout = '15m', absoluteTimeout = '12h', warnBefore } = options;
  const limits: Limits = {
    options,
    ...(given.idleTimeout === undefined && {
      idleTimeoutFrom: options.idleTimeout === undefined ? 'the default' : 'of the preset',
    }),
    warnBeforeFor: resolveWarnBefore(warnBefore),
    absoluteTimeoutMs: isUncommon(absoluteTimeout) ? false : milliseconds(absoluteTimeout),
  };
  const { warnBeforeFor, absoluteTimeoutMs } = limits;
  const idle = resolveIdleTimeout(idleTimeout, limits, storageTimeoutMs);
  const warnBeforeMs = warnBeforeFor(idle.commonIdleTimeoutMs ?? Infinity);
  if (warnBeforeMs !== false && warnBeforeMs < MINIMUM_WARNING_MS) {
    const since =
      warnBefore === undefined ? `, since "idleTimeout" is ${idle.commonIdleTimeoutMs} ms` : '';
    logger.warn(
      `Option "warnBefore" is ${warnBeforeMs} ms${since}: WCAG 2.2, success criterion 2.2.1 (level A) asks for at least 20 s to answer the warning.`,
    );
  }
  const lock = resolveLock(options, idle.commonIdleTimeoutMs, storageTimeoutMs);
  const absoluteFor = resolveAbsoluteTimeout(absoluteTimeout, storageTimeoutMs);
  const limitsFor = async (request: Request) => {
    const idleTimeoutMs = await idle.idleTimeoutFor(request);
    const absolute = await absoluteFor(request);
    const absoluteTimeoutMs = absoluteTimeoutOver(idleTimeoutMs, absolute);
    checkPresetRule(options, 'absoluteTimeout', absolute);
    return { idleTimeoutMs, absoluteTimeoutMs, lockAfterMs: await lock.lockAfterFor(request) };
  };
  const { lockAfterMs } = lock;
  return { warnBeforeFor, absoluteTimeoutMs, lockAfterMs, limitsFor, ...idle };
}

function resolveWarnBefore(
  warnBefore: IdleSessionModuleOptions['warnBefore'],
): ResolvedLimits['warnBeforeFor'] {
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
): Pick<ResolvedLimits, 'idleTimeoutFor' | 'commonIdleTimeoutMs'> {
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
  checkPresetRule(limits.options, 'idleTimeout', idleTimeout);
  if (absoluteTimeoutMs !== false && idleTimeoutMs > absoluteTimeoutMs) {
    if (limits.idleTimeoutFrom) throw absoluteTooShort(limits, idleTimeoutMs);
    const takes = `at most absoluteTimeout (${durationInWords(absoluteTimeoutMs)})`;
    throw new IdleSessionOptionsError('idleTimeout', idleTimeout, takes, valueOf(idleTimeout));
  }
  const warnBeforeMs = warnBeforeFor(idleTimeoutMs);
  if (warnBeforeMs !== false && warnBeforeMs >= idleTimeoutMs) {
    const takes = `false or less than idleTimeout (${durationInWords(idleTimeoutMs)})`;
    const { warnBefore } = limits.options;
    throw new IdleSessionOptionsError('warnBefore', warnBefore, takes, valueOf(warnBefore));
  }
  return idleTimeoutMs;
}

/** The app wrote this limit, and not the idle timeout. */
function absoluteTooShort({ options, idleTimeoutFrom }: Limits, idleTimeoutMs: number): Error {
  const { absoluteTimeout } = options;
  const atLeast = `at least idleTimeout (${durationInWords(idleTimeoutMs)}, ${idleTimeoutFrom})`;
  const takes = rulesOf(options).absoluteTimeout ? atLeast : `false or ${atLeast}`;
  const description = valueOf(absoluteTimeout);
  return new IdleSessionOptionsError('absoluteTimeout', absoluteTimeout, takes, description);
}

const isUncommon = (absoluteTimeout: unknown): absoluteTimeout is false | Function =>
  absoluteTimeout === false || typeof absoluteTimeout === 'function';

function resolveAbsoluteTimeout(
  absoluteTimeout: NonNullable<IdleSessionModuleOptions['absoluteTimeout']>,
  limitMs: number,
): (request: Request) => Promise<Duration | false> {
  if (typeof absoluteTimeout !== 'function') return async () => absoluteTimeout;
  const ask = boundedFunction('absoluteTimeout', absoluteTimeout, limitMs);
  return async (request) => (await ask(request)) as Duration | false;
}

function absoluteTimeoutOver(idleTimeoutMs: number, absolute: Duration | false): number | null {
  if (absolute === false) return null;
  const absoluteTimeoutMs = durationOption(
    'absoluteTimeout',
    absolute,
    `false or ${DURATION_TAKES}`,
  );
  if (absoluteTimeoutMs >= idleTimeoutMs) return absoluteTimeoutMs;
  const takes = `false or at least idleTimeout (${durationInWords(idleTimeoutMs)})`;
  throw new IdleSessionOptionsError('absoluteTimeout', absolute, takes, valueOf(absolute));
}
