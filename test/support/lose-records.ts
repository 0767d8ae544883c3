import type { ActivityStorage } from 'nestjs-idle-session';

/** Takes all records away from a storage in memory. */
export function loseRecords(storage: ActivityStorage): void {
  (Reflect.get(storage, 'entries') as Map<string, unknown>).clear();
}
