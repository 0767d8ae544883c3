import { Logger } from '@nestjs/common';
import type { Request } from 'express';
import expressSession, {
  type CookieOptions,
  type SessionOptions,
  type Store,
} from 'express-session';
import type { ActivityStorage } from './activity-storage.js';
import { DURATION_TAKES, parseDuration } from './duration.js';
import type { IdlePolicy } from './evaluate.js';
import type {
  IdleSessionModuleOptions,
  IdleSessionSessionOptions,
} from './idle-session.options.js';
import { MemoryActivityStorage } from './memory-activity-storage.js';
import { IdleSessionOptionsError } from './options-error.js';

/** The options as everything inside uses them: checked, complete and in milliseconds. */
export interface ResolvedOptions extends IdlePolicy {
  /** The idle timeout that holds for a request; rejects if the user's function returns a wrong one. */
  readonly idleTimeoutFor: (request: Request) => number | Promise<number>;
  /** The idle timeout where it is the same for everybody. */
  readonly commonIdleTimeoutMs: number | null;
  readonly session: SessionOptions & { name: string; cookie: CookieOptions; store: Store };
  /** What signs today; draft keys are derived from it. */
  readonly signingSecret: string | Buffer;
  readonly storage: ActivityStorage;
  readonly loginUrl: string | null;
  readonly appliesTo: (request: Request) => boolean;
  readonly ownerOf: ((request: Request) => string | undefined) | undefined;
  readonly onStorageError: 'reject' | 'allow';
  readonly storageTimeoutMs: number;
}

const OPTIONS = [
  'idleTimeout',
  'absoluteTimeout',
  'warnBefore',
  'session',
  'storage',
  'loginUrl',
  'appliesTo',
  'ownerOf',
  'onStorageError',
  'storageTimeout',
];

const SESSION_OPTIONS = [
  'secret',
  'store',
  'name',
  'cookie',
  'persistentCookie',
  'genid',
  'proxy',
  'resave',
  'rolling',
  'saveUninitialized',
  'unset',
];

const COOKIE_OPTIONS = [
  'path',
  'domain',
  'httpOnly',
  'secure',
  'sameSite',
  'partitioned',
  'priority',
  'maxAge',
  'expires',
  'signed',
  'encode',
];

const MINIMUM_SECRET_LENGTH = 16;

/** WCAG 2.2, success criterion 2.2.1: at least 20 s to extend. */
const MINIMUM_WARNING_MS = 20_000;

const DEFAULT_IDLE_TIMEOUT = '15m';
const DEFAULT_ABSOLUTE_TIMEOUT = '12h';
const DEFAULT_WARN_BEFORE = '2m';
const DEFAULT_STORAGE_TIMEOUT = '1s';

/** The longest delay a Node timer takes; beyond, it fires at once. */
const MAXIMUM_TIMER_MS = 2 ** 31 - 1;

