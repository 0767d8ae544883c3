import {
  Inject,
  Injectable,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { RedisStore } from 'connect-redis';
import type { Request } from 'express';
import expressSession, { type SessionOptions } from 'express-session';
import type { Observable } from 'rxjs';
import type { RedisClient, RedisServer } from '../../test/support/redis-server.js';
import { listen, noopGuard, noopInterceptor, plainSession, type ListeningApp } from './app.js';
import type { Subject } from './blocks.js';
import { ours, oursOnRedis, SYNC_INTERVAL_MS } from './ours.js';
import { cachingClient, SET_UP } from './redis.js';
import { fill, SECRET } from './sessions.js';

const IDLE_TIMEOUT_MS = 15 * 60_000;

/** The names by which variants are compared. */
export const NAMES = {
  base: 'base',
  baseAgain: 'base, a second copy: the noise',
  noSession: 'no session at all',
  baseSetUp: 'base, its Redis client set up as ours',
  interceptor: 'base with a no-op interceptor',
  rolling: '`rolling: true` and maxAge',
  lastSeen: '`lastSeen` written into the session by an interceptor',
  secondKey: 'a second key, checked by a script in the guard',
  redis: 'ours on Redis',
  defaults: 'ours on Redis, client with its defaults',
  caching: 'ours on Redis, client-side caching',
  memoryBase: 'express-session on memory, no-op guard and interceptor',
  memory: 'ours on memory',
} as const;

const DEFERRING = new Set<string>([NAMES.redis, NAMES.defaults, NAMES.caching]);

export interface Variant extends Subject {
  /** What its keys in Redis begin with. */
  readonly prefix: string;
}

interface OnRedis extends Partial<SessionOptions> {
  readonly disableTouch?: boolean;
  readonly client?: Partial<typeof SET_UP>;
}

/** Every variant as an app of its own in this process, each with its own sessions. */
export async function startVariants(server: RedisServer, sessions: number) {
  const storeOn = async (client: unknown, prefix: string, disableTouch = false) => {
    const store = new RedisStore({ client, prefix, disableTouch });
    await fill(store, sessions);
    return store;
  };
  const inMemory = async () => {
    const store = new expressSession.MemoryStore();
    await fill(store, sessions);
    return store;
  };
  const onRedis =
    (providers: Provider[], { disableTouch = false, client = {}, ...options }: OnRedis = {}) =>
    async (prefix: string) => {
      const store = await storeOn(await server.client(client), prefix, disableTouch);
      return listen({ providers }, plainSession({ store, ...options }));
    };
  const oursOn =
    ({ caching = false, setUp = true } = {}) =>
    async (prefix: string) => {
      const client = await server.client(setUp ? SET_UP : {});
      const reader = caching ? await cachingClient(server, 2 * sessions) : client;
      const store = await storeOn(reader, prefix);
      const syncInterval = SYNC_INTERVAL_MS;
      return listen({ imports: [oursOnRedis({ client, prefix, store, syncInterval })] });
    };

  const lastSeen = { provide: APP_INTERCEPTOR, useClass: LastSeenInterceptor };
  const secondKey = [
    { provide: APP_GUARD, useClass: SecondKeyGuard },
    { provide: REDIS, useValue: await server.client() },
  ];
  const maxAge = IDLE_TIMEOUT_MS;
  const starters: Record<keyof typeof NAMES, (prefix: string) => Promise<ListeningApp>> = {
    noSession: () => listen({ providers: [noopGuard] }),
    base: onRedis([noopGuard]),
    baseAgain: onRedis([noopGuard]),
    baseSetUp: onRedis([noopGuard], { client: SET_UP }),
    interceptor: onRedis([noopGuard, noopInterceptor]),
    rolling: onRedis([noopGuard], { rolling: true, cookie: { maxAge } }),
    lastSeen: onRedis([noopGuard, lastSeen]),
    secondKey: onRedis(secondKey, { disableTouch: true }),
    redis: oursOn(),
    defaults: oursOn({ setUp: false }),
    caching: oursOn({ caching: true }),
    memoryBase: async () =>
      listen(
        { providers: [noopGuard, noopInterceptor] },
        plainSession({ store: await inMemory() }),
      ),
    memory: async () =>
      listen({ imports: [ours({ session: { secret: SECRET, store: await inMemory() } })] }),
  };

  const variants: Variant[] = [];
  const missing: string[] = [];
  for (const [key, start] of Object.entries(starters)) {
    const prefix = `${key}:`;
    const name = NAMES[key as keyof typeof NAMES];
    try {
      const { socketPath } = await start(prefix);
      variants.push({ name, prefix, socketPath, sessions, defers: DEFERRING.has(name) });
    } catch (error) {
      // The others are still worth measuring.
      missing.push(`${name}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  return { variants, missing };
}

type Provider = NonNullable<Parameters<typeof listen>[0]['providers']>[number];

const REDIS = Symbol('REDIS');

@Injectable()
class LastSeenInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    context.switchToHttp().getRequest<Request>().session.lastSeen = Date.now();
    return next.handle();
  }
}

/** Checks and refreshes in one round trip, as a careful team would build it. */
const CHECK_AND_REFRESH = `
local seen = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return seen`;

@Injectable()
class SecondKeyGuard implements CanActivate {
  private sha: Promise<string> | undefined;

  constructor(@Inject(REDIS) private readonly client: RedisClient) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { sessionID } = context.switchToHttp().getRequest<Request>();
    this.sha ??= this.client.scriptLoad(CHECK_AND_REFRESH);
    await this.client.evalSha(await this.sha, {
      keys: [`secondKey:seen:${sessionID}`],
      arguments: [String(Date.now()), String(IDLE_TIMEOUT_MS)],
    });
    return true;
  }
}
