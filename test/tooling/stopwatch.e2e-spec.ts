import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Stopwatch } from '../support/stopwatch.js';

describe('A stopwatch', () => {
  it('goes on while the process has time, never faster than the clock, until it is stopped', async () => {
    const began = performance.now();
    const stopwatch = new Stopwatch();
    while (stopwatch.ms < 200) await delay(20);
    expect(performance.now() - began).toBeGreaterThan(190);
    const stopped = stopwatch.stop();
    await delay(100);
    expect(stopwatch.ms).toBe(stopped);
  });

  it('stands still while the process has none', async () => {
    const stopwatch = new Stopwatch();
    for (const began = performance.now(); performance.now() - began < 300;);
    await delay(1);
    expect(stopwatch.stop()).toBeLessThan(50);
  });
});
