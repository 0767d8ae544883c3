import type { DynamicModule } from '@nestjs/common';
import { RedisStore } from 'connect-redis';
import type { Store } from 'express-session';
import {
  IdleSessionModule,
  MemoryActivityStorage,
  type IdleSessionModuleOptions,
} from 'nestjs-idle-session';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import type { RedisClient } from '../../test/support/redis-server.js';
import { SECRET } from './sessions.js';

/**
 * How long touches may be collected where blocks are measured: shorter than the default of a second, so that what is put
 * off is done, and paid for, within the block that it belongs to. It costs more than the default does.
 */
export const SYNC_INTERVAL_MS = 200;

/** For many sign-ins at once, on a machine that may be busy. */
export const PATIENT = { storageTimeout: '30s' } as const;

export interface OnRedis {
  readonly client: RedisClient;
  readonly prefix: string;
  /** Default: as the library does it. */
  readonly syncInterval?: number;
  readonly rememberedSessions?: number;
  readonly subscriber?: RedisClient;
  readonly store?: Store;
  readonly options?: Partial<IdleSessionModuleOptions>;
}

/** The module with everything on Redis, and with its defaults. */
export function oursOnRedis({ client, prefix, store, options, ...buffer }: OnRedis) {
  return ours({
    storage: new RedisActivityStorage(client, { prefix: `${prefix}activity:`, ...buffer }),
    session: { secret: SECRET, store: store ?? new RedisStore({ client, prefix }) },
    ...options,
  });
}

export function ours(options: Partial<IdleSessionModuleOptions>): DynamicModule {
  const storage = new MemoryActivityStorage();
  return IdleSessionModule.forRoot({ session: { secret: SECRET }, storage, ...options });
}
