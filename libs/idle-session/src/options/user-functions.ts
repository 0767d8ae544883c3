import { HttpException } from '@nestjs/common';
import { IdleSessionOptionsError, kindOf } from '../utils/option-error.js';
import { withinTimeLimit } from '../utils/time-limit.js';

type UserFunction<A extends unknown[]> = (...given: A) => unknown;

/**
 * An option's function as everything inside calls it: if it throws or returns what the option does not take, a promise
 * say, the error names the option.
 */
export function checkedFunction<A extends unknown[], T>(
  option: string,
  takes: string,
  call: UserFunction<A>,
  accepts: (value: unknown) => value is T,
): (...given: A) => T {
  return (...given) => {
    let value: unknown;
    try {
      value = call(...given);
    } catch (error) {
      throw failureOf(option, error);
    }
    if (accepts(value)) return value;
    // A promise that nobody waits for must not end the process when it rejects.
    Promise.resolve(value).catch(() => {});
    throw new IdleSessionOptionsError(
      option,
      value,
      takes,
      `a function that returned ${kindOf(value)}`,
    );
  };
}

/** As {@link checkedFunction}, for one that may take its time: it has as long as a storage has. */
export function boundedFunction<A extends unknown[]>(
  option: string,
  call: UserFunction<A>,
  limitMs: number,
): (...given: A) => Promise<unknown> {
  return async (...given) => {
    try {
      return await withinTimeLimit(limitMs, async () => call(...given));
    } catch (error) {
      throw failureOf(option, error);
    }
  };
}

/** What a function threw on purpose, for Nest to answer, is left as it is. */
function failureOf(option: string, error: unknown): unknown {
  if (error instanceof HttpException) return error;
  const message = error instanceof Error ? error.message : kindOf(error);
  return new Error(`Option "${option}" failed: ${message}`, { cause: error });
}

export function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}
