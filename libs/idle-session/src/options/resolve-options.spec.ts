import { inspect } from 'node:util';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Logger } from '@nestjs/common';
import type { Request } from 'express';
import expressSession from 'express-session';
import type { IdleSessionModuleOptions } from './idle-session.options.js';
import { MemoryActivityStorage } from '../activity/memory-activity-storage.js';
import { IdleSessionOptionsError } from '../utils/option-error.js';
import { resolveOptions, resolvePath, type ResolvedOptions } from './resolve-options.js';

const SECRET = 'a secret of more than sixteen characters';
const OTHER_SECRET = 'another secret of more than sixteen characters';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const request = {} as Request;

let warnings: string[];
beforeEach(() => {
  warnings = [];
});
const logger = { warn: (message: string) => warnings.push(message) } as unknown as Logger;

/** Resolves what a JavaScript user may have written. */
function resolve(options: object, session: object = {}): ResolvedOptions {
  return resolveOptions(
    { session: { secret: SECRET, ...session }, ...options } as IdleSessionModuleOptions,
    logger,
  );
}

function errorOf(run: () => unknown): IdleSessionOptionsError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(IdleSessionOptionsError);
    return error as IdleSessionOptionsError;
  }
  throw new Error('nothing was thrown');
}

describe('The defaults', () => {
  it('are 15 minutes idle, 12 hours in all, a warning of 2 minutes and a second for the storage', () => {
    const options = resolve({});
    expect(options).toMatchObject({
      commonIdleTimeoutMs: 15 * MINUTE,
      absoluteTimeoutMs: 12 * HOUR,
      warnBeforeMs: 2 * MINUTE,
      storageTimeoutMs: 1000,
      onStorageError: 'reject',
      loginUrl: null,
      ownerOf: undefined,
    });
    expect(options.idleTimeoutFor(request)).toBe(15 * MINUTE);
    expect(options.appliesTo(request)).toBe(true);
    expect(warnings).toEqual([]);
  });

  it('are memory for storage and store, new for each app', () => {
    const [one, two] = [resolve({}), resolve({})];
    expect(one.storage).toBeInstanceOf(MemoryActivityStorage);
    expect(one.session.store).toBeInstanceOf(expressSession.MemoryStore);
    expect(one.storage).not.toBe(two.storage);
    expect(one.session.store).not.toBe(two.session.store);
  });

  it('of the session write nothing without need, and name no product in the cookie', () => {
    expect(resolve({}).session).toMatchObject({
      resave: false,
      saveUninitialized: false,
      name: 'app-sid',
      cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto' },
    });
  });

  it('give way to what the user sets', () => {
    const genid = () => 'an id';
    const { session } = resolve(
      {},
      {
        name: 'desk',
        resave: true,
        saveUninitialized: true,
        rolling: true,
        proxy: true,
        unset: 'destroy',
        genid,
        cookie: {
          path: '/desk',
          httpOnly: false,
          sameSite: 'strict',
          secure: true,
          domain: 'x.example',
        },
      },
    );
    expect(session).toMatchObject({
      name: 'desk',
      resave: true,
      saveUninitialized: true,
      rolling: true,
      proxy: true,
      unset: 'destroy',
      genid,
      cookie: {
        path: '/desk',
        httpOnly: false,
        sameSite: 'strict',
        secure: true,
        domain: 'x.example',
      },
    });
  });

  it('stand in for undefined, so that a variable that is not set may be passed on', () => {
    expect(
      resolve({
        idleTimeout: undefined,
        absoluteTimeout: undefined,
        warnBefore: undefined,
        storage: undefined,
        loginUrl: undefined,
        appliesTo: undefined,
        ownerOf: undefined,
        onStorageError: undefined,
        storageTimeout: undefined,
      }),
    ).toMatchObject({ commonIdleTimeoutMs: 15 * MINUTE, warnBeforeMs: 2 * MINUTE });
  });

  it('of the session stand in for undefined, too', () => {
    const { session } = resolve(
      {},
      {
        name: undefined,
        store: undefined,
        cookie: undefined,
        persistentCookie: undefined,
        resave: undefined,
        saveUninitialized: undefined,
      },
    );
    expect(session).toMatchObject({ name: 'app-sid', resave: false, saveUninitialized: false });
  });

  it('of the cookie stand in for undefined, too', () => {
    const cookie = { path: undefined, httpOnly: undefined, sameSite: undefined, secure: undefined };
    expect(resolve({}, { cookie }).session.cookie).toMatchObject({
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: 'auto',
    });
  });
});

