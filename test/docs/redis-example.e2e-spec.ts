import { connect as connectTo, createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { INestApplication, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import supertest from 'supertest';
import * as ioredis from '../../docs/examples/ioredis.js';
import * as nodeRedis from '../../docs/examples/redis.js';
import { passTime } from '../support/activity-records.js';
import { newSession } from '../support/new-session.js';
import { RedisServer } from '../support/redis-server.js';
import { MINUTE, TestController } from '../support/test-app.js';
import { waitForRedis } from '../support/wait-for-redis.js';

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

async function startApp(module: Type): Promise<INestApplication> {
  const builder = Test.createTestingModule({ imports: [module], controllers: [TestController] });
  const app = (await waitForRedis(builder).compile()).createNestApplication();
  await app.init();
  closing.push(() => app.close());
  return app;
}

/** A way to the Redis that breaks when the test says so, before the next answer arrives. */
async function breakableWay() {
  let isBreaking = false;
  const way = createServer((client) => {
    const there = connectTo(redis.socket);
    for (const end of [client, there]) {
      end.on('error', () => {});
      end.on('close', () => [client, there].forEach((each) => each.destroy()));
    }
    client.pipe(there);
    there.on('data', (answer) => {
      if (isBreaking) client.destroy();
      else client.write(answer);
      isBreaking = false;
    });
  });
  await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve));
  closing.push(() => way.close());
  const url = `redis://127.0.0.1:${(way.address() as AddressInfo).port}`;
  return { url, break: () => void (isBreaking = true) };
}

describe.each([
  { library: 'node-redis', ...nodeRedis },
  { library: 'ioredis', ...ioredis },
])('docs/redis.md with $library', ({ AppModule, connect, storageWithSubscriber }) => {
  it('two apps on one Redis share sessions, and their ends', async () => {
    const [one, other] = [await startApp(AppModule), await startApp(AppModule)];
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

  it('sends what it collected when it stops, and then closes the connection', async () => {
    const [stopping, other] = [await startApp(AppModule), await startApp(AppModule)];
    const signedIn = await supertest(stopping.getHttpServer()).post('/sign-in').expect(200);
    const cookie = signedIn.get('Set-Cookie')![0]!.split(';')[0]!;
    const ask = (app: INestApplication, path: string) =>
      supertest(app.getHttpServer()).get(path).set('Cookie', cookie).expect(200);
    const admin = await redis.client();
    await passTime(admin, 5 * MINUTE);
    await ask(stopping, '/page');
    await stopping.close();
    const { body } = await ask(other, '/idle-session/status');
    expect((body as { expiresInMs: number }).expiresInMs).toBeGreaterThan(14 * MINUTE);
  });

  it('sends no command again whose answer was lost: that would say that nothing was done', async () => {
    const way = await breakableWay();
    const client = await connect(way.url);
    closing.push(() => ('destroy' in client ? client.destroy() : client.disconnect()));
    // The connection that breaks, of which the example says so.
    jest.spyOn(console, 'error').mockImplementation(() => {});
    closing.push(() => jest.restoreAllMocks());
    const storage = new RedisActivityStorage(client);
    // The script is there then, so that the next command is one.
    await storage.start('one', newSession(15 * MINUTE));
    way.break();
    await expect(storage.start('one more', newSession(15 * MINUTE))).rejects.toThrow(
      /closed|max retries/,
    );
    const other = new RedisActivityStorage(await redis.client());
    expect((await other.read('one more')).record).toBeDefined();
  });

  it('a storage with a subscriber answers', async () => {
    const { storage, close } = await storageWithSubscriber(redis.url);
    closing.push(close);
    expect((await storage.read('unknown')).record).toBeUndefined();
    await storage.flush();
  });
});

it('docs/redis.md: main.ts has Nest close the app on a signal', async () => {
  const listeners = process.listenerCount('SIGTERM');
  const app = await nodeRedis.start();
  await app.init();
  expect(process.listenerCount('SIGTERM')).toBe(listeners + 1);
  await app.close();
});

it('docs/redis.md: a client with a cache answers', async () => {
  const cached = await nodeRedis.connectWithCache(redis.url);
  closing.push(() => cached.destroy());
  expect(await cached.get('greeting')).toBeNull();
});
