import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { RedisStore } from 'connect-redis';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { SECOND } from '../support/durations.js';
import { createRedisApp, type RedisApp } from '../support/redis-app.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';

/** Long enough for a busy machine to answer many requests at once. */
const STORAGE_TIMEOUT = SECOND;

let redis: RedisServer;
let test: RedisApp;
let ada: string;
/** The app's own clients. */
let clients: Pick<RedisClient, 'ping'>[];
/** The commands that they were handed. */
let handed: string[];

const COMMANDS = ['get', 'set', 'expire', 'del', 'eval', 'evalSha'] as const;

function counting<T extends object>(client: T): T {
  clients.push(client as T & Pick<RedisClient, 'ping'>);
  for (const command of COMMANDS) {
    const own = (client as Pick<RedisClient, 'get'>)[command as 'get'].bind(client);
    jest.spyOn(client as Pick<RedisClient, 'get'>, command as 'get').mockImplementation(((
      ...given: [string]
    ) => {
      handed.push(command);
      return own(...given);
    }) as never);
  }
  return client;
}

beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => RedisServer.stopAll());
beforeEach(async () => {
  clients = [];
  handed = [];
  test = await createRedisApp(redis, {
    options: { storageTimeout: STORAGE_TIMEOUT },
    store: (client) => new RedisStore({ client: counting(client as object) as never }),
    storage: (client) => new RedisActivityStorage(counting(client), { syncInterval: '200ms' }),
  });
  ada = await test.signIn();
  handed = [];
});
afterEach(async () => {
  redis.thaw();
  await test.close();
});

const page = () => test.ask.get('/page').set('Cookie', ada);
const pages = async (count: number) =>
  (await Promise.all(Array.from({ length: count }, page))).map(({ status }) => status);

it('A Redis that hangs is handed few commands, however many requests come', async () => {
  redis.freeze();
  expect(new Set(await pages(40))).toEqual(new Set([503]));
  handed = [];
  const began = performance.now();
  let requests = 0;
  while (performance.now() - began < 3000 || requests < 120) requests += (await pages(40)).length;
  const intervals = (performance.now() - began) / STORAGE_TIMEOUT;
  // In each interval a question to the store and one to the storage; and what looks after changes, and after the ends of
  // four partitions. Without a limit it is two for each request of forty.
  expect(handed.length).toBeLessThan(10 * intervals + 40);
});

it('The first answer ends it: all requests are served at once', async () => {
  redis.freeze();
  await pages(40);
  expect(new Set(await pages(40))).toEqual(new Set([503]));
  redis.thaw();
  // Answers come in order: what was asked meanwhile has been answered once these are.
  await Promise.all(clients.map((client) => client.ping()));
  await nextTurn();
  // As few as tell "all" from "one": on a busy machine, forty take longer than the storage timeout.
  expect(new Set(await pages(5))).toEqual(new Set([200]));
});