describe('Options that are right', () => {
  it.each<[object, Partial<ResolvedOptions>]>([
    [{ idleTimeout: '5m' }, { commonIdleTimeoutMs: 5 * MINUTE }],
    [{ idleTimeout: 5 * MINUTE }, { commonIdleTimeoutMs: 5 * MINUTE }],
    [{ idleTimeout: '12h' }, { commonIdleTimeoutMs: 12 * HOUR }],
    [{ absoluteTimeout: '15m' }, { absoluteTimeoutMs: 15 * MINUTE }],
    [{ absoluteTimeout: false }, { absoluteTimeoutMs: false }],
    [{ absoluteTimeout: false, idleTimeout: '30d' }, { commonIdleTimeoutMs: 720 * HOUR }],
    [{ warnBefore: false }, { warnBeforeMs: false }],
    [
      { warnBefore: false, idleTimeout: 1000 },
      { warnBeforeMs: false, commonIdleTimeoutMs: 1000 },
    ],
    [{ warnBefore: 15 * MINUTE - 1 }, { warnBeforeMs: 15 * MINUTE - 1 }],
    [{ loginUrl: '/' }, { loginUrl: '/' }],
    [{ loginUrl: '/login?lang=de#form' }, { loginUrl: '/login?lang=de#form' }],
    [{ loginUrl: 'https://id.example/login' }, { loginUrl: 'https://id.example/login' }],
    [{ onStorageError: 'allow' }, { onStorageError: 'allow' }],
    [{ storageTimeout: 2 ** 31 - 1 }, { storageTimeoutMs: 2 ** 31 - 1 }],
  ])('are taken: %j', (options, resolved) => {
    expect(resolve(options)).toMatchObject(resolved);
  });

  it.each<[string, string | Buffer | (string | Buffer)[]]>([
    ['a string of exactly 16 characters', 'sixteen letters!'],
    ['a Buffer', Buffer.alloc(16, 1)],
    ['several, of which the first signs', [SECRET, Buffer.from(OTHER_SECRET)]],
  ])('are taken as the secret: %s', (_, secret) => {
    const { session, signingSecret } = resolve({}, { secret });
    expect(session.secret).toEqual(secret);
    expect(signingSecret).toEqual(Array.isArray(secret) ? secret[0] : secret);
  });

  it('make a cookie outlive the browser if that is said to be meant, and its date moves', () => {
    const cookie = { maxAge: 1000 };
    const { session } = resolve({}, { persistentCookie: true, rolling: true, cookie });
    expect(session.cookie).toMatchObject(cookie);
  });

  it.each([
    ['session.rolling', { cookie: { maxAge: 1000 } }],
    ['session.rolling', { cookie: { maxAge: 1000 }, rolling: false }],
    ['session.cookie.expires', { cookie: { expires: new Date() } }],
    ['session.cookie.expires', { cookie: { expires: new Date() }, rolling: true }],
  ])('do not let browsers drop the cookie of people who are active: %s %j', (option, session) => {
    const error = errorOf(() => resolve({}, { persistentCookie: true, ...session }));
    expect(error.option).toBe(option);
    expect(error.message).toContain('people who are active');
  });

  it.each([{ maxAge: undefined }, { expires: null }, { maxAge: null }])(
    'say that the cookie ends with the browser: %j',
    (cookie) => {
      expect(() => resolve({}, { cookie })).not.toThrow();
    },
  );

  it('leave the object that the user gave as it was', () => {
    const cookie = Object.freeze({});
    const session = Object.freeze({ secret: SECRET, cookie });
    expect(() => resolve(Object.freeze({ session }))).not.toThrow();
  });

  it('do not hand the module\'s own "persistentCookie" to express-session', () => {
    expect(resolve({}, { persistentCookie: true }).session).not.toHaveProperty('persistentCookie');
  });
});

const NO_DURATIONS = ['', '0', '-1m', 'soon', '1 fortnight', 0, -1, NaN, Infinity, null, true, {}];

interface WrongOption {
  options?: object;
  session?: object;
  option: string;
  got: string;
  takes: string;
}

