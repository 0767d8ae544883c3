import { beforeEach, expect } from '@jest/globals';
import type { Logger } from '@nestjs/common';
import { IdleSessionOptionsError } from '../utils/option-error.js';
import type { IdleSessionModuleOptions } from './idle-session.options.js';
import { resolveOptions, type ResolvedOptions } from './resolve-options.js';

export const SECRET = 'a secret of more than sixteen characters';
export const OTHER_SECRET = 'another secret of more than sixteen characters';

/** What the current test has been warned of. */
export const warnings: string[] = [];
beforeEach(() => {
  warnings.length = 0;
});
export const logger = { warn: (message: string) => warnings.push(message) } as unknown as Logger;

/** Resolves what a JavaScript user may have written. */
export function resolve(options: object, session: object = {}): ResolvedOptions {
  return resolveOptions(
    { session: { secret: SECRET, ...session }, ...options } as IdleSessionModuleOptions,
    logger,
  );
}

export function errorOf(run: () => unknown): IdleSessionOptionsError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(IdleSessionOptionsError);
    return error as IdleSessionOptionsError;
  }
  throw new Error('nothing was thrown');
}
