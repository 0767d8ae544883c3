import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis, type RedisOptions } from 'ioredis';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { keysOf } from '../support/activity-records.js';
import { MINUTE, SECOND } from '../support/durations.js';
import { newSession } from '../support/new-session.js';
import { Stopwatch } from '../support/stopwatch.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { until } from '../support/until.js';

let redis: RedisServer;
let admin: RedisClient;
const clients: Redis[] = [];

beforeAll(async () => {
  redis = await RedisServer.start();
  admin = await redis.client();
});
beforeEach(() => admin.flushAll());
afterAll(async () => {
  clients.forEach((client) => client.disconnect());
  await RedisServer.stopAll();
});

function connect(options: RedisOptions = {}): Redis {
  const client = new Redis(redis.socket, options);
  clients.push(client);
  return client;
}

const IDLE = 15 * MINUTE;

describe('RedisActivityStorage on ioredis', () => {
  it('hears of ends in another process through a subscriber, long before it asks', async () => {
    const client = connect();
    const here = new RedisActivityStorage(client, {
      syncInterval: '1m',
      subscriber: connect(),
    });
    const there = new RedisActivityStorage(connect(), { subscriber: connect() });
    await here.start('a', newSession(IDLE, 'id'));
    await until(
      'it listens',
      async () => (await admin.pubSubNumSub('idle-session:changes'))['idle-session:changes'] === 2,
    );
    expect((await here.read('a')).record?.ended).toBeUndefined();
    const stopwatch = new Stopwatch();
    await there.end('a', 'revoked');
    await until('it has heard', async () => (await here.read('a')).record?.ended === 'revoked');
    expect(stopwatch.stop()).toBeLessThan(10 * SECOND);
  });

  it('does not start with a subscriber that is the client, which would take no commands any more', () => {
    const client = connect();
    expect(() => new RedisActivityStorage(client, { subscriber: client })).toThrow(
      'it takes a connection of its own',
    );
  });

  it('takes no message of another channel for one of its own', async () => {
    const subscriber = connect();
    const storage = new RedisActivityStorage(connect(), { syncInterval: '1m', subscriber });
    await subscriber.subscribe('of the app');
    await storage.start('a', newSession(IDLE, 'id'));
    await storage.read('a');
    await admin.del(keysOf('records'));
    let heard = 0;
    subscriber.on('message', () => heard++);
    await admin.publish('of the app', 'a');
    await until('the message is there', () => heard === 1);
    expect((await storage.read('a')).record).toBeDefined();
  });

  it('puts the prefix of the client before its own', async () => {
    const storage = new RedisActivityStorage(connect({ keyPrefix: 'app:' }), { syncInterval: 0 });
    await storage.start('a', newSession(IDLE, 'id'));
    expect((await storage.end('a', 'revoked')).won).toBe(true);
    const all = ['records', 'deadlines', 'changes', 'untold'] as const;
    const expected = all.flatMap((name) => keysOf(name, 'app:idle-session:'));
    expect((await admin.keys('*')).filter((key) => !expected.includes(key))).toEqual([]);
  });
});
