import { setTimeout as delay } from 'node:timers/promises';
import type { ActivityStorage } from 'nestjs-idle-session';
import { until } from './until.js';

/** How soon Redis is asked again. */
const AGAIN_MS = 20;

/**
 * Has `expire()` and `told()` of a storage ask again while Redis does not answer within their second, as the next sweep
 * would: on a busy machine it may take longer. An answer that comes late is in the next one.
 */
export function patient<T extends ActivityStorage>(storage: T): T {
  const expire = storage.expire.bind(storage);
  storage.expire = (limit) => answered(() => expire(limit));
  const told = storage.told?.bind(storage);
  if (told) storage.told = (keys) => answered(() => told(keys));
  return storage;
}

/** Has Redis take at last what a storage has to send, for which `flush()` gives it a second. */
export async function flushed(flush: () => Promise<unknown>): Promise<void> {
  const isSent = () =>
    flush().then(
      () => true,
      () => false,
    );
  await until('all is sent', isSent);
}

async function answered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if ((error as Error).name !== 'NoAnswerError') throw error;
      await delay(AGAIN_MS);
    }
  }
}
