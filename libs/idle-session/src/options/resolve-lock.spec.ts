import { describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import { MemoryActivityStorage } from '../activity/memory-activity-storage.js';
import { IdleSessionOptionsError } from '../utils/option-error.js';
import { errorOf, resolve } from './resolve-options.spec-support.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PRESET = 'pci-dss-4';
const request = {} as Request;

const lockOf = async (options: object) => (await resolve(options).limitsFor(request)).lockAfterMs;

const failureOf = async (options: object): Promise<IdleSessionOptionsError> => {
  const failure: unknown = await lockOf(options).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(IdleSessionOptionsError);
  return failure as IdleSessionOptionsError;
};

describe('Option lockAfter', () => {
  it.each([{}, { lockAfter: undefined }, { lockAfter: false }, { lockAfter: () => false }])(
    'locks no session: %p',
    async (options) => {
      expect(await lockOf(options)).toBeNull();
    },
  );

  it('is shorter than the idle timeout', async () => {
    expect(await lockOf({ idleTimeout: '1h', lockAfter: '15m' })).toBe(15 * MINUTE);
    expect(await lockOf({ idleTimeout: '1h', lockAfter: HOUR - 1 })).toBe(HOUR - 1);
  });

  it.each(['1h', HOUR + 1])('is refused where it could never come: %p', (lockAfter) => {
    const error = errorOf(() => resolve({ idleTimeout: '1h', lockAfter }));
    expect(error.option).toBe('lockAfter');
    expect(error.message).toContain('it takes false or less than idleTimeout (1 hour)');
  });

  it('may be longer than what a function gives to some as their idle timeout', async () => {
    expect(await lockOf({ idleTimeout: () => '10m', lockAfter: '15m' })).toBe(15 * MINUTE);
  });

  it('may be a function, also one that takes its time', async () => {
    expect(await lockOf({ lockAfter: async () => '5m' })).toBe(5 * MINUTE);
  });

  it.each(['soon', 0, -1, null, true])('is an error where a function returns %p', async (value) => {
    const error = await failureOf({ lockAfter: () => value });
    expect(error.option).toBe('lockAfter');
    expect(error.message).toContain('it takes false or a duration');
  });

  it('needs a storage that can unlock', () => {
    const storage = new MemoryActivityStorage();
    Object.assign(storage, { unlock: undefined });
    const error = errorOf(() => resolve({ storage, lockAfter: '5m' }));
    expect(error.option).toBe('storage');
    expect(error.message).toContain('`unlock`, where there is option "lockAfter"');
    expect(() => resolve({ storage, lockAfter: false })).not.toThrow();
  });
});

describe('PCI DSS 8.2.8', () => {
  it('takes a longer idle timeout beside a lock after 15 minutes', async () => {
    expect(await lockOf({ preset: PRESET, idleTimeout: '1h', lockAfter: '15m' })).toBe(15 * MINUTE);
    const { idleTimeoutFor } = resolve({
      preset: PRESET,
      idleTimeout: () => '2h',
      lockAfter: '15m',
    });
    expect(await idleTimeoutFor(request)).toBe(2 * HOUR);
  });

  it('takes no later lock beside it', () => {
    const error = errorOf(() =>
      resolve({ preset: PRESET, idleTimeout: '1h', lockAfter: 15 * MINUTE + 1 }),
    );
    expect(error.option).toBe('lockAfter');
    expect(error.message).toContain(`it takes at most 15 minutes with preset '${PRESET}' (`);
    expect(error.message).toContain('8.2.8');
  });

  it.each([15 * MINUTE + 1, false])('takes no %p from a function beside it', async (value) => {
    const error = await failureOf({ preset: PRESET, idleTimeout: '1h', lockAfter: () => value });
    expect(error.option).toBe('lockAfter');
    expect(error.message).toContain('8.2.8');
  });

  it('says of a longer idle timeout alone that a lock would do', () => {
    const error = errorOf(() => resolve({ preset: PRESET, idleTimeout: '1h' }));
    expect(error.option).toBe('idleTimeout');
    expect(error.message).toContain('(more beside a lockAfter of at most 15 minutes)');
  });

  it('asks nothing of a lock where the idle timeout is short enough', async () => {
    expect(await lockOf({ preset: PRESET, idleTimeout: '15m', lockAfter: () => false })).toBeNull();
  });

  it.each(['nist-aal2', 'psd2', 'stig-asd'])(
    'is alone in that: %s holds the idle timeout all the same',
    (preset) => {
      const error = errorOf(() => resolve({ preset, idleTimeout: '3h', lockAfter: '1m' }));
      expect(error.option).toBe('idleTimeout');
    },
  );
});

describe('The policy', () => {
  const limitOf = (options: object) =>
    resolve(options).policy.limits.find(({ option }) => option === 'lockAfter');

  it('says when sessions are locked, and by which clause', () => {
    const options = { preset: PRESET, idleTimeout: '1h', lockAfter: '15m' };
    expect(limitOf(options)).toEqual({
      option: 'lockAfter',
      value: 15 * MINUTE,
      words: 'sessions are locked after 15 minutes without activity',
      source: 'option',
      clause: 'PCI DSS 4.0.1, 8.2.8',
    });
    expect(resolve(options).policy.summary).toContain(
      'sessions are locked after 15 minutes without activity (option; PCI DSS 4.0.1, 8.2.8)',
    );
  });

  it('says that a function decides', () => {
    expect(limitOf({ lockAfter: () => '5m' })).toMatchObject({ value: null, source: 'option' });
  });

  it('says that there is no lock, and not in its sentence', () => {
    expect(limitOf({})).toMatchObject({ value: false, source: 'default', clause: null });
    expect(resolve({}).policy.summary).not.toContain('lock');
  });
});
