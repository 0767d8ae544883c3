import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import supertest from 'supertest';
import { AppModule, connectWithCache, storageWithSubscriber } from '../../docs/examples/redis.js';
import { RedisServer } from '../support/redis-server.js';
import { TestController } from '../support/test-app.js';

let redis: RedisServer;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  redis = await RedisServer.start();
  process.env.REDIS_URL = redis.url;
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => RedisServer.stopAll());

async function startApp(): Promise<INestApplication> {
  const builder = Test.createTestingModule({ imports: [AppModule], controllers: [TestController] });
  const app = (await builder.compile()).createNestApplication();
  await app.init();
  closing.push(() => app.close());
  return app;
}

describe('docs/redis.md', () => {
  it('two apps on one Redis share sessions, and their ends', async () => {
    const [one, other] = [await startApp(), await startApp()];
    const signedIn = await supertest(one.getHttpServer()).post('/sign-in').expect(200);
    const cookie = signedIn.get('Set-Cookie')![0]!.split(';')[0]!;
    const ask = (app: INestApplication, path = '/page') =>
      supertest(app.getHttpServer()).get(path).set('Cookie', cookie);
    await ask(other).expect(200, { user: 'ada' });
    await supertest(one.getHttpServer()).post('/sign-out').set('Cookie', cookie).expect(204);
    await ask(other).expect(200, { user: null });
    const { body } = await ask(other, '/idle-session/status').expect(200);
    expect(body).toMatchObject({ state: 'expired', reason: 'signed-out' });
  });

  it('a client with a cache, and a storage with a subscriber, answer', async () => {
    const cached = await connectWithCache(redis.url);
    closing.push(() => cached.destroy());
    expect(await cached.get('greeting')).toBeNull();
    const { storage, close } = await storageWithSubscriber(redis.url);
    closing.push(close);
    expect((await storage.read('unknown')).record).toBeUndefined();
    await storage.flush();
  });
});
