import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Logger } from '@nestjs/common';
import { resolveOptions } from './resolve-options.js';

const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000];

let warnings: string[];
beforeEach(() => {
  warnings = [];
});

function resolve(options: object) {
  const logger = { warn: (message: string) => warnings.push(message) } as unknown as Logger;
  return resolveOptions({ session: { secret: 'sixteen letters!' }, ...options }, logger);
}

const DEFAULTS = [
  { idleTimeout: 12 * HOUR, warnBeforeMs: 2 * MINUTE },
  { idleTimeout: 15 * MINUTE, warnBeforeMs: 2 * MINUTE },
  { idleTimeout: 6 * MINUTE, warnBeforeMs: 2 * MINUTE },
  { idleTimeout: 5 * MINUTE, warnBeforeMs: 100 * SECOND },
  { idleTimeout: 2 * MINUTE, warnBeforeMs: 40 * SECOND },
  { idleTimeout: MINUTE, warnBeforeMs: 20 * SECOND },
  { idleTimeout: 30 * SECOND, warnBeforeMs: 20 * SECOND },
  { idleTimeout: 20 * SECOND + 1, warnBeforeMs: 20 * SECOND },
];

const SHORT_DEFAULTS = [
  { idleTimeout: 20 * SECOND, warnBeforeMs: 6667 },
  { idleTimeout: 1000, warnBeforeMs: 333 },
  { idleTimeout: 1, warnBeforeMs: 0 },
];

describe('The default of warnBefore', () => {
  it.each([...DEFAULTS, ...SHORT_DEFAULTS])(
    'is $warnBeforeMs ms for an idle timeout of $idleTimeout ms',
    async ({ idleTimeout, warnBeforeMs }) => {
      const { warnBeforeFor, idleTimeoutFor } = resolve({ idleTimeout });
      expect(warnBeforeFor(idleTimeout)).toBe(warnBeforeMs);
      expect(idleTimeoutFor({} as never)).toBe(idleTimeout);
      // What a function returns gets the same.
      const perRequest = resolve({ idleTimeout: () => idleTimeout });
      expect(await perRequest.idleTimeoutFor({} as never)).toBe(idleTimeout);
      expect(perRequest.warnBeforeFor(idleTimeout)).toBe(warnBeforeMs);
    },
  );

  it.each(DEFAULTS)('leaves time enough to answer, for $idleTimeout ms', ({ idleTimeout }) => {
    resolve({ idleTimeout });
    expect(warnings).toEqual([]);
  });

  it.each(SHORT_DEFAULTS)('is logged where it leaves none, for $idleTimeout ms', (options) => {
    resolve({ idleTimeout: options.idleTimeout });
    expect(warnings).toEqual([expect.stringContaining('WCAG 2.2, success criterion 2.2.1')]);
  });
});

describe('A warning of a short warnBefore', () => {
  it.each([{ idleTimeout: 900 }, { idleTimeout: '900' }])(
    'names the idle timeout where that is what the app gave: %j',
    (options) => {
      resolve(options);
      expect(warnings).toEqual([
        expect.stringMatching(
          /^Option "warnBefore" is 300 ms, since "idleTimeout" is 900 ms: WCAG/,
        ),
      ]);
    },
  );

  it('names no other option where the app gave it', () => {
    resolve({ warnBefore: 900 });
    expect(warnings).toEqual([expect.stringMatching(/^Option "warnBefore" is 900 ms: WCAG/)]);
  });
});

describe('A given warnBefore', () => {
  it.each<[object, number, number | false]>([
    [{ warnBefore: false }, 15 * MINUTE, false],
    [{ warnBefore: false, idleTimeout: 1000 }, 1000, false],
    [{ warnBefore: 15 * MINUTE - 1 }, 15 * MINUTE, 15 * MINUTE - 1],
    [{ warnBefore: '30s' }, 5 * MINUTE, 30 * SECOND],
  ])('holds for every session: %j', (options, idleTimeoutMs, warnBeforeMs) => {
    expect(resolve(options).warnBeforeFor(idleTimeoutMs)).toBe(warnBeforeMs);
  });
});
