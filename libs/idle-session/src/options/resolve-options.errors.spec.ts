import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import expressSession from 'express-session';
import { MemoryActivityStorage } from '../activity/memory-activity-storage.js';
import { resolveOptions } from './resolve-options.js';
import {
  errorOf,
  logger,
  OTHER_SECRET,
  resolve,
  SECRET,
  warnings,
} from './resolve-options.spec-support.js';

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
        got: typeof value === 'object' && value ? 'an object' : inspect(value),
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
    ...['confirm', '//evil.example', '', 7, null, true].map((confirmUrl) => ({
      options: { confirmUrl },
      option: 'confirmUrl',
      got: typeof confirmUrl === 'string' ? '' : String(confirmUrl),
      takes: "a path such as '/confirm' or an http(s) URL",
    })),
    ...['unlock', '//evil.example', 7].map((unlockUrl) => ({
      options: { unlockUrl },
      option: 'unlockUrl',
      got: typeof unlockUrl === 'string' ? '' : String(unlockUrl),
      takes: "a path such as '/unlock' or an http(s) URL",
    })),
    ...['soon', true, null, 0].map((lockAfter) => ({
      options: { lockAfter },
      option: 'lockAfter',
      got: typeof lockAfter === 'string' ? "'soon'" : String(lockAfter),
      takes: 'false or a duration',
    })),
    ...['ignore', '', true, null].map((onStorageError) => ({
      options: { onStorageError },
      option: 'onStorageError',
      got: String(onStorageError),
      takes: "'reject' or 'allow'",
    })),
    ...[true, false, null].flatMap((value) => [
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
      takes: "true or false or 'per-session'",
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

  it.each<[object, object, string]>([
    ...['secret', 'store', 'cookie', 'name'].map((name): [object, object, string] => [
      { [name]: 'something' },
      {},
      `Option "${name}" got a value; it takes nothing here: it belongs in session, as session.${name}.`,
    ]),
    [
      {},
      { maxAge: 60_000 },
      'Option "session.maxAge" got a value; it takes nothing here: it belongs in session.cookie, as session.cookie.maxAge.',
    ],
    [
      {},
      { path: '/' },
      'Option "session.path" got a value; it takes nothing here: it belongs in session.cookie, as session.cookie.path.',
    ],
    [
      { httpOnly: true },
      {},
      'Option "httpOnly" got a value; it takes nothing here: it belongs in session.cookie, as session.cookie.httpOnly.',
    ],
    [
      {},
      { cookie: { name: 'sid' } },
      'Option "session.cookie.name" got a value; it takes nothing here: it belongs in session, as session.name.',
    ],
    [
      {},
      { idleTimeout: '5m' },
      'Option "session.idleTimeout" got a value; it takes nothing here: it belongs beside session, as idleTimeout.',
    ],
  ])('is one in the wrong place: it is told where to go: %j %j', (options, session, message) => {
    expect(errorOf(() => resolve(options, session)).message).toBe(message);
  });

  it('is unknown: all options are named, path among them', () => {
    const { message } = errorOf(() => resolve({ idelTimeout: '5m' }));
    expect(message).toMatch(/only idleTimeout, .*storageTimeout, path\.$/);
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
    ['session.cookie.path', { cookie: { path: '/desk;team' } }],
    ['session.cookie.domain', { cookie: { domain: 'https://x.example' } }],
    ['session.cookie.domain', { cookie: { domain: 'x.example:3000' } }],
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
      takes: 'less than idleTimeout (5 minutes)',
    },
    {
      title: 'warnBefore longer than the default idleTimeout',
      options: { warnBefore: '20m' },
      option: 'warnBefore',
      takes: 'false or less than idleTimeout (15 minutes)',
    },
    {
      title: 'idleTimeout as short as warnBefore',
      options: { idleTimeout: '2m', warnBefore: '2m' },
      option: 'warnBefore',
      takes: 'false or less than idleTimeout (2 minutes)',
    },
    {
      title: 'idleTimeout longer than absoluteTimeout',
      options: { idleTimeout: '31m', absoluteTimeout: '30m' },
      option: 'idleTimeout',
      takes: 'at most absoluteTimeout (30 minutes)',
    },
    {
      title: 'idleTimeout longer than the default absoluteTimeout',
      options: { idleTimeout: '1d' },
      option: 'idleTimeout',
      takes: 'at most absoluteTimeout (12 hours)',
    },
    {
      title: 'absoluteTimeout shorter than the default idleTimeout',
      options: { absoluteTimeout: '10m' },
      option: 'absoluteTimeout',
      takes: `got '10m'; it takes false or at least idleTimeout (15 minutes, the default).`,
    },
    {
      title: 'absoluteTimeout shorter than the idleTimeout of the preset',
      options: { preset: 'psd2', absoluteTimeout: '4m' },
      option: 'absoluteTimeout',
      takes: `got '4m'; it takes false or at least idleTimeout (5 minutes, of the preset).`,
    },
    {
      title: 'absoluteTimeout shorter than the idleTimeout of a preset that does not take false',
      options: { preset: 'nist-aal2', absoluteTimeout: '30m' },
      option: 'absoluteTimeout',
      takes: `got '30m'; it takes at least idleTimeout (1 hour, of the preset).`,
    },
    {
      title: 'absoluteTimeout shorter than the default idleTimeout, beside a preset without one',
      options: { preset: 'nist-aal1', absoluteTimeout: '10m' },
      option: 'absoluteTimeout',
      takes: `got '10m'; it takes at least idleTimeout (15 minutes, the default).`,
    },
    {
      title: 'a cookie with a maxAge that is not said to be meant',
      options: {},
      session: { cookie: { maxAge: 900_000 } },
      option: 'session.cookie.maxAge',
      takes: 'unless session.persistentCookie is true',
    },
    {
      title: 'a cookie that expires, which is not said to be meant',
      options: {},
      session: { cookie: { expires: new Date(0) }, persistentCookie: false },
      option: 'session.cookie.expires',
      takes: 'unless session.persistentCookie is true',
    },
    {
      title: 'a maxAge for all beside one for each session',
      options: {},
      session: { cookie: { maxAge: 900_000 }, persistentCookie: 'per-session', rolling: true },
      option: 'session.cookie.maxAge',
      takes: "nothing beside session.persistentCookie: 'per-session'",
    },
    {
      title: 'a maxAge for each session that does not move',
      options: {},
      session: { persistentCookie: 'per-session' },
      option: 'session.rolling',
      takes: "true beside session.persistentCookie: 'per-session'",
    },
  ])('is refused: $title', ({ options, session, option, takes }) => {
    const error = errorOf(() => resolve(options, session));
    expect(error.option).toBe(option);
    expect(error.message).toContain(takes);
  });
});

