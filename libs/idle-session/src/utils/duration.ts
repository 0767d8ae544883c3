import ms from 'ms';

/** Milliseconds, or a string that the `ms` package understands, such as `'15m'`, `'90s'` or `'12h'`. */
export type Duration = number | string;

/** What a duration takes, for error messages. */
export const DURATION_TAKES = "a duration above zero: milliseconds, or a string such as '15m'";

/** A thousand years: dates, stores and Redis can all count that far. */
const MAXIMUM_MS = 1000 * 365.25 * 24 * 60 * 60_000;

/** The duration in whole milliseconds, or undefined if it is not one above zero. */
export function parseDuration(value: unknown): number | undefined {
  const parsed = typeof value === 'string' && value !== '' ? ms(value as ms.StringValue) : value;
  if (typeof parsed !== 'number' || !(parsed >= 1 && parsed <= MAXIMUM_MS)) return undefined;
  return Math.round(parsed);
}

/** Of a duration that was checked. */
export function milliseconds(duration: Duration): number {
  return parseDuration(duration) ?? NaN;
}
