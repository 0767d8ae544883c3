import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import expressSession from 'express-session';
import { MemoryActivityStorage } from '../activity/memory-activity-storage.js';
import { IdleSessionOptionsError } from '../utils/option-error.js';
import { resolvePath, type ResolvedOptions } from './resolve-options.js';
import {
  errorOf,
  OTHER_SECRET,
  resolve,
  SECRET,
  warnings,
} from './resolve-options.spec-support.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const request = {} as Request;

describe('The defaults', () => {
  it('are 15 minutes idle, 12 hours in all, a warning of 2 minutes and a second for the storage', () => {
    const options = resolve({});
    expect(options).toMatchObject({
      commonIdleTimeoutMs: 15 * MINUTE,
      absoluteTimeoutMs: 12 * HOUR,
      storageTimeoutMs: 1000,
      onStorageError: 'reject',
      loginUrl: null,
      ownerOf: undefined,
    });
    expect(options.idleTimeoutFor(request)).toBe(15 * MINUTE);
    expect(options.warnBeforeFor(15 * MINUTE)).toBe(2 * MINUTE);
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
      cookie: {
        path: '/desk',
        httpOnly: false,
        sameSite: 'strict',
        secure: true,
        domain: 'x.example',
      },
    });
    expect(session.genid?.(request)).toBe('an id');
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
    ).toMatchObject({ commonIdleTimeoutMs: 15 * MINUTE, storageTimeoutMs: 1000 });
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
    const { session, secrets } = resolve({}, { secret });
    expect(session.secret).toEqual(secret);
    expect(secrets[0]).toEqual(Array.isArray(secret) ? secret[0] : secret);
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

describe('A warning that leaves under 20 s', () => {
  it.each(['19999', 1000, '1s'])(
    'is itself warned of, with the clause, and taken: %p',
    (warnBefore) => {
      expect(resolve({ warnBefore }).warnBeforeFor(15 * MINUTE)).toBeLessThan(20_000);
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

  it('is common to no one, and asked with the request', async () => {
    const asked: Request[] = [];
    const options = resolve({
      idleTimeout: (asking: Request) => {
        asked.push(asking);
        return '5m';
      },
    });
    expect(options.commonIdleTimeoutMs).toBeNull();
    expect(asked).toEqual([]);
    expect(await options.idleTimeoutFor(request)).toBe(5 * MINUTE);
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
    ['1m', { warnBefore: '1m' }, 'warnBefore'],
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
