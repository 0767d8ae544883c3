import { SECOND } from '../../support/durations.js';

/** Does something whenever it is called and has not done it for three seconds: a browser may have lost what was done. */
export function everyThreeSeconds(act: () => Promise<void>): () => Promise<void> {
  let doneAt = -Infinity;
  return async () => {
    if (performance.now() - doneAt < 3 * SECOND) return;
    await act();
    doneAt = performance.now();
  };
}
