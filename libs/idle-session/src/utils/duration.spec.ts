import { describe, expect, it } from '@jest/globals';
import { parseDuration } from './duration.js';

describe('parseDuration', () => {
  it.each<[unknown, number]>([
    ['15m', 900_000],
    ['90s', 90_000],
    ['12h', 43_200_000],
    ['1.5h', 5_400_000],
    ['2 minutes', 120_000],
    ['500', 500],
    [5000, 5000],
    [1, 1],
    [1.4, 1],
    [1.5, 2],
  ])('takes %p as %p ms', (value, milliseconds) => {
    expect(parseDuration(value)).toBe(milliseconds);
  });

  // Dates end in the year 275760, and what is kept until then has no date any more.
  it.each(['300000y', Number.MAX_SAFE_INTEGER, 1e300])(
    'refuses %p, which is longer than dates can tell',
    (value) => {
      expect(parseDuration(value)).toBeUndefined();
    },
  );

  it.each([
    '',
    ' ',
    '0',
    '0s',
    '-1m',
    'soon',
    '1 fortnight',
    '15 m 30 s',
    '15m'.padEnd(200, '0'),
    0,
    -1,
    0.4,
    NaN,
    Infinity,
    -Infinity,
    null,
    undefined,
    true,
    false,
    [15],
    {},
    15n,
    () => '15m',
  ])('refuses %p', (value) => {
    expect(parseDuration(value)).toBeUndefined();
  });
});
