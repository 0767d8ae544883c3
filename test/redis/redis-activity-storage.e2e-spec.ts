import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { IdleSessionOptionsError, type ActivityStorage } from 'nestjs-idle-session';
import { RedisActivityStorage, type RedisScriptClient } from 'nestjs-idle-session/redis';
import { activityStorageContract } from 'nestjs-idle-session/testing';
import { createClient, createClientPool, createCluster } from 'redis';
import { createRedisApp, sessionIdOf } from '../support/redis-app.js';
import { passTime, RedisServer, type RedisClient } from '../support/redis-server.js';
import { HOUR, MINUTE } from '../support/test-app.js';

const RETENTION = 24 * HOUR;
/** For `toBeCloseTo`: to less than 5000 ms. */
const SECONDS = -4;
const IDLE_TIMEOUT = 15 * MINUTE;

let redis: RedisServer;
let admin: RedisClient;
afterAll(() => RedisServer.stopAll());

interface Connection extends RedisScriptClient {
  connect(): Promise<unknown>;
  destroy(): void;
}

const kinds: { kind: string; connection: () => Connection; cluster?: boolean }[] = [
  {
    kind: 'a client that speaks RESP2',
    connection: () => createClient({ url: redis.url, RESP: 2 }),
  },
  {
    kind: 'a client that speaks RESP3',
    connection: () => createClient({ url: redis.url, RESP: 3 }),
  },
  { kind: 'a pool of clients', connection: () => createClientPool({ url: redis.url }) },
  {
    kind: 'a cluster',
    connection: () => createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${redis.port}` }] }),
    cluster: true,
  },
];

describe.each(kinds)('RedisActivityStorage on $kind', ({ connection, cluster }) => {
  let one: Connection;
  let two: Connection;

  beforeAll(async () => {
    await RedisServer.stopAll();
    redis = await RedisServer.start({ cluster });
    admin = await redis.client();
    one = connection();
    two = connection();
    await Promise.all([one.connect(), two.connect()]);
  });
  afterAll(() => {
    one?.destroy();
    two?.destroy();
  });
  beforeEach(() => admin.flushAll());

  it.each(activityStorageContract)('$name', async ({ run }) => {
    const options = { prefix: 'contract:', retention: RETENTION };
    await run({
      storage: new RedisActivityStorage(one, options),
      other: anHourAhead(new RedisActivityStorage(two, options)),
      advance: (milliseconds) => passTime(admin, milliseconds, options.prefix),
      lose: async (key) => void (await admin.del(`${options.prefix}{${key}}`)),
      retentionMs: RETENTION,
    });
  });

  it('goes on when Redis has forgotten the scripts', async () => {
    const storage = new RedisActivityStorage(one);
    const operations = [
      () => storage.start('a', IDLE_TIMEOUT),
      () => storage.touch('a', IDLE_TIMEOUT, 0),
      () => storage.read('a'),
      () => storage.end('a', 'revoked'),
    ];
    for (const operation of operations) {
      await admin.scriptFlush();
      expect((await operation()).record).toBeDefined();
    }
  });
});

describe('The records of RedisActivityStorage', () => {
  let storage: RedisActivityStorage;

  beforeAll(async () => {
    await RedisServer.stopAll();
    redis = await RedisServer.start();
    admin = await redis.client();
  });
  beforeEach(async () => {
    await admin.flushAll();
    storage = new RedisActivityStorage(admin, { prefix: 'app:', retention: RETENTION });
  });

  const ttlOf = (key: string) => admin.pTTL(`app:{${key}}`);

  it('are one key for each session, under the prefix and with a hash tag', async () => {
    await storage.start('a', IDLE_TIMEOUT);
    await storage.end('b', 'revoked');
    expect((await admin.keys('*')).sort()).toEqual(['app:{a}', 'app:{b}']);
    await new RedisActivityStorage(admin).start('c', IDLE_TIMEOUT);
    expect(await admin.keys('*c*')).toEqual(['idle-session:{c}']);
  });

  it('are named by a hash of the session id, and hold no session id', async () => {
    const test = await createRedisApp(redis);
    try {
      const cookie = await test.signIn();
      const id = sessionIdOf(cookie);
      await test.ask.get('/page').set('Cookie', cookie).expect(200);
      const activity = await admin.keys('idle-session:*');
      expect(activity).toHaveLength(1);
      expect(JSON.stringify([activity, await admin.hGetAll(activity[0]!)])).not.toContain(id);
      expect(await admin.keys(`*${id}*`)).toEqual([`sess:${id}`]);
    } finally {
      await test.close();
    }
  });

  it('that cannot be read are an error, not unknown', async () => {
    await admin.set('app:{a}', 'not a hash');
    await expect(storage.read('a')).rejects.toThrow(/WRONGTYPE/);
  });

  it('expire by themselves once their deadline has been past for the retention time', async () => {
    await storage.start('a', IDLE_TIMEOUT);
    expect(await ttlOf('a')).toBeCloseTo(IDLE_TIMEOUT + RETENTION, SECONDS);
    await passTime(admin, 10 * MINUTE, 'app:');
    expect(await ttlOf('a')).toBeCloseTo(5 * MINUTE + RETENTION, SECONDS);
    await storage.touch('a', 2 * IDLE_TIMEOUT, Number.MAX_SAFE_INTEGER);
    expect(await ttlOf('a')).toBeCloseTo(2 * IDLE_TIMEOUT + RETENTION, SECONDS);
  });

  it('expire no later for a touch that came late', async () => {
    const { now } = await storage.start('a', IDLE_TIMEOUT);
    await passTime(admin, 10 * MINUTE, 'app:');
    await storage.touch('a', IDLE_TIMEOUT, now - 4 * MINUTE);
    expect(await ttlOf('a')).toBeCloseTo(11 * MINUTE + RETENTION, SECONDS);
    await storage.touch('a', IDLE_TIMEOUT, now - 8 * MINUTE);
    expect(await ttlOf('a')).toBeCloseTo(11 * MINUTE + RETENTION, SECONDS);
  });

  it('are kept for the retention time after an end, also where there was none before', async () => {
    await storage.start('a', IDLE_TIMEOUT);
    await storage.end('a', 'signed-out');
    await storage.end('b', 'signed-out');
    expect(await ttlOf('a')).toBeCloseTo(RETENTION, SECONDS);
    expect(await ttlOf('b')).toBeCloseTo(RETENTION, SECONDS);
  });

  it('are kept for 24 hours unless the options say otherwise', async () => {
    await new RedisActivityStorage(admin, { prefix: 'app:' }).end('a', 'revoked');
    expect(await ttlOf('a')).toBeCloseTo(24 * HOUR, SECONDS);
    await new RedisActivityStorage(admin, { prefix: 'app:', retention: '10m' }).end('b', 'revoked');
    expect(await ttlOf('b')).toBeCloseTo(10 * MINUTE, SECONDS);
  });

  it('do not change any more once they have ended', async () => {
    const { now } = await storage.start('a', IDLE_TIMEOUT);
    await passTime(admin, MINUTE, 'app:');
    await storage.end('a', 'signed-out');
    const ended = await admin.hGetAll('app:{a}');
    await storage.touch('a', 2 * IDLE_TIMEOUT, now);
    await storage.start('a', 2 * IDLE_TIMEOUT);
    await storage.end('a', 'revoked');
    expect(await admin.hGetAll('app:{a}')).toEqual(ended);
  });

  it('are in whole milliseconds, also for a touch that is not', async () => {
    const { now } = await storage.start('a', IDLE_TIMEOUT);
    await passTime(admin, MINUTE, 'app:');
    await storage.touch('a', IDLE_TIMEOUT, now - 1000.75);
    expect(await admin.hGet('app:{a}', 'l')).toMatch(/^\d{13}$/);
  });

  it('are on the time of Redis', async () => {
    const timeOfRedis = async () => {
      const [seconds, microseconds] = await admin.sendCommand<string[]>(['TIME']);
      return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    };
    const before = await timeOfRedis();
    const { now } = await anHourAhead(storage).start('a', IDLE_TIMEOUT);
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(await timeOfRedis());
  });
});

describe('RedisActivityStorage', () => {
  it.each([undefined, null, {}, 'redis://localhost', { evalsha: () => {}, eval: () => {} }])(
    'says what it takes instead of %p',
    (client) => {
      const create = () => new RedisActivityStorage(client as unknown as RedisScriptClient);
      expect(create).toThrow(IdleSessionOptionsError);
      expect(create).toThrow(/"client" .* takes a node-redis client, cluster, sentinel or pool/);
    },
  );

  it('names a wrong retention', () => {
    const client: RedisScriptClient = { eval: async () => {}, evalSha: async () => {} };
    expect(() => new RedisActivityStorage(client, { retention: 'a day' })).toThrow(
      `Option "retention" got 'a day'; it takes a duration above zero`,
    );
  });
});

/** The storage as a process uses it whose clock is an hour ahead. */
function anHourAhead(storage: ActivityStorage): ActivityStorage {
  const ahead = <T>(operation: () => T): T => {
    const RealDate = Date;
    const realNow = performance.now.bind(performance);
    globalThis.Date = class extends RealDate {
      constructor(...args: []) {
        super(...((args.length === 0 ? [RealDate.now() + HOUR] : args) as []));
      }
      static override now = () => RealDate.now() + HOUR;
    } as DateConstructor;
    performance.now = () => realNow() + HOUR;
    try {
      // The command is made before the first await.
      return operation();
    } finally {
      globalThis.Date = RealDate;
      performance.now = realNow;
    }
  };
  return {
    read: (key) => ahead(() => storage.read(key)),
    start: (key, idleTimeoutMs) => ahead(() => storage.start(key, idleTimeoutMs)),
    touch: (key, idleTimeoutMs, at) => ahead(() => storage.touch(key, idleTimeoutMs, at)),
    end: (key, reason) => ahead(() => storage.end(key, reason)),
  };
}
