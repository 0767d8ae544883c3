import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Duration } from 'nestjs-idle-session';

/** What the environment decides. Durations are milliseconds (`'900000'`) or words (`'15m'`). */
export interface Settings {
  readonly port: number;
  readonly redisUrl: string | undefined;
  readonly sessionSecret: string;
  readonly idleTimeout: Duration;
  /** Left to the module if undefined. */
  readonly warnBefore: Duration | undefined;
  readonly absoluteTimeout: Duration;
  /** Never locks if undefined. */
  readonly lockAfter: Duration | undefined;
  /** After about what time people are asked to come again while Redis does not answer; left to the module if undefined. */
  readonly storageTimeout: Duration | undefined;
  /** On how many devices a person may be signed in; undefined: on any number. */
  readonly maxSessions: number | undefined;
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  return {
    port: Number(env.PORT || 3000),
    redisUrl: env.REDIS_URL || undefined,
    sessionSecret: env.SESSION_SECRET || randomSecret(),
    idleTimeout: env.IDLE_TIMEOUT || '15m',
    warnBefore: env.WARN_BEFORE || undefined,
    absoluteTimeout: env.ABSOLUTE_TIMEOUT || '12h',
    lockAfter: env.LOCK_AFTER || undefined,
    storageTimeout: env.STORAGE_TIMEOUT || undefined,
    maxSessions: env.MAX_SESSIONS ? Number(env.MAX_SESSIONS) : undefined,
  };
}

function randomSecret(): string {
  new Logger('Settings').warn(
    'SESSION_SECRET is not set: using a random one. People have to sign in again after a restart, ' +
      'and processes cannot share sessions.',
  );
  return randomBytes(32).toString('base64url');
}