describe('A wrong option', () => {
  it.each<WrongOption>([
    ...['idleTimeout', 'absoluteTimeout', 'warnBefore', 'storageTimeout'].flatMap((option) =>
      NO_DURATIONS.map((value) => ({
        options: { [option]: value },
        option,
        got: inspect(value),
        takes: "a duration above zero: milliseconds, or a string such as '15m'",
      })),
    ),
    { options: { idleTimeout: false }, option: 'idleTimeout', got: 'false', takes: 'a duration' },
    {
      options: { storageTimeout: false },
      option: 'storageTimeout',
      got: 'false',
      takes: 'a duration',
    },
    {
      options: { storageTimeout: 2 ** 31 },
      option: 'storageTimeout',
      got: '2147483648',
      takes: 'at most 2147483647 ms',
    },
    {
      options: { storageTimeout: '30d' },
      option: 'storageTimeout',
      got: "'30d'",
      takes: 'at most 2147483647 ms',
    },
    ...[
      '',
      'login',
      '//evil.example',
      '/\\evil.example',
      'javascript:alert(1)',
      'ftp://x',
      'https://',
      7,
      null,
      false,
    ].map((loginUrl) => ({
      options: { loginUrl },
      option: 'loginUrl',
      got: typeof loginUrl === 'string' ? '' : String(loginUrl),
      takes: "a path such as '/login' or an http(s) URL",
    })),
    ...['ignore', '', true, null].map((onStorageError) => ({
      options: { onStorageError },
      option: 'onStorageError',
      got: String(onStorageError),
      takes: "'reject' or 'allow'",
    })),
    ...[true, 'user', null].flatMap((value) => [
      {
        options: { appliesTo: value },
        option: 'appliesTo',
        got: String(value),
        takes: 'a function: request => boolean',
      },
      {
        options: { ownerOf: value },
        option: 'ownerOf',
        got: String(value),
        takes: 'a function: request => string | undefined',
      },
    ]),
    ...[
      null,
      'memory',
      {},
      MemoryActivityStorage,
      { read() {}, start() {}, touch() {} },
      { read() {}, start() {}, touch() {}, end: true },
    ].map((storage) => ({
      options: { storage },
      option: 'storage',
      got: '',
      takes: 'an ActivityStorage (with read, start, touch, end, expire)',
    })),
    ...[null, 'memory', {}, expressSession.MemoryStore, { get() {}, set() {} }].map((store) => ({
      session: { store },
      option: 'session.store',
      got: '',
      takes: 'a session store for express-session (with get, set, destroy)',
    })),
    ...[undefined, null, 7, true, []].map((session) => ({
      options: { session },
      option: 'session',
      got: '',
      takes: 'the options of express-session, with at least a secret',
    })),
    ...[null, 7, true, () => ({})].map((cookie) => ({
      session: { cookie },
      option: 'session.cookie',
      got: '',
      takes: 'the cookie options of express-session as an object',
    })),
    ...['yes', 1, null].map((persistentCookie) => ({
      session: { persistentCookie },
      option: 'session.persistentCookie',
      got: String(persistentCookie),
      takes: 'true or false',
    })),
  ])('is named, with what it got and takes: $option $options $session', (wrong) => {
    const { option, message } = errorOf(() => resolve(wrong.options ?? {}, wrong.session));
    expect(option).toBe(wrong.option);
    expect(message).toMatch(/^Option "[\w.]+" got .*; it takes .*\.$/s);
    expect(message).toContain(`"${wrong.option}" got `);
    expect(message).toContain(wrong.got);
    expect(message.slice(message.indexOf('it takes '))).toContain(wrong.takes);
  });

  it.each<[object, object, string]>([
    [{ idelTimeout: '5m' }, {}, 'idelTimeout'],
    [{ timeout: undefined }, {}, 'timeout'],
    [{}, { key: 'sid' }, 'session.key'],
    [{}, { ttl: 5 }, 'session.ttl'],
    [{}, { cookie: { httponly: true } }, 'session.cookie.httponly'],
    [{}, { cookie: { name: 'app-sid' } }, 'session.cookie.name'],
  ])('is any that does not exist: %j %j', (options, session, option) => {
    const error = errorOf(() => resolve(options, session));
    expect(error.option).toBe(option);
    expect(error.message).toContain(`Option "${option}" got `);
    expect(error.message).toContain('there is no such option');
  });

  it('is a path among the options of forRootAsync(): it is told where to put it', () => {
    const { option, message } = errorOf(() => resolve({ path: 'idle-session' }));
    expect(option).toBe('path');
    expect(message).toContain('beside useFactory, useClass or useExisting');
  });

  it.each([undefined, null, 'options', []])(
    'is anything but an object of options: %p',
    (options) => {
      const { message } = errorOf(() => resolveOptions(options as never, logger));
      expect(message).toContain('it takes the options object of IdleSessionModule');
    },
  );

  // What express-session would only find out with the first request, or not at all.
  it.each<[string, object]>([
    ['session.genid', { genid: 'random' }],
    ['session.genid', { genid: null }],
    ['session.unset', { unset: 'remove' }],
    ['session.name', { name: '' }],
    ['session.name', { name: 'my session' }],
    ['session.name', { name: 7 }],
    ['session.resave', { resave: 'no' }],
    ['session.saveUninitialized', { saveUninitialized: 'no' }],
    ['session.rolling', { rolling: 'no' }],
    ['session.proxy', { proxy: 'no' }],
    ['session.cookie.sameSite', { cookie: { sameSite: 'relaxed' } }],
    ['session.cookie.secure', { cookie: { secure: 'yes' } }],
    ['session.cookie.httpOnly', { cookie: { httpOnly: 'no' } }],
    ['session.cookie.path', { cookie: { path: 7 } }],
    ['session.cookie.maxAge', { persistentCookie: true, cookie: { maxAge: '15m' } }],
    ['session.cookie.expires', { persistentCookie: true, cookie: { expires: 'tomorrow' } }],
  ])('of the session is found at start: %s %j', (option, session) => {
    const error = errorOf(() => resolve({}, session));
    expect(error.option).toBe(option);
    expect(error.message).toMatch(/ got .*; it takes /);
  });
});

