import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { SECOND } from '../support/durations.js';
import { unlessStoodStill } from '../support/unless-stood-still.js';

/** Gives this process no time for anything else. */
function standStill(): void {
  const began = performance.now();
  while (performance.now() - began < SECOND);
}

const fails = () => Promise.reject(new Error('on purpose'));

describe('A test that failed', () => {
  it('is red at once where nothing stood still', async () => {
    let runs = 0;
    const test = async () => {
      runs++;
      await fails();
    };
    // The machine itself may stand still, once or twice.
    await expect(unlessStoodStill(test)).rejects.toThrow('on purpose');
    expect(runs).toBeLessThan(5);
  });

  it('runs again, on what is as it was before, where this process stood still', async () => {
    let runs = 0;
    let startedOver = 0;
    const test = async () => {
      if (runs++ > 0) return;
      standStill();
      await fails();
    };
    await unlessStoodStill(test, { startOver: async () => void startedOver++ });
    expect([runs, startedOver]).toEqual([2, 1]);
  });

  it('runs again where what it asks stood still', async () => {
    let runs = 0;
    const test = async () => {
      if (runs++ > 0) return;
      await delay(SECOND);
      await fails();
    };
    await unlessStoodStill(test, { ask: () => delay(runs > 1 ? 0 : SECOND) });
    expect(runs).toBe(2);
  });

  it('is red where it fails each time, however often something stood still', async () => {
    const test = async () => {
      standStill();
      await fails();
    };
    await expect(unlessStoodStill(test)).rejects.toThrow('on purpose');
  });
});
