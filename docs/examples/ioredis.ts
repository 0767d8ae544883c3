import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { RedisStore } from 'connect-redis-8';
import { Redis } from 'ioredis';
import { IdleSessionModule } from 'nestjs-idle-session';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';

const secret = process.env.SESSION_SECRET ?? 'at least sixteen characters';

// #region client
export async function connect(url: string): Promise<Redis> {
  const client = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  }).on('error', (error) => console.error(error.message));
  await client.connect();
  return client;
}
// #endregion client

@Module({
  providers: [
    {
      provide: 'REDIS',
      useFactory: () => connect(process.env.REDIS_URL ?? 'redis://localhost:6379'),
    },
  ],
  exports: ['REDIS'],
})
class RedisModule implements OnApplicationShutdown {
  constructor(@Inject('REDIS') private readonly client: Redis) {}

  onApplicationShutdown(): void {
    this.client.disconnect();
  }
}

@Module({
  imports: [
    IdleSessionModule.forRootAsync({
      imports: [RedisModule],
      inject: ['REDIS'],
      // #region options
      useFactory: (client: Redis) => ({
        session: { secret, store: new RedisStore({ client }) },
        storage: new RedisActivityStorage(client),
      }),
      // #endregion options
    }),
  ],
})
export class AppModule {}

/** The storage whose ends other processes hear of at once. */
export async function storageWithSubscriber(url: string) {
  const client = await connect(url);
  // #region subscriber
  const subscriber = client.duplicate();
  await subscriber.connect();
  const storage = new RedisActivityStorage(client, { subscriber });
  // #endregion subscriber
  return { storage, close: () => [client, subscriber].forEach((each) => each.disconnect()) };
}
