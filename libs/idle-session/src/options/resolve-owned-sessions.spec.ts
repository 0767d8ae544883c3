import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Request } from 'express';
import { IdleSessionOptionsError } from '../utils/option-error.js';
import type { IdleSessionModuleOptions } from './idle-session.options.js';
import { resolveOptions } from './resolve-options.js';
import { MemoryActivityStorage } from '../activity/memory-activity-storage.js';

const resolve = (options: object) =>
  resolveOptions(
    { session: { secret: 'at least sixteen' }, ...options } as IdleSessionModuleOptions,
    new Logger(),
  );

const ownerOf = () => 'ada';
const request = {} as Request;

describe('Options about the sessions of one owner', () => {
  it('are off by default', () => {
    expect(resolve({ ownerOf })).toMatchObject({
      maxSessionsFor: undefined,
      onMaxSessions: 'end-oldest',
      sessionsEndpoint: false,
    });
    expect(resolve({ ownerOf }).describe(request)).toEqual({});
    expect(resolve({}).index).toBeUndefined();
  });

  it.each([{ describe: () => ({}) }, { maxSessions: 2 }, { sessionsEndpoint: true }])(
    'need ownerOf: %o',
    (options) => {
      const [name] = Object.keys(options);
      expect(() => resolve(options)).toThrow(IdleSessionOptionsError);
      expect(() => resolve(options)).toThrow(
        `Option "ownerOf" got undefined; it takes a function: request => string | undefined, where there is option "${name}".`,
      );
    },
  );

  it.each([{ describe: () => ({}) }, { maxSessions: 2 }, { sessionsEndpoint: true }])(
    'need a storage with an index: %o',
    (options) => {
      const storage = Object.assign(new MemoryActivityStorage(), { index: undefined });
      const [name] = Object.keys(options);
      expect(() => resolve({ ...options, ownerOf, storage })).toThrow(
        new RegExp(`Option "storage" got .* with \`index\`, where there is option "${name}"`),
      );
      expect(() => resolve({ ownerOf, storage })).not.toThrow();
    },
  );

  it.each([0, -1, 1.5, NaN, '2', null, {}])('take no maxSessions such as %p', (maxSessions) => {
    expect(() => resolve({ ownerOf, maxSessions })).toThrow(
      /Option "maxSessions" got .* it takes a whole number from 1 on or Infinity, or a function/,
    );
  });

  it('take no onMaxSessions without maxSessions, nor an unknown one', () => {
    expect(() => resolve({ ownerOf, onMaxSessions: 'refuse' })).toThrow('Option "maxSessions"');
    expect(() => resolve({ ownerOf, maxSessions: 1, onMaxSessions: 'ask' })).toThrow(
      "Option \"onMaxSessions\" got 'ask'; it takes 'end-oldest' or 'refuse'.",
    );
  });

  it.each([
    null,
    undefined,
    'Firefox',
    ['Firefox'],
    { at: new Date() },
    { count: 7 },
    Promise.resolve({}),
  ])('take no description such as %p', (description) => {
    const { describe: describing } = resolve({ ownerOf, describe: () => description });
    expect(() => describing(request)).toThrow(/Option "describe" .* an object of strings/);
  });

  it('take no description that is huge, and the error says nothing of what is in it', () => {
    const ofLength = (length: number) =>
      resolve({ ownerOf, describe: () => ({ browser: 'x'.repeat(length) }) }).describe(request);
    expect(ofLength(1000)).toEqual({ browser: 'x'.repeat(1000) });
    expect(() => ofLength(1024)).toThrow(
      /^Option "describe" got a function that returned \d+ bytes; it takes an object of strings, at most 1024 bytes/,
    );
    expect(() => ofLength(1e6)).not.toThrow(/xxxx/);
  });

  it('take a description with any names, and give each its own', () => {
    const description = JSON.parse('{"__proto__":"a","constructor":"b"}') as object;
    const { describe: describing } = resolve({ ownerOf, describe: () => description });
    expect(Object.entries(describing(request))).toEqual(Object.entries(description));
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });
});
