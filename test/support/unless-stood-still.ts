import { Stopwatch } from './stopwatch.js';

/** What the module waits for is given up after a second, at least half of which the process has to stand still for that. */
const STOOD_STILL_MS = 500;

const TRIES = 5;

/** Runs a test again that failed while this process stood still: what the module then gave up, it gave up rightly. */
export async function unlessStoodStill(run: () => Promise<void>, tries = TRIES): Promise<void> {
  const began = performance.now();
  const stopwatch = new Stopwatch();
  try {
    await run();
  } catch (error) {
    const stoodStillMs = performance.now() - began - stopwatch.ms;
    if (stoodStillMs < STOOD_STILL_MS || tries === 1) throw error;
    await unlessStoodStill(run, tries - 1);
  } finally {
    stopwatch.stop();
  }
}
