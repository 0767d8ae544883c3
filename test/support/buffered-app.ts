import { afterAll, afterEach, beforeAll, beforeEach, jest } from '@jest/globals';
import { RedisStore } from 'connect-redis';
import type { SessionData } from 'express-session';
import { RedisActivityStorage, type RedisActivityStorageOptions } from 'nestjs-idle-session/redis';
import { SECOND } from './durations.js';
import { OpenStream } from './open-stream.js';
import { unlessStoodStill } from './unless-stood-still.js';
import { until } from './until.js';
import { createRedisApp, type RedisApp, type RedisAppOptions } from './redis-app.js';
import { RedisServer, type RedisClient } from './redis-server.js';

/** What may come on top of a time on a busy machine, in tests that run {@link BufferedApps.undisturbed}. */
export const SLACK = SECOND;

/** One Redis for all tests of a file, and apps on it with the buffer that users get. Always empty when a test begins. */
export class BufferedApps {
  redis!: RedisServer;
  /** For what tests do behind the apps' backs. */
  admin!: RedisClient;
  /** They are closed after each test. */
  readonly opened: RedisApp[] = [];

  static forEachTest(): BufferedApps {
    const apps = new BufferedApps();
    beforeAll(async () => {
      apps.redis = await RedisServer.start();
      apps.admin = await apps.redis.client();
    });
    afterAll(() => RedisServer.stopAll());
    beforeEach(() => apps.admin.flushAll());
    afterEach(async () => {
      jest.restoreAllMocks();
      await Promise.all(apps.opened.splice(0).map((app) => app.close()));
    });
    return apps;
  }

  /** Runs a test again, on apps of its own, that failed while Redis or this process stood still. */
  undisturbed(test: () => Promise<void>): Promise<void> {
    return unlessStoodStill(test, {
      ask: () => this.admin.ping(),
      startOver: () => this.startOver(),
    });
  }

  private async startOver(): Promise<void> {
    OpenStream.leaveAll();
    for (const { app } of this.opened) app.getHttpServer().closeAllConnections();
    await Promise.all(this.opened.splice(0).map((app) => app.close()));
    await this.admin.flushAll();
  }

  async start(
    options: RedisActivityStorageOptions = {},
    others: RedisAppOptions = {},
  ): Promise<RedisApp> {
    const app = await createRedisApp(this.redis, {
      storage: (client) => new RedisActivityStorage(client, options),
      ...others,
    });
    this.opened.push(app);
    return app;
  }
}

export const page = (app: RedisApp, cookie: string) => app.ask.get('/page').set('Cookie', cookie);
export const poll = (app: RedisApp, cookie: string) => app.ask.get('/poll').set('Cookie', cookie);

/** As a store with a cache on the client's side: serves what another process has removed. */
class CachingStore extends RedisStore {
  private readonly cache = new Map<string, SessionData>();

  override async get(id: string, done?: (error: unknown, data?: SessionData | null) => void) {
    const cached = this.cache.get(id);
    if (cached) {
      done?.(null, structuredClone(cached));
      return cached;
    }
    const data = (await super.get(id)) as SessionData | null;
    if (data) this.cache.set(id, data);
    done?.(null, data && structuredClone(data));
    return data;
  }

  override async destroy(_: string, done?: (error?: unknown) => void) {
    done?.();
  }
}

export const caching: RedisAppOptions = { store: (client) => new CachingStore({ client }) };

/** Requests until the session is refused; for how long that took. */
export function untilRefused(app: RedisApp, cookie: string, path = '/poll'): Promise<number> {
  return until('it is refused', async () => {
    const { status } = await app.ask.get(path).set('Cookie', cookie);
    return status === 401;
  });
}
