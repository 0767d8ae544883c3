import { DURATION_TAKES, parseDuration } from '../utils/duration.js';
import { isMaxSessions, MAX_SESSIONS_TAKES } from './max-sessions.js';
import { IdleSessionOptionsError, insteadOfUnknown, valueOf } from '../utils/option-error.js';
import { newCookie } from '../utils/new-cookie.js';
import { PRESETS } from './presets.js';

/** What an option takes, in words and as a test. */
interface Rule {
  readonly takes: string;
  readonly accepts: (value: unknown) => boolean;
  /** An option that may not be left out. */
  readonly required?: boolean;
  /** Takes no secret: an error may show the value. */
  readonly isPublic?: boolean;
}

type Rules = Readonly<Record<string, Rule>>;

/** express-session and the cookie libraries below it send a name as it is. */
const COOKIE_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

const MINIMUM_SECRET_LENGTH = 16;

/** The longest delay a Node timer takes; beyond, it fires at once. */
const MAXIMUM_TIMER_MS = 2 ** 31 - 1;

/** Whether express-session can set such a cookie; it would throw at the first sign-in only. */
function isSent(cookie: object): boolean {
  try {
    newCookie(cookie).serialize('name', '');
    return true;
  } catch {
    return false;
  }
}

const isDuration = (value: unknown) => parseDuration(value) !== undefined;
const isFunction = (value: unknown) => typeof value === 'function';
const isObject = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isSecret = (value: unknown) =>
  (typeof value === 'string' || Buffer.isBuffer(value)) && value.length >= MINIMUM_SECRET_LENGTH;

const BOOLEAN: Rule = {
  takes: 'true or false',
  accepts: (value) => typeof value === 'boolean',
  isPublic: true,
};

const oneOf = (...values: readonly (string | boolean)[]): Rule => ({
  takes: values.map((value) => (typeof value === 'string' ? `'${value}'` : value)).join(' or '),
  accepts: (value) => values.some((known) => known === value),
  isPublic: true,
});

const durationOr = (takes: string, accepts: (value: unknown) => boolean): Rule => ({
  takes,
  accepts: (value) => isDuration(value) || accepts(value),
  isPublic: true,
});

const withMethods = (what: string, ...names: readonly string[]): Rule => ({
  takes: `${what} (with ${names.join(', ')})`,
  accepts: (value) =>
    isObject(value) && names.every((name) => isFunction((value as Record<string, unknown>)[name])),
});

