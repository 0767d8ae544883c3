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
import type { RedisClient } from '../../test/support/redis-server.js';
import { listen, noopGuard, noopInterceptor, plainSession, type ListeningApp } from './app.js';
import { ours, oursOnRedis } from './ours.js';
import { cachingClient, connectedClient, SET_UP } from './redis.js';
import { fill, SECRET } from './sessions.js';

const IDLE_TIMEOUT_MS = 15 * 60_000;

/** What a variant is started with. */
export interface VariantOptions {
  readonly redisUrl: string;
  /** So many people are signed in. */
  readonly sessions: number;
  /** What its keys in Redis begin with. */
  readonly prefix: string;
}

type Starter = (options: VariantOptions) => Promise<ListeningApp>;
type Provider = NonNullable<Parameters<typeof listen>[0]['providers']>[number];

interface OnRedis extends Partial<SessionOptions> {
  readonly disableTouch?: boolean;
  readonly clientOptions?: Partial<typeof SET_UP>;
}

const REDIS = Symbol('REDIS');

/** The ways to end idle sessions that are compared, each as an app of its own, by the names in the results. */
export const VARIANTS = {
  'no session at all': () => listen({ providers: [noopGuard] }),
  base: onRedis([noopGuard]),
  'base, a second copy: the noise': onRedis([noopGuard]),
  'base with a no-op interceptor': onRedis([noopGuard, noopInterceptor]),
  '`rolling: true` and maxAge': onRedis([noopGuard], {
    rolling: true,
    cookie: { maxAge: IDLE_TIMEOUT_MS },
  }),
  '`lastSeen` written into the session': onRedis(() => [
    noopGuard,
    { provide: APP_INTERCEPTOR, useClass: LastSeenInterceptor },
  ]),
  'a second key, checked by a script in the guard': onRedis(
    (client) => [
      { provide: APP_GUARD, useClass: SecondKeyGuard },
      { provide: REDIS, useValue: client },
    ],
    { disableTouch: true },
  ),
  'ours on Redis': oursOn(),
  'ours on Redis, client-side caching': oursOn({ caching: true }),
  'base, client with its defaults': onRedis([noopGuard], { clientOptions: {} }),
  'ours on Redis, client with its defaults': oursOn({ clientOptions: {} }),
  'express-session on memory, no-op guard and interceptor': async ({ sessions }) =>
    listen(
      { providers: [noopGuard, noopInterceptor] },
      plainSession({ store: await inMemory(sessions) }),
    ),
  'ours on memory': async ({ sessions }) =>
    listen({ imports: [ours({ session: { secret: SECRET, store: await inMemory(sessions) } })] }),
} satisfies Record<string, Starter>;

export type VariantName = keyof typeof VARIANTS;

function onRedis(
  providers: Provider[] | ((client: RedisClient) => Provider[]),
  { disableTouch = false, clientOptions = SET_UP, ...options }: OnRedis = {},
): Starter {
  return async ({ redisUrl, prefix, sessions }) => {
    const client = await connectedClient(redisUrl, clientOptions);
    const store = new RedisStore({ client, prefix, disableTouch });
    await fill(store, sessions);
    return listen(
      { providers: typeof providers === 'function' ? providers(client) : providers },
      plainSession({ store, ...options }),
    );
  };
}

function oursOn({
  caching = false,
  clientOptions = SET_UP,
}: { readonly caching?: boolean; readonly clientOptions?: Partial<typeof SET_UP> } = {}): Starter {
  return async ({ redisUrl, prefix, sessions }) => {
    const client = await connectedClient(redisUrl, clientOptions);
    const reader = caching ? await cachingClient(redisUrl, 2 * sessions) : client;
    const store = new RedisStore({ client: reader, prefix });
    await fill(store, sessions);
    return listen({ imports: [oursOnRedis({ client, prefix, store })] });
  };
}

async function inMemory(sessions: number) {
  const store = new expressSession.MemoryStore();
  await fill(store, sessions);
  return store;
}

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
