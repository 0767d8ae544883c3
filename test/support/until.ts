import { setTimeout as delay } from 'node:timers/promises';
import { Stopwatch } from './stopwatch.js';

const GIVE_UP_MS = 60_000;

/**
 * Asks again and again until it is so; resolves to how long that took, in milliseconds.
 * @throws {Error} after a while, with what was waited for
 */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  giveUpMs = GIVE_UP_MS,
): Promise<number> {
  const stopwatch = new Stopwatch();
  try {
    for (; ; await delay(20)) {
      const took = stopwatch.ms;
      if (await isSo()) return took;
      if (took > giveUpMs) throw new Error(`Waited in vain: ${what}`);
    }
  } finally {
    stopwatch.stop();
  }
}