/** Checks the options and fills in the defaults. @throws {IdleSessionOptionsError} naming the first wrong one. */
export function resolveOptions(options: IdleSessionModuleOptions, logger: Logger): ResolvedOptions {
  object('options', options, OPTIONS, 'the options object of IdleSessionModule');
  const { idleTimeout = DEFAULT_IDLE_TIMEOUT, absoluteTimeout = DEFAULT_ABSOLUTE_TIMEOUT } =
    options;
  const { warnBefore = DEFAULT_WARN_BEFORE, storageTimeout = DEFAULT_STORAGE_TIMEOUT } = options;

  const policy: IdlePolicy = {
    warnBeforeMs:
      warnBefore === false
        ? false
        : duration('warnBefore', warnBefore, `false or ${DURATION_TAKES}`),
    absoluteTimeoutMs:
      absoluteTimeout === false
        ? false
        : duration('absoluteTimeout', absoluteTimeout, `false or ${DURATION_TAKES}`),
  };
  if (policy.warnBeforeMs !== false && policy.warnBeforeMs < MINIMUM_WARNING_MS) {
    logger.warn(
      `Option "warnBefore" is ${policy.warnBeforeMs} ms: WCAG 2.2, success criterion 2.2.1 (level A) asks for at least 20 s to answer the warning.`,
    );
  }
  const inMemory = options.storage === undefined || options.session?.store === undefined;
  if (inMemory && process.env.NODE_ENV === 'production') {
    logger.warn(
      'Without options "storage" and "session.store", sessions live in the memory of this process: they are lost when it restarts and unknown to any other.',
    );
  }
  const storageTimeoutMs = duration('storageTimeout', storageTimeout);
  if (storageTimeoutMs > MAXIMUM_TIMER_MS) {
    throw new IdleSessionOptionsError(
      'storageTimeout',
      storageTimeout,
      `at most ${MAXIMUM_TIMER_MS} ms`,
    );
  }

  return {
    ...policy,
    ...resolveIdleTimeout(idleTimeout, policy),
    ...resolveSession(options.session),
    storage: resolveStorage(options.storage),
    loginUrl: resolveLoginUrl(options.loginUrl),
    appliesTo:
      optionalFunction('appliesTo', options.appliesTo, 'request => boolean') ?? (() => true),
    ownerOf: optionalFunction('ownerOf', options.ownerOf, 'request => string | undefined'),
    onStorageError: oneOf('onStorageError', options.onStorageError ?? 'reject', [
      'reject',
      'allow',
    ]),
    storageTimeoutMs,
  };
}

/** The path of the endpoints as Nest takes it. @throws {IdleSessionOptionsError} */
export function resolvePath(path: unknown): string | false {
  if (path === false) return false;
  if (typeof path === 'string' && /^\/?[\w.~-]+(\/[\w.~-]+)*\/?$/.test(path))
    return path.replace(/^\/|\/$/g, '');
  throw new IdleSessionOptionsError('path', path, "false or a path such as 'idle-session'");
}

function resolveIdleTimeout(
  idleTimeout: NonNullable<IdleSessionModuleOptions['idleTimeout']>,
  policy: IdlePolicy,
): Pick<ResolvedOptions, 'idleTimeoutFor' | 'commonIdleTimeoutMs'> {
  if (typeof idleTimeout === 'function') {
    const checked = (value: unknown) => idleTimeoutWithin('idleTimeout', value, policy);
    return {
      commonIdleTimeoutMs: null,
      idleTimeoutFor: (request) => {
        const value = idleTimeout(request);
        return typeof value === 'object' ? value.then(checked) : checked(value);
      },
    };
  }
  const commonIdleTimeoutMs = idleTimeoutWithin('idleTimeout', idleTimeout, policy);
  return { commonIdleTimeoutMs, idleTimeoutFor: () => commonIdleTimeoutMs };
}

function idleTimeoutWithin(
  name: string,
  value: unknown,
  { warnBeforeMs, absoluteTimeoutMs }: IdlePolicy,
): number {
  const idleTimeoutMs = duration(
    name,
    value,
    `${DURATION_TAKES}, or a function of the request that returns one`,
  );
  if (absoluteTimeoutMs !== false && idleTimeoutMs > absoluteTimeoutMs) {
    throw new IdleSessionOptionsError(
      name,
      value,
      `at most absoluteTimeout (${absoluteTimeoutMs} ms)`,
    );
  }
  if (warnBeforeMs !== false && warnBeforeMs >= idleTimeoutMs) {
    throw new IdleSessionOptionsError(
      'warnBefore',
      warnBeforeMs,
      `false or less than idleTimeout (${idleTimeoutMs} ms)`,
    );
  }
  return idleTimeoutMs;
}

