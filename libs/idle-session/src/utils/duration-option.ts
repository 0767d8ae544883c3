import { DURATION_TAKES, parseDuration, type Duration } from './duration.js';
import { IdleSessionOptionsError, valueOf } from './option-error.js';

/** An option's duration, in milliseconds. @throws {IdleSessionOptionsError} */
export function durationOption(option: string, value: Duration, takes = DURATION_TAKES): number {
  const milliseconds = parseDuration(value);
  if (milliseconds !== undefined) return milliseconds;
  throw new IdleSessionOptionsError(option, value, takes, valueOf(value));
}

/** As {@link durationOption}, where 0 is one, too. */
export function zeroOrDurationOption(option: string, value: Duration): number {
  return value === 0 ? 0 : durationOption(option, value, `0 or ${DURATION_TAKES}`);
}
