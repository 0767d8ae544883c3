import { setTimeout as delay } from 'node:timers/promises';

/** From how long on a process stands still, and is not only slow: of the second that the module gives, half is over. */
const STOOD_STILL_MS = 500;
const WATCH_INTERVAL_MS = 20;
const TRIES = 5;

interface Watched {
  /** Asks what is to answer at once, as Redis does; default: this process alone is watched. */
  ask?: () => Promise<unknown>;
  /** Leaves nothing of the test that failed; default: there is nothing. */
  startOver?: () => Promise<void>;
}

/**
 * Runs a test again that failed while this process, or what it asks, stood still: what the module gave up then, it gave up
 * rightly, and sessions of seconds may have been over.
 */
export async function unlessStoodStill(
  test: () => Promise<void>,
  { ask = async () => {}, startOver = async () => {} }: Watched = {},
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const stop = watch(ask);
    const failure = await test().then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    const longestMs = await stop();
    if (!failure) return;
    if (longestMs < STOOD_STILL_MS || tries === TRIES) throw failure.error;
    await startOver();
  }
}

/** @returns to be called in the end; resolves to the longest that anything stood still meanwhile, in milliseconds */
function watch(ask: () => Promise<unknown>): () => Promise<number> {
  let isOver = false;
  const watching = (async () => {
    let longestMs = 0;
    for (let before = performance.now(); !isOver;) {
      await Promise.all([ask(), delay(WATCH_INTERVAL_MS)]);
      const now = performance.now();
      longestMs = Math.max(longestMs, now - before);
      before = now;
    }
    return longestMs;
  })();
  return () => {
    isOver = true;
    return watching;
  };
}
