import { StorageUnavailableException } from './idle-session.exceptions.js';

/**
 * Asks, and waits for the answer, but not longer than this: clients such as node-redis wait for ever for a server
 * that hangs. Whatever goes wrong comes out as one kind of error. @throws {StorageUnavailableException}
 */
export async function inTime<T>(ask: () => Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new Error(`no answer within ${timeoutMs} ms`));
    // After a blocked event loop, timers fire before sockets are read: an answer that is already here still counts.
    timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
  });
  try {
    return await Promise.race([ask(), deadline]);
  } catch (cause) {
    throw new StorageUnavailableException(cause);
  } finally {
    clearTimeout(timer);
  }
}