const pageAddress = (example: string): Rule => ({
  takes: `a path such as '${example}' or an http(s) URL`,
  accepts: (value) =>
    typeof value === 'string' &&
    (/^\/(?![/\\])/.test(value) || (/^https?:\/\//.test(value) && URL.canParse(value))),
  isPublic: true,
});

const DURATION_OR_NONE = durationOr(
  `false or ${DURATION_TAKES}, or a function of the request that returns one`,
  (value) => value === false || isFunction(value),
);

export const MODULE_RULES: Rules = {
  idleTimeout: durationOr(
    `${DURATION_TAKES}, or a function of the request that returns one`,
    isFunction,
  ),
  absoluteTimeout: DURATION_OR_NONE,
  lockAfter: DURATION_OR_NONE,
  warnBefore: durationOr(`false or ${DURATION_TAKES}`, (value) => value === false),
  session: {
    takes: 'the options of express-session, with at least a secret',
    accepts: isObject,
    required: true,
  },
  storage: withMethods('an ActivityStorage', 'read', 'start', 'touch', 'end', 'expire'),
  loginUrl: pageAddress('/login'),
  confirmUrl: pageAddress('/confirm'),
  unlockUrl: pageAddress('/unlock'),
  origins: {
    takes: "an array of origins, such as ['https://app.example.com']",
    accepts: Array.isArray,
    isPublic: true,
  },
  appliesTo: { takes: 'a function: request => boolean', accepts: isFunction },
  ownerOf: { takes: 'a function: request => string | undefined', accepts: isFunction },
  preset: oneOf(...Object.keys(PRESETS)),
  describe: { takes: 'a function: request => an object of strings', accepts: isFunction },
  maxSessions: {
    takes: `${MAX_SESSIONS_TAKES}, or a function of the request that returns one`,
    accepts: (value) => isMaxSessions(value) || isFunction(value),
    isPublic: true,
  },
  onMaxSessions: oneOf('end-oldest', 'refuse'),
  sessionsEndpoint: BOOLEAN,
  onStorageError: oneOf('reject', 'allow'),
  storageTimeout: {
    takes: `${DURATION_TAKES}, at most ${MAXIMUM_TIMER_MS} ms`,
    accepts: (value) => (parseDuration(value) ?? Infinity) <= MAXIMUM_TIMER_MS,
    isPublic: true,
  },
};

export const SESSION_RULES: Rules = {
  secret: {
    takes: `a string or Buffer of at least ${MINIMUM_SECRET_LENGTH} characters, or an array of them`,
    accepts: (value) =>
      Array.isArray(value) ? value.length > 0 && value.every(isSecret) : isSecret(value),
    required: true,
  },
  store: withMethods('a session store for express-session', 'get', 'set', 'destroy'),
  name: {
    takes: 'the name of a cookie',
    accepts: (value) => typeof value === 'string' && COOKIE_NAME.test(value),
    isPublic: true,
  },
  cookie: { takes: 'the cookie options of express-session as an object', accepts: isObject },
  persistentCookie: oneOf(true, false, 'per-session'),
  genid: { takes: 'a function: request => string', accepts: isFunction },
  proxy: BOOLEAN,
  resave: BOOLEAN,
  rolling: BOOLEAN,
  saveUninitialized: BOOLEAN,
  unset: oneOf('keep', 'destroy'),
};

export const COOKIE_RULES: Rules = {
  path: {
    takes: "a path such as '/'",
    accepts: (value) =>
      typeof value === 'string' && value.startsWith('/') && isSent({ path: value }),
    isPublic: true,
  },
  domain: {
    takes: "a host name such as 'example.com'",
    accepts: (value) => typeof value === 'string' && value !== '' && isSent({ domain: value }),
  },
  httpOnly: BOOLEAN,
  secure: oneOf(true, false, 'auto'),
  sameSite: oneOf(true, false, 'lax', 'strict', 'none', 'auto'),
  partitioned: BOOLEAN,
  priority: oneOf('low', 'medium', 'high'),
  maxAge: {
    takes:
      'milliseconds above zero, until the year 275760 at most; browsers drop a cookie of 0 or less',
    accepts: (value) =>
      value === null ||
      (typeof value === 'number' && value > 0 && new Date(Date.now() + value).getTime() > 0),
    isPublic: true,
  },
  expires: {
    takes: 'a Date',
    accepts: (value) => value === null || value instanceof Date,
  },
  signed: BOOLEAN,
  encode: { takes: 'a function: string => string', accepts: isFunction },
};

/** The options as fields of one object: those of a class may be getters, which no copy has. */
export function asFields<T extends object>(options: T, rules: Rules): T {
  const given = options as Record<string, unknown>;
  const named = Object.keys(rules).filter((name) => given[name] !== undefined);
  return Object.fromEntries(
    [...Object.keys(given), ...named].map((name) => [name, given[name]]),
  ) as T;
}

/**
 * Holds an object of options against its rules; undefined is as good as left out, unless it is required.
 * @param prefix what the options' names begin with
 * @throws {IdleSessionOptionsError} for the first that is wrong or unknown
 */
export function checkOptions(options: object, rules: Rules, prefix = ''): void {
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(rules, key)) continue;
    const option = prefix + key;
    throw new IdleSessionOptionsError(option, undefined, insteadOf(option, key, rules), 'a value');
  }
  for (const [key, { takes, accepts, required, isPublic }] of Object.entries(rules)) {
    const value = (options as Record<string, unknown>)[key];
    if (value === undefined ? !required : accepts(value)) continue;
    const description = isPublic ? valueOf(value) : undefined;
    throw new IdleSessionOptionsError(prefix + key, value, takes, description);
  }
}

/** Where each option belongs. */
const PLACES: readonly [rules: Rules, place: string, prefix: string][] = [
  [MODULE_RULES, 'beside session', ''],
  [SESSION_RULES, 'in session', 'session.'],
  [COOKIE_RULES, 'in session.cookie', 'session.cookie.'],
];

/** What to write where there is no such option. */
function insteadOf(option: string, key: string, rules: Rules): string {
  if (option === 'path') {
    return 'its value beside useFactory, useClass or useExisting, as forRootAsync({ path })';
  }
  for (const [others, place, prefix] of PLACES)
    if (Object.hasOwn(others, key)) return `nothing here: it belongs ${place}, as ${prefix}${key}`;
  const names = Object.keys(rules);
  // The module takes it before it holds the others against these rules.
  if (rules === MODULE_RULES) names.push('path');
  return insteadOfUnknown(names);
}
