import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { Logger } from '@nestjs/common';
import { IdleSessionOptionsError, type ActivityStorage } from 'nestjs-idle-session';
import { RedisActivityStorage, type RedisScriptClient } from 'nestjs-idle-session/redis';
import { activityStorageContract } from 'nestjs-idle-session/testing';
import { Cluster, Redis } from 'ioredis';
import { createClient, createClientPool, createCluster } from 'redis';
import { RedisActivityRecords } from '../../libs/idle-session/src/redis/redis-activity-records.js';
import { createRedisApp } from '../support/redis-app.js';
import { sessionIdOf } from '../support/cookies.js';
import { keysOf, loseRecord, passTime, recordsOf } from '../support/activity-records.js';
import { until } from '../support/until.js';
import { patient } from '../support/patient.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { HOUR, MINUTE } from '../support/test-app.js';
import { newSession } from '../support/new-session.js';

const RETENTION = 24 * HOUR;
const IDLE_TIMEOUT = 15 * MINUTE;

let redis: RedisServer;
let admin: RedisClient;
afterAll(() => RedisServer.stopAll());

type ScriptClient = ConstructorParameters<typeof RedisActivityStorage>[0];

type Connection = ScriptClient & { connect(): Promise<unknown> } & (
    { destroy(): void } | { disconnect(): void }
  );

/** As node-redis: connects when it is told to. */
const lazily = { lazyConnect: true };

const disconnect = (connection: Connection | undefined) => {
  if (!connection) return;
  if ('destroy' in connection) connection.destroy();
  else connection.disconnect();
};