function resolveSession(
  session: IdleSessionSessionOptions,
): Pick<ResolvedOptions, 'session' | 'signingSecret'> {
  object(
    'session',
    session,
    SESSION_OPTIONS,
    'the options of express-session, with at least a secret',
  );
  const { persistentCookie = false, cookie = {}, ...rest } = session;
  const secrets = Array.isArray(session.secret) ? session.secret : [session.secret];
  const [signingSecret] = secrets;
  if (signingSecret === undefined) {
    throw new IdleSessionOptionsError(
      'session.secret',
      session.secret,
      `at least ${MINIMUM_SECRET_LENGTH} characters`,
    );
  }
  secrets.forEach(checkSecret);
  object(
    'session.cookie',
    cookie,
    COOKIE_OPTIONS,
    'the cookie options of express-session as an object',
  );
  if (typeof persistentCookie !== 'boolean') {
    throw new IdleSessionOptionsError(
      'session.persistentCookie',
      persistentCookie,
      'true or false',
    );
  }
  for (const name of ['maxAge', 'expires'] as const) {
    if (cookie[name] !== undefined && cookie[name] !== null && !persistentCookie) {
      throw new IdleSessionOptionsError(
        `session.cookie.${name}`,
        cookie[name],
        'nothing, so that the session ends with the browser, unless session.persistentCookie is true',
      );
    }
  }
  return {
    signingSecret,
    session: {
      resave: false,
      saveUninitialized: false,
      ...rest,
      name: rest.name ?? 'sid',
      cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto', ...cookie },
      store: resolveStore(rest.store),
    },
  };
}

function checkSecret(secret: unknown): void {
  const takes = `a string or Buffer of at least ${MINIMUM_SECRET_LENGTH} characters, or an array of them`;
  const isSecret = typeof secret === 'string' || Buffer.isBuffer(secret);
  if (isSecret && secret.length >= MINIMUM_SECRET_LENGTH) return;
  const description = isSecret ? `${secret.length} characters` : typeof secret;
  throw new IdleSessionOptionsError('session.secret', secret, takes, description);
}

function resolveStore(store: unknown = new expressSession.MemoryStore()): Store {
  methods('session.store', store, ['get', 'set', 'destroy'], 'a session store for express-session');
  return store as Store;
}

function resolveStorage(storage: unknown = new MemoryActivityStorage()): ActivityStorage {
  methods('storage', storage, ['read', 'start', 'touch', 'end'], 'an ActivityStorage');
  return storage as ActivityStorage;
}

function resolveLoginUrl(loginUrl: unknown): string | null {
  if (loginUrl === undefined) return null;
  const isPath = typeof loginUrl === 'string' && /^\/(?![/\\])/.test(loginUrl);
  const isUrl =
    typeof loginUrl === 'string' && /^https?:\/\//.test(loginUrl) && URL.canParse(loginUrl);
  if (isPath || isUrl) return loginUrl as string;
  throw new IdleSessionOptionsError(
    'loginUrl',
    loginUrl,
    "a path such as '/login' or an http(s) URL",
  );
}

function duration(name: string, value: unknown, takes = DURATION_TAKES): number {
  const parsed = parseDuration(value);
  if (parsed === undefined) throw new IdleSessionOptionsError(name, value, takes);
  return parsed;
}

function oneOf<T extends string>(name: string, value: unknown, values: readonly T[]): T {
  if (values.includes(value as T)) return value as T;
  throw new IdleSessionOptionsError(name, value, values.map((known) => `'${known}'`).join(' or '));
}

function optionalFunction<T>(name: string, value: T, takes: string): T {
  if (value === undefined || typeof value === 'function') return value;
  throw new IdleSessionOptionsError(name, value, `a function: ${takes}`);
}

function methods(name: string, value: unknown, names: string[], takes: string): void {
  const missing = names.filter(
    (method) => typeof (value as Record<string, unknown> | null)?.[method] !== 'function',
  );
  if (missing.length > 0)
    throw new IdleSessionOptionsError(name, value, `${takes} (with ${names.join(', ')})`);
}

function object(name: string, value: unknown, known: string[], takes: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new IdleSessionOptionsError(name, value, takes);
  }
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const option = name === 'options' ? key : `${name}.${key}`;
    throw new IdleSessionOptionsError(
      option,
      undefined,
      option === 'path'
        ? 'its value beside useFactory, useClass or useExisting, as forRootAsync({ path })'
        : `nothing: there is no such option, only ${known.join(', ')}`,
      'a value',
    );
  }
}