describe('A wrong combination', () => {
  it.each<{ title: string; options: object; session?: object; option: string; takes: string }>([
    {
      title: 'warnBefore as long as idleTimeout',
      options: { idleTimeout: '5m', warnBefore: '5m' },
      option: 'warnBefore',
      takes: 'less than idleTimeout (300000 ms)',
    },
    {
      title: 'warnBefore longer than the default idleTimeout',
      options: { warnBefore: '20m' },
      option: 'warnBefore',
      takes: 'false or less than idleTimeout (900000 ms)',
    },
    {
      title: 'idleTimeout shorter than the default warnBefore',
      options: { idleTimeout: '2m' },
      option: 'warnBefore',
      takes: 'false or less than idleTimeout (120000 ms)',
    },
    {
      title: 'idleTimeout longer than absoluteTimeout',
      options: { idleTimeout: '31m', absoluteTimeout: '30m' },
      option: 'idleTimeout',
      takes: 'at most absoluteTimeout (1800000 ms)',
    },
    {
      title: 'idleTimeout longer than the default absoluteTimeout',
      options: { idleTimeout: '1d' },
      option: 'idleTimeout',
      takes: 'at most absoluteTimeout (43200000 ms)',
    },
    {
      title: 'absoluteTimeout shorter than the default idleTimeout',
      options: { absoluteTimeout: '10m' },
      option: 'idleTimeout',
      takes: 'at most absoluteTimeout (600000 ms)',
    },
    {
      title: 'a cookie with a maxAge that nobody said is meant',
      options: {},
      session: { cookie: { maxAge: 900_000 } },
      option: 'session.cookie.maxAge',
      takes: 'unless session.persistentCookie is true',
    },
    {
      title: 'a cookie that expires, which nobody said is meant',
      options: {},
      session: { cookie: { expires: new Date(0) }, persistentCookie: false },
      option: 'session.cookie.expires',
      takes: 'unless session.persistentCookie is true',
    },
  ])('is refused: $title', ({ options, session, option, takes }) => {
    const error = errorOf(() => resolve(options, session));
    expect(error.option).toBe(option);
    expect(error.message).toContain(takes);
  });
});

