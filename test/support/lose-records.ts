import type { ActivityStorage } from 'nestjs-idle-session';

/** What a storage in memory had of all sessions is gone. */
export function loseRecords(storage: ActivityStorage): void {
  (Reflect.get(storage, 'entries') as Map<string, unknown>).clear();
}
