// An app that stands still between an end in Redis and telling of it: forked, and killed there by the test. It says its
// port over IPC, and when a session has ended. Plain JavaScript on the built library.
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RedisStore } from 'connect-redis';
import { IdleSessionModule } from 'nestjs-idle-session';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { createClient } from 'redis';

const { REDIS_URL, SESSION_SECRET } = process.env;

class DyingActivityStorage extends RedisActivityStorage {
  /** @type {RedisActivityStorage['end']} */
  async end(key, reason) {
    const reading = await super.end(key, reason);
    if (reading.won) await standStill();
    return reading;
  }

  /** @type {RedisActivityStorage['expire']} */
  async expire(limit) {
    const expiry = await super.expire(limit);
    if (expiry.expired.length > 0) await standStill();
    return expiry;
  }
}

/** @returns {Promise<never>} */
function standStill() {
  process.send?.({ ended: true });
  return new Promise(() => {});
}

const client = createClient({ url: REDIS_URL });
await client.on('error', () => {}).connect();

class AppModule {}
Module({
  imports: [
    IdleSessionModule.forRoot({
      storage: new DyingActivityStorage(client),
      // A busy machine may take longer than the default.
      storageTimeout: '20s',
      session: { secret: SESSION_SECRET ?? '', store: new RedisStore({ client }) },
    }),
  ],
})(AppModule);

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
await app.listen(0, '127.0.0.1');
process.send?.({ port: app.getHttpServer().address().port });