describe('The secret', () => {
  it.each<[string, unknown]>([
    ['is missing', undefined],
    ['is null', null],
    ['is empty', ''],
    ['is under 16 characters', 'fifteen letters'],
    ['is a Buffer under 16 bytes', Buffer.alloc(15, 1)],
    ['is no text', 1234567890123456],
    ['is an empty array', []],
    ['is an array with one that is short', [SECRET, 'fifteen letters']],
    ['is an array with one that is missing', [SECRET, undefined]],
    ['is an array whose first is missing', [undefined, SECRET]],
    ['is an array in an array', [[SECRET]]],
  ])('stops the start if it %s', (_, secret) => {
    const error = errorOf(() => resolve({}, { secret }));
    expect(error.option).toBe('session.secret');
    expect(error.message).toContain('it takes');
    expect(error.message).toContain('at least 16 characters');
  });

  it.each<[string, object]>([
    ['it is too short', { session: { secret: 'fifteen letters' } }],
    ['one of several is too short', { session: { secret: [SECRET, 'fifteen letters'] } }],
    ['the newest of several is missing', { session: { secret: [undefined, SECRET] } }],
    ['it is a number', { session: { secret: 1234567890123456 } }],
    ['it is a Buffer that is too short', { session: { secret: Buffer.from('fifteen letters') } }],
    ['it is an object', { session: { secret: { current: SECRET } } }],
    ['it came in place of the session options', { session: SECRET }],
    ['several came in place of the session options', { session: [SECRET, OTHER_SECRET] }],
    ['another option is wrong', { session: { secret: SECRET, store: null } }],
    ['another option does not exist', { secret: SECRET, session: { secret: SECRET } }],
    ['it is given under another name', { session: { secret: SECRET, secrets: [OTHER_SECRET] } }],
  ])('is never printed, if %s', (_, options) => {
    const error = errorOf(() => resolveOptions(options as never, logger));
    const printed = [error.message, error.stack, JSON.stringify(error), ...warnings].join('\n');
    for (const secret of [SECRET, OTHER_SECRET, 'fifteen letters', '1234567890123456', '66 69 66'])
      expect(printed).not.toContain(secret);
  });
});

describe('A warning that leaves under 20 s', () => {
  it.each(['19999', 1000, '1s'])(
    'is itself warned of, with the clause, and taken: %p',
    (warnBefore) => {
      expect(resolve({ warnBefore }).warnBeforeMs).toBeLessThan(20_000);
      expect(warnings).toEqual([
        expect.stringMatching(/"warnBefore" is \d+ ms: WCAG 2\.2.*2\.2\.1.*20 s/),
      ]);
    },
  );

  it.each(['20s', '2m', false] as const)('is not %p', (warnBefore) => {
    resolve({ warnBefore });
    expect(warnings).toEqual([]);
  });
});

describe('An idle timeout that is a function', () => {
  const resolveFunction = (value: unknown, options: object = {}) =>
    resolve({ idleTimeout: () => value, ...options });

  it('is common to nobody, and asked with the request', () => {
    const asked: Request[] = [];
    const options = resolve({
      idleTimeout: (asking: Request) => {
        asked.push(asking);
        return '5m';
      },
    });
    expect(options.commonIdleTimeoutMs).toBeNull();
    expect(asked).toEqual([]);
    expect(options.idleTimeoutFor(request)).toBe(5 * MINUTE);
    expect(asked).toEqual([request]);
  });

  it('may take its time', async () => {
    expect(await resolveFunction(Promise.resolve('5m')).idleTimeoutFor(request)).toBe(5 * MINUTE);
  });

  it.each<[unknown, object, string]>([
    ['soon', {}, 'idleTimeout'],
    [undefined, {}, 'idleTimeout'],
    [null, {}, 'idleTimeout'],
    [{}, {}, 'idleTimeout'],
    [NaN, {}, 'idleTimeout'],
    ['13h', {}, 'idleTimeout'],
    ['1m', {}, 'warnBefore'],
  ])('is held against the same rules, at once or later: %p', async (value, options, option) => {
    for (const returned of [value, Promise.resolve(value)]) {
      const asking = async () => resolveFunction(returned, options).idleTimeoutFor(request);
      const error: unknown = await asking().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(IdleSessionOptionsError);
      expect((error as IdleSessionOptionsError).option).toBe(option);
    }
  });
});

describe('The path of the endpoints', () => {
  it.each([
    ['idle-session', 'idle-session'],
    ['/idle-session', 'idle-session'],
    ['/a/b/', 'a/b'],
    ['a/b', 'a/b'],
    ['_session.v1', '_session.v1'],
    ['.well-known/idle', '.well-known/idle'],
    ['~ada', '~ada'],
    [false, false],
  ] as const)('is taken: %p', (path, resolved) => {
    expect(resolvePath(path)).toBe(resolved);
  });

  it.each([
    '',
    '/',
    '//',
    '//evil.example',
    'a//b',
    '../x',
    'a/../b',
    './x',
    '.',
    '..',
    'a b',
    'a?b',
    'a#b',
    ':id',
    '*path',
    '{a}',
    'a%2fb',
    'a\\b',
    true,
    null,
    7,
    ['a', 'b'],
  ])('is refused: %p', (path) => {
    const error = errorOf(() => resolvePath(path));
    expect(error.option).toBe('path');
    expect(error.message).toContain("it takes false or a path such as 'idle-session'");
  });
});
