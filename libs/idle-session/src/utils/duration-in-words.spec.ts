import { describe, expect, it } from '@jest/globals';
import { durationInWords } from './duration-in-words.js';

describe('A duration in words', () => {
  it.each([
    [0, '0 milliseconds'],
    [1, '1 millisecond'],
    [20_000, '20 seconds'],
    [60_000, '1 minute'],
    [900_000, '15 minutes'],
    [900_001, '15 minutes 1 millisecond'],
    [5_400_000, '1 hour 30 minutes'],
    [86_400_000, '24 hours'],
    [30 * 86_400_000, '30 days'],
  ])('is exact: %i ms', (milliseconds, words) => {
    expect(durationInWords(milliseconds)).toBe(words);
  });
});