const kinds: { kind: string; connection: () => Connection; cluster?: boolean }[] = [
  {
    kind: 'a client that speaks RESP2',
    connection: () => createClient({ url: redis.url, RESP: 2 }),
  },
  {
    kind: 'a client that speaks RESP3',
    connection: () => createClient({ url: redis.url, RESP: 3 }),
  },
  {
    kind: 'a pool of clients',
    connection: () => createClientPool({ url: redis.url }, { acquireTimeout: 0 }),
  },
  {
    kind: 'a cluster',
    connection: () => createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${redis.port}` }] }),
    cluster: true,
  },
  { kind: 'an ioredis client', connection: () => new Redis(redis.socket, lazily) },
  {
    kind: 'an ioredis cluster',
    connection: () =>
      new Cluster([{ host: '127.0.0.1', port: redis.port }], {
        ...lazily,
        slotsRefreshTimeout: MINUTE,
      }),
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
    disconnect(one);
    disconnect(two);
  });
  beforeEach(() => admin.flushAll());

  it.each(activityStorageContract)('$name', async ({ run }) => {
    const options = { prefix: 'contract:', retention: RETENTION, syncInterval: 0 };
    await run({
      storage: patient(new RedisActivityStorage(one, options)),
      other: patient(anHourAhead(new RedisActivityStorage(two, options))),
      advance: (milliseconds) => passTime(admin, milliseconds, options.prefix),
      lose: (key) => loseRecord(admin, key, options.prefix),
      retentionMs: RETENTION,
    });
  });

  it('goes on when Redis has forgotten the scripts', async () => {
    const storage = new RedisActivityStorage(one, { syncInterval: 0 });
    const operations = [
      () => storage.start('a', newSession(IDLE_TIMEOUT, 'id-a')),
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
    storage = patient(
      new RedisActivityStorage(admin, {
        prefix: 'app:',
        retention: RETENTION,
        syncInterval: 0,
      }),
    );
  });

  afterEach(() => void jest.restoreAllMocks());

  const recordOf = async (ref: string) => (await recordsOf(admin, 'app:')).get(ref);
  const sweep = async () => {
    const expiry = await storage.expire(1000);
    await storage.told(expiry.expired.map(({ key }) => key));
    return expiry;
  };

  it('lie in a few hashes under the prefix, each with its hash tag', async () => {
    for (let session = 0; session < 200; session++)
      await storage.start(`session-${session}`, newSession(IDLE_TIMEOUT, 'id'));
    const keys = await admin.keys('*');
    expect(keys.sort()).toEqual(
      [...keysOf('records', 'app:'), ...keysOf('deadlines', 'app:')].sort(),
    );
    expect((await recordsOf(admin, 'app:')).size).toBe(200);
    await new RedisActivityStorage(admin).start('c', newSession(IDLE_TIMEOUT, 'id-c'));
    expect((await recordsOf(admin)).size).toBe(1);
  });

  it('are named by a hash of the session id, and forget the id when the session ends', async () => {
    const test = await createRedisApp(redis);
    try {
      const cookie = await test.signIn();
      const id = sessionIdOf(cookie);
      await test.ask.get('/page').set('Cookie', cookie).expect(200);
      const [[ref, record] = ['', undefined]] = await recordsOf(admin);
      expect(ref).not.toContain(id);
      expect(record?.rest).toBe(id);
      await test.ask.post('/sign-out').set('Cookie', cookie).expect(204);
      await until(
        'the event is known to be told',
        async () => (await recordsOf(admin)).get(ref)?.rest === 'signed-out',
      );
      expect(JSON.stringify([...(await recordsOf(admin))])).not.toContain(id);
    } finally {
      await test.close();
    }
  });

  it('that cannot be read are an error, not unknown', async () => {
    for (const key of keysOf('records', 'app:')) await admin.set(key, 'not a hash');
    await expect(storage.read('a')).rejects.toThrow(/WRONGTYPE/);
  });

  it('are removed once they have been past their deadline and their end for the retention time', async () => {
    await storage.start('a', newSession(IDLE_TIMEOUT, 'id-a'));
    await storage.start('b', newSession(IDLE_TIMEOUT, 'id-b'));
    await storage.end('b', 'signed-out');
    await storage.told(['b']);
    await passTime(admin, IDLE_TIMEOUT, 'app:');
    await sweep();
    expect((await recordOf('a'))?.rest).toBe('idle');
    await passTime(admin, RETENTION - IDLE_TIMEOUT, 'app:');
    await sweep();
    expect([...(await recordsOf(admin, 'app:')).keys()]).toEqual(['a']);
    await passTime(admin, IDLE_TIMEOUT, 'app:');
    await sweep();
    expect((await recordsOf(admin, 'app:')).size).toBe(0);
    expect(await Promise.all(keysOf('deadlines', 'app:').map((key) => admin.zCard(key)))).toEqual(
      Array.from({ length: 4 }, () => 0),
    );
  });

  it('go by themselves when nobody uses them any more', async () => {
    await storage.start('a', newSession(IDLE_TIMEOUT, 'id-a'));
    await storage.end('a', 'signed-out');
    for (const key of await admin.keys('*')) {
      expect(await admin.pTTL(key)).toBeGreaterThan(RETENTION - MINUTE);
      expect(await admin.pTTL(key)).toBeLessThanOrEqual(2 * RETENTION + IDLE_TIMEOUT);
    }
  });

  it('go by themselves, too, if there never was more than an end', async () => {
    await storage.end('a', 'revoked');
    for (const key of await admin.keys('*')) expect(await admin.pTTL(key)).toBeGreaterThan(0);
  });

  const deadlines = async () =>
    (await Promise.all(keysOf('deadlines', 'app:').map((key) => admin.zRange(key, 0, -1)))).flat();

  it('are looked at again close to their deadline, wherever activity has moved it', async () => {
    await storage.start('a', newSession(IDLE_TIMEOUT, 'id-a'));
    for (let round = 0; round < 20; round++) {
      await passTime(admin, IDLE_TIMEOUT - MINUTE, 'app:');
      expect((await sweep()).expired).toEqual([]);
      const { now } = await storage.read('a');
      await storage.touch('a', IDLE_TIMEOUT, now);
    }
    expect(await deadlines()).toHaveLength(1);
    await passTime(admin, IDLE_TIMEOUT, 'app:');
    expect((await sweep()).expired).toHaveLength(1);
  });

  it('have one place among the deadlines each, however often their deadline moves back and forth', async () => {
    await storage.start('a', newSession(IDLE_TIMEOUT, 'id-a'));
    for (let round = 1; round <= 20; round++) {
      for (const timeout of [MINUTE, IDLE_TIMEOUT]) {
        await passTime(admin, 1000, 'app:');
        await storage.touch('a', timeout, (await storage.read('a')).now);
      }
      await passTime(admin, MINUTE, 'app:');
      expect((await sweep()).expired).toEqual([]);
      expect(await deadlines()).toEqual(['a']);
    }
    await storage.touch('a', MINUTE, (await storage.read('a')).now);
    await passTime(admin, MINUTE, 'app:');
    expect((await sweep()).expired).toMatchObject([
      { key: 'a', sessionId: 'id-a', reason: 'idle' },
    ]);
    expect(await deadlines()).toEqual(['a']);
    await passTime(admin, RETENTION, 'app:');
    await sweep();
    expect(await deadlines()).toEqual([]);
  });

  it.each([
    ['is empty', ''],
    ['is of an unknown version', `\u0002${'x'.repeat(80)}`],
    ['breaks off', '\u0001\u0000\u0001'],
    ['is any text', '1735689600000 900000 - 1735689600000 id'],
    ['looks like one, and is none', `\u0001${'\u007f'.repeat(60)}`],
  ])(
    'harm no other session of their partition when one %s, and the log says it',
    async (_, garbage) => {
      const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
      const monotonic = jest.spyOn(performance, 'now').mockReturnValue(0);
      const records = new RedisActivityRecords(admin, 'app:', RETENTION, '');
      const [good, bad] = ['a', 'q'];
      const partition = records.partitionOf(good);
      expect(records.partitionOf(bad)).toBe(partition);
      for (const key of [good, bad])
        await storage.start(key, newSession(IDLE_TIMEOUT, `id-${key}`));
      const spoil = () => admin.hSet(keysOf('records', 'app:')[partition]!, bad, garbage);

      await passTime(admin, MINUTE, 'app:');
      await spoil();
      const { now } = await storage.read(good);
      const touches = [bad, good].map((key) => ({ key, idleTimeoutMs: IDLE_TIMEOUT, at: now }));
      const { changed } = await records.sync(partition, touches, undefined);
      expect(changed).toBe('all');
      expect((await storage.read(good)).record?.lastActivityAt).toBe(now);

      // For its owner it is as good as lost: it ends for good, and no touch brings it back.
      await storage.touch(bad, IDLE_TIMEOUT, now);
      await storage.read(bad);
      expect(logged.mock.calls).toEqual([[expect.stringContaining('a record in no known form')]]);
      expect((await storage.end(bad, 'revoked')).record?.ended).toBe('revoked');
      await passTime(admin, IDLE_TIMEOUT, 'app:');
      await spoil();
      await admin.zAdd(keysOf('deadlines', 'app:')[partition]!, { score: 1, value: bad });
      monotonic.mockReturnValue(MINUTE);
      expect((await sweep()).expired).toMatchObject([
        { key: good, sessionId: `id-${good}`, reason: 'idle' },
      ]);
      expect(await deadlines()).toEqual([good]);
      expect(logged).toHaveBeenCalledTimes(2);
    },
  );

  it('whose deadline moved back end then', async () => {
    await storage.start('a', newSession(IDLE_TIMEOUT, 'id-a'));
    await passTime(admin, 1000, 'app:');
    await storage.touch('a', 5000, (await storage.read('a')).now);
    await passTime(admin, 5000, 'app:');
    expect((await sweep()).expired).toHaveLength(1);
  });

  it('stay for as long as the longest of them is needed', async () => {
    await storage.start('a', newSession(3 * RETENTION, 'id-a'));
    await storage.start('a', newSession(IDLE_TIMEOUT, 'id-a'));
    for (const key of await admin.keys('*'))
      expect(await admin.pTTL(key)).toBeGreaterThan(4 * RETENTION - MINUTE);
  });

  it('are kept for 24 hours unless the options say otherwise', async () => {
    const options = { prefix: 'app:', syncInterval: 0 } as const;
    const unsaid = new RedisActivityStorage(admin, options);
    const said = new RedisActivityStorage(admin, { ...options, retention: '10m' });
    await unsaid.end('a', 'revoked');
    await passTime(admin, 10 * MINUTE, 'app:');
    expect((await unsaid.read('a')).record?.ended).toBe('revoked');
    expect((await said.read('a')).record).toBeUndefined();
    await passTime(admin, 24 * HOUR - 10 * MINUTE, 'app:');
    expect((await unsaid.read('a')).record).toBeUndefined();
  });

  it('do not change any more once they have ended', async () => {
    const { now } = await storage.start('a', newSession(IDLE_TIMEOUT, 'id-a'));
    await passTime(admin, MINUTE, 'app:');
    await storage.end('a', 'signed-out');
    const ended = await recordOf('a');
    await storage.touch('a', 2 * IDLE_TIMEOUT, now);
    await storage.start('a', newSession(2 * IDLE_TIMEOUT, 'id-a'));
    await storage.end('a', 'revoked');
    expect(await recordOf('a')).toEqual(ended);
  });

  it('are in whole milliseconds, also for a touch that is not', async () => {
    const { now } = await storage.start('a', newSession(IDLE_TIMEOUT, 'id-a'));
    await passTime(admin, MINUTE, 'app:');
    await storage.touch('a', IDLE_TIMEOUT, now - 1000.75);
    const { startedAt, lastActivityAt } = (await recordOf('a'))!;
    expect(lastActivityAt - startedAt).toBeGreaterThan(MINUTE - 2000);
    expect(Number.isInteger(lastActivityAt)).toBe(true);
  });

  it('are touched in batches as one by one: never in the future, and not once nobody needs them', async () => {
    const records = new RedisActivityRecords(admin, 'app:', RETENTION, '');
    const { now } = await storage.start('a', newSession(IDLE_TIMEOUT, 'id-a'));
    const touchIn = async (at: number) => {
      const touch = { key: 'a', idleTimeoutMs: IDLE_TIMEOUT, at };
      return (await records.sync(records.partitionOf('a'), [touch], undefined)).now;
    };
    await passTime(admin, MINUTE, 'app:');
    const later = await touchIn(now + 5 * MINUTE);
    expect((await recordOf('a'))!.lastActivityAt).toBeLessThanOrEqual(later);
    expect((await recordOf('a'))!.lastActivityAt).toBeGreaterThan(later - MINUTE);

    await passTime(admin, RETENTION + IDLE_TIMEOUT, 'app:');
    const before = await recordOf('a');
    await touchIn(before!.lastActivityAt + MINUTE);
    expect(await recordOf('a')).toEqual(before);
  });

  it('keep a session id whatever it looks like', async () => {
    const id = "an id of the app's own - with 'spaces', ünïcode and - 12 34";
    await storage.start('a', newSession(IDLE_TIMEOUT, id));
    await storage.touch('a', IDLE_TIMEOUT, Number.MAX_SAFE_INTEGER);
    await passTime(admin, IDLE_TIMEOUT, 'app:');
    // Also where it is told by another process, in the place of one that died.
    for (let tellers = 0; tellers < 2; tellers++) {
      const { expired } = await storage.expire(1000);
      expect(expired).toMatchObject([{ key: 'a', sessionId: id, reason: 'idle' }]);
      await passTime(admin, MINUTE, 'app:');
    }
  });

  it('are on the time of Redis', async () => {
    const timeOfRedis = async () => {
      const [seconds, microseconds] = await admin.sendCommand<string[]>(['TIME']);
      return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    };
    const before = await timeOfRedis();
    const { now } = await anHourAhead(storage).start('a', newSession(IDLE_TIMEOUT, 'id-a'));
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(await timeOfRedis());
  });
});

describe('RedisActivityStorage', () => {
  it.each([undefined, null, {}, 'redis://localhost', { evalSHA: () => {}, eval: () => {} }])(
    'says what it takes instead of %p',
    (client) => {
      const create = () => new RedisActivityStorage(client as unknown as ScriptClient);
      expect(create).toThrow(IdleSessionOptionsError);
      expect(create).toThrow(
        /"client" .* takes a client, cluster, sentinel or pool of node-redis, or .* of ioredis/,
      );
    },
  );

  it('says what a subscriber is', () => {
    const client: RedisScriptClient = { eval: async () => {}, evalSha: async () => {} };
    expect(() => new RedisActivityStorage(client, { subscriber: {} as never })).toThrow(
      /"subscriber" .* takes a connected client of node-redis or ioredis/,
    );
  });

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
    index: storage.index,
    read: (key) => ahead(() => storage.read(key)),
    start: (key, session) => ahead(() => storage.start(key, session)),
    unlock: (key, idleTimeoutMs) => ahead(() => storage.unlock!(key, idleTimeoutMs)),
    touch: (key, idleTimeoutMs, at) => ahead(() => storage.touch(key, idleTimeoutMs, at)),
    end: (key, reason) => ahead(() => storage.end(key, reason)),
    expire: (limit) => ahead(() => storage.expire(limit)),
  };
}
