import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
// #region imports
import { RedisStore } from 'connect-redis';
import { IdleSessionModule } from 'nestjs-idle-session';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { createClient } from 'redis';
// #endregion imports
import { BasicClientSideCache } from 'redis';

const secret = process.env.SESSION_SECRET ?? 'at least sixteen characters';

// #region client
export const connect = (url: string) =>
  createClient({ url, disableOfflineQueue: true, commandOptions: { timeout: 0 } })
    .on('error', (error: Error) => console.error(error.message))
    .connect();

export type Client = Awaited<ReturnType<typeof connect>>;
// #endregion client

// #region module
@Module({
  providers: [
    {
      provide: 'REDIS',
      useFactory: () => connect(process.env.REDIS_URL ?? 'redis://localhost:6379'),
    },
  ],
  exports: ['REDIS'],
})
export class RedisModule implements OnApplicationShutdown {
  constructor(@Inject('REDIS') private readonly client: Client) {}

  onApplicationShutdown(): void {
    this.client.destroy();
  }
}

@Module({
  imports: [
    IdleSessionModule.forRootAsync({
      imports: [RedisModule],
      inject: ['REDIS'],
      useFactory: (client: Client) => ({
        session: { secret, store: new RedisStore({ client }) },
        storage: new RedisActivityStorage(client),
      }),
    }),
  ],
})
export class AppModule {}
// #endregion module

export async function start() {
  // #region main
  const app = await NestFactory.create(AppModule);
  app.enableShutdownHooks();
  // #endregion main
  return app;
}

/** The storage whose ends other processes hear of at once. */
export async function storageWithSubscriber(url: string) {
  const client = await connect(url);
  // #region subscriber
  const subscriber = await client.duplicate().connect();
  const storage = new RedisActivityStorage(client, { subscriber });
  // #endregion subscriber
  return { storage, close: () => [client, subscriber].forEach((each) => each.destroy()) };
}

// #region cache
export const connectWithCache = (url: string) =>
  createClient({
    url,
    RESP: 3,
    clientSideCache: new BasicClientSideCache({ maxEntries: 20_000, ttl: 60_000 }),
    disableOfflineQueue: true,
    commandOptions: { timeout: 0 },
  })
    .on('error', (error: Error) => console.error(error.message))
    .connect();
// #endregion cache
