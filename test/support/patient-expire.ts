import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ActivityStorage } from 'nestjs-idle-session';

/**
 * Has `expire()` of a storage ask again while Redis does not answer in time, as the next sweep would: on a busy machine
 * it may take a second. An answer that comes late is in the next one.
 */
export function patientExpire<T extends ActivityStorage>(storage: T): T {
  const expire = storage.expire.bind(storage);
  storage.expire = async (limit) => {
    for (;;) {
      try {
        return await expire(limit);
      } catch (error) {
        if ((error as Error).name !== 'NoAnswerError') throw error;
        await nextTurn();
      }
    }
  };
  return storage;
}