describe('A cookie that no browser takes', () => {
  it.each<[object, string, string]>([
    [{ cookie: { sameSite: 'none', secure: false } }, 'session.cookie.secure', 'sameSite'],
    [{ cookie: { partitioned: true, secure: false } }, 'session.cookie.secure', 'partitioned'],
    [{ name: '__Secure-sid', cookie: { secure: false } }, 'session.cookie.secure', 'name'],
    [{ name: '__host-sid', cookie: { secure: false } }, 'session.cookie.secure', 'name'],
    [{ name: '__Http-sid', cookie: { secure: false } }, 'session.cookie.secure', 'name'],
    [{ name: '__Http-sid', cookie: { httpOnly: false } }, 'session.cookie.httpOnly', 'name'],
    [{ name: '__host-http-sid', cookie: { httpOnly: false } }, 'session.cookie.httpOnly', 'name'],
    [{ cookie: { sameSite: 'auto', secure: false } }, 'session.cookie.secure', 'sameSite'],
    ...[0, -1, 1e17].map((maxAge): [object, string, string] => [
      { persistentCookie: true, rolling: true, cookie: { maxAge } },
      'session.cookie.maxAge',
      'above zero',
    ]),
    [{ name: '__Host-sid', cookie: { domain: 'x.example' } }, 'session.name', 'domain'],
    [{ name: '__Host-sid', cookie: { path: '/desk' } }, 'session.name', 'path'],
  ])('stops the start: %j', (session, option, beside) => {
    const error = errorOf(() => resolve({}, session));
    expect(error.option).toBe(option);
    expect(error.message).toContain(beside);
    expect(error.message).toContain('browsers drop');
  });

  it.each<[object]>([
    [{ cookie: { sameSite: 'none' } }],
    [{ cookie: { sameSite: 'lax', partitioned: false, secure: false } }],
    [{ name: '__Secure-sid', cookie: { domain: 'x.example', path: '/desk', secure: true } }],
    [{ name: '__Host-sid', cookie: { path: '/' } }],
    [{ name: '__Http-sid', cookie: { domain: '.x.example' } }],
    [{ cookie: { sameSite: 'auto', domain: 'localhost' } }],
    [{ persistentCookie: true, rolling: true, cookie: { maxAge: 400 * 24 * 60 * 60 * 1000 } }],
  ])('is none of these: %j', (session) => {
    expect(() => resolve({}, session)).not.toThrow();
  });
});

describe('A warnBefore that does not fit', () => {
  it.each(['20m', 1_200_000])('is named as it was given: %p', (warnBefore) => {
    const { message } = errorOf(() => resolve({ warnBefore }));
    expect(message).toContain(`Option "warnBefore" got ${inspect(warnBefore)}; it takes `);
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
