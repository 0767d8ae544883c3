import { StorageUnavailableException } from './idle-session.exceptions.js';

/**
 * Asks, and waits for the answer, but not longer than this: clients such as node-redis wait for ever for a server
 * that hangs. Whatever goes wrong comes out as one kind of error. @throws {StorageUnavailableException}
 */
export function inTime<T>(ask: () => Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => {
      clearTimeout(timer);
      reject(new StorageUnavailableException(cause));
    };
    const giveUp = () => fail(new Error(`no answer within ${timeoutMs} ms`));
    // After a blocked event loop, timers fire before sockets are read: an answer that is already here still counts.
    const timer = setTimeout(() => setImmediate(giveUp), timeoutMs);
    const succeed = (value: T) => {
      clearTimeout(timer);
      resolve(value);
    };
    try {
      ask().then(succeed, fail);
    } catch (error) {
      fail(error);
    }
  });
}
