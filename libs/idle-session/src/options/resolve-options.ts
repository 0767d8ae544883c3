import type { Logger } from '@nestjs/common';
import type { Request } from 'express';
import expressSession, {
  type CookieOptions,
  type SessionOptions,
  type Store,
} from 'express-session';
import type { ActivityStorage } from '../activity/activity-storage.js';
import { DURATION_TAKES, parseDuration, type Duration } from '../utils/duration.js';
import type { IdlePolicy } from '../activity/evaluate.js';
import type {
  IdleSessionModuleOptions,
  IdleSessionSessionOptions,
} from './idle-session.options.js';
import { MemoryActivityStorage } from '../activity/memory-activity-storage.js';
import { checkOptions, COOKIE_RULES, MODULE_RULES, SESSION_RULES } from './option-rules.js';
import { IdleSessionOptionsError } from '../utils/option-error.js';

/** The options as everything inside uses them: checked, complete and in milliseconds. */
export interface ResolvedOptions extends IdlePolicy {
  readonly absoluteTimeoutMs: number | false;
  /** The idle timeout that holds for a request; throws or rejects if the user's function returns a wrong one. */
  readonly idleTimeoutFor: (request: Request) => number | Promise<number>;
  /** The idle timeout where it is the same for everybody. */
  readonly commonIdleTimeoutMs: number | null;
  readonly session: SessionOptions & { name: string; cookie: CookieOptions; store: Store };
  /** What signs today. */
  readonly signingSecret: string | Buffer;
  /** What verifies: the signing secret first. Draft keys are derived from them. */
  readonly secrets: readonly (string | Buffer)[];
  readonly storage: ActivityStorage;
  readonly loginUrl: string | null;
  readonly appliesTo: (request: Request) => boolean;
  readonly ownerOf: ((request: Request) => string | undefined) | undefined;
  readonly onStorageError: 'reject' | 'allow';
  readonly storageTimeoutMs: number;
}

type Limits = Pick<ResolvedOptions, 'warnBeforeMs' | 'absoluteTimeoutMs'>;

/** WCAG 2.2, success criterion 2.2.1: at least 20 s to extend. */
const MINIMUM_WARNING_MS = 20_000;

