/** The share of a limit after which an answer is given up: the rest is for telling everybody who waits, in time. */
const GIVEN_UP_AFTER = 0.9;

/**
 * Asks, and waits for the answer for nine tenths of `limitMs`: clients such as node-redis wait for ever for a server that
 * hangs. A later answer is ignored. The wait does not keep the process alive.
 *
 * @throws {Error} that says after how long there was no answer, or what `ask` throws or rejects with
 */
export async function withinTimeLimit<T>(limitMs: number, ask: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new Error(`no answer within ${limitMs} ms`));
    // After a blocked event loop, timers fire before sockets are read: an answer that is already here still counts.
    timer = setTimeout(() => setImmediate(giveUp), limitMs * GIVEN_UP_AFTER).unref();
  });
  try {
    return await Promise.race([ask(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
