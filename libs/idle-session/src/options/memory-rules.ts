import cluster from 'node:cluster';
import type { Logger } from '@nestjs/common';
import expressSession from 'express-session';
import { MemoryActivityStorage } from '../activity/memory-activity-storage.js';
import { IdleSessionOptionsError } from '../utils/option-error.js';
import type { IdleSessionModuleOptions } from './idle-session.options.js';

/**
 * Sessions and their activity belong together: with one of them in the memory of each process, a second process would
 * end the sessions of the first. An app that means it says so.
 * @throws {IdleSessionOptionsError} if one is shared and the other was left out
 */
export function checkKeptTogether({
  storage,
  session: { store },
}: Pick<IdleSessionModuleOptions, 'storage' | 'session'>): void {
  const sharesData = store !== undefined && !isMemoryStore(store);
  const sharesActivity = storage !== undefined && !(storage instanceof MemoryActivityStorage);
  if (sharesData && storage === undefined) {
    throw new IdleSessionOptionsError(
      'storage',
      undefined,
      'a storage that all processes share, as they share session.store, such as RedisActivityStorage; ' +
        'new MemoryActivityStorage() says that there is one process only',
    );
  }
  if (sharesActivity && store === undefined) {
    throw new IdleSessionOptionsError(
      'session.store',
      undefined,
      'a store that all processes share, as they share storage, such as connect-redis; ' +
        "express-session's new MemoryStore() says that there is one process only",
    );
  }
}

/** Says what is lost where sessions or their activity are kept in this process alone. */
export function warnOfMemory(
  { storage, session: { store } }: Pick<IdleSessionModuleOptions, 'storage' | 'session'>,
  logger: Logger,
): void {
  const isLeftOut = storage === undefined || store === undefined;
  const isInMemory = isLeftOut || storage instanceof MemoryActivityStorage || isMemoryStore(store);
  if (isInMemory && cluster.isWorker) {
    logger.warn(
      'This process is one of several workers, and sessions live in its own memory: the other workers do not know them, and sign people out. Give options "storage" and "session.store" that all workers share.',
    );
  } else if (isLeftOut && process.env.NODE_ENV === 'production') {
    logger.warn(
      'Without options "storage" and "session.store", sessions live in the memory of this process: they are lost when it restarts and unknown to any other.',
    );
  }
}

export function isMemoryStore(store: unknown): boolean {
  return store instanceof expressSession.MemoryStore;
}