/** Checks the options and fills in the defaults. @throws {IdleSessionOptionsError} naming the first wrong one */
export function resolveOptions(options: IdleSessionModuleOptions, logger: Logger): ResolvedOptions {
  checkOptionsObject(options);
  checkOptions(options, MODULE_RULES);
  checkOptions(options.session, SESSION_RULES, 'session.');
  checkOptions(options.session.cookie ?? {}, COOKIE_RULES, 'session.cookie.');

  const { idleTimeout = '15m', absoluteTimeout = '12h', warnBefore = '2m' } = options;
  const limits: Limits = {
    warnBeforeMs: warnBefore === false ? false : milliseconds(warnBefore),
    absoluteTimeoutMs: absoluteTimeout === false ? false : milliseconds(absoluteTimeout),
  };
  if (limits.warnBeforeMs !== false && limits.warnBeforeMs < MINIMUM_WARNING_MS) {
    logger.warn(
      `Option "warnBefore" is ${limits.warnBeforeMs} ms: WCAG 2.2, success criterion 2.2.1 (level A) asks for at least 20 s to answer the warning.`,
    );
  }
  const inMemory = options.storage === undefined || options.session.store === undefined;
  if (inMemory && process.env.NODE_ENV === 'production') {
    logger.warn(
      'Without options "storage" and "session.store", sessions live in the memory of this process: they are lost when it restarts and unknown to any other.',
    );
  }

  return {
    ...limits,
    ...resolveIdleTimeout(idleTimeout, limits),
    ...resolveSession(options.session),
    storage: options.storage ?? new MemoryActivityStorage(),
    loginUrl: options.loginUrl ?? null,
    appliesTo: options.appliesTo ?? (() => true),
    ownerOf: options.ownerOf && ownerFrom(options.ownerOf),
    onStorageError: options.onStorageError ?? 'reject',
    storageTimeoutMs: milliseconds(options.storageTimeout ?? '1s'),
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
  throw new IdleSessionOptionsError('path', path, "false or a path such as 'idle-session'");
}

function resolveIdleTimeout(
  idleTimeout: NonNullable<IdleSessionModuleOptions['idleTimeout']>,
  limits: Limits,
): Pick<ResolvedOptions, 'idleTimeoutFor' | 'commonIdleTimeoutMs'> {
  const checked = (value: Duration) => idleTimeoutWithin(limits, value);
  if (typeof idleTimeout !== 'function') {
    const commonIdleTimeoutMs = checked(idleTimeout);
    return { commonIdleTimeoutMs, idleTimeoutFor: () => commonIdleTimeoutMs };
  }
  return {
    commonIdleTimeoutMs: null,
    idleTimeoutFor: (request) => {
      const value = idleTimeout(request);
      return value instanceof Promise ? value.then(checked) : checked(value as Duration);
    },
  };
}

function idleTimeoutWithin(limits: Limits, idleTimeout: Duration): number {
  const { warnBeforeMs, absoluteTimeoutMs } = limits;
  const idleTimeoutMs = parseDuration(idleTimeout);
  // What a function returned has not been checked before.
  if (idleTimeoutMs === undefined) {
    throw new IdleSessionOptionsError('idleTimeout', idleTimeout, DURATION_TAKES);
  }
  if (absoluteTimeoutMs !== false && idleTimeoutMs > absoluteTimeoutMs) {
    const takes = `at most absoluteTimeout (${absoluteTimeoutMs} ms)`;
    throw new IdleSessionOptionsError('idleTimeout', idleTimeout, takes);
  }
  if (warnBeforeMs !== false && warnBeforeMs >= idleTimeoutMs) {
    const takes = `false or less than idleTimeout (${idleTimeoutMs} ms)`;
    throw new IdleSessionOptionsError('warnBefore', warnBeforeMs, takes);
  }
  return idleTimeoutMs;
}

/** Nobody is the owner of a session without an id, so that no two people have one in common. */
function ownerFrom(
  ownerOf: NonNullable<IdleSessionModuleOptions['ownerOf']>,
): NonNullable<ResolvedOptions['ownerOf']> {
  return (request) => {
    const owner: unknown = ownerOf(request);
    if (owner === undefined || owner === null || owner === '') return undefined;
    if (typeof owner === 'string') return owner;
    // A promise that rejects would end the process.
    if (owner instanceof Promise) owner.catch(() => {});
    const kind = owner instanceof Promise ? 'a promise' : `a value of type ${typeof owner}`;
    const takes = 'a function that returns the id of the owner as a string, or undefined';
    throw new IdleSessionOptionsError('ownerOf', owner, takes, kind);
  };
}

function resolveSession(
  session: IdleSessionSessionOptions,
): Pick<ResolvedOptions, 'session' | 'signingSecret' | 'secrets'> {
  const { persistentCookie = false, cookie = {}, ...rest } = session;
  for (const name of ['maxAge', 'expires'] as const) {
    if (persistentCookie || cookie[name] == null) continue;
    throw new IdleSessionOptionsError(
      `session.cookie.${name}`,
      cookie[name],
      'nothing, so that the session ends with the browser, unless session.persistentCookie is true',
    );
  }
  const secrets = [session.secret].flat() as [string | Buffer, ...(string | Buffer)[]];
  return {
    signingSecret: secrets[0],
    secrets,
    session: {
      resave: false,
      saveUninitialized: false,
      ...given(rest),
      secret: session.secret,
      name: rest.name ?? 'sid',
      cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto', ...given(cookie) },
      store: rest.store ?? new expressSession.MemoryStore(),
    },
  };
}

/** Without what is undefined, which would hide a default. */
function given<T extends object>(options: T): Partial<T> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}

/** Of a duration that was checked. */
function milliseconds(duration: Duration): number {
  return parseDuration(duration) ?? NaN;
}
