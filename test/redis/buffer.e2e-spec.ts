import { setTimeout as delay } from 'node:timers/promises';
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
import { RedisStore } from 'connect-redis';
import expressSession, { type SessionData, type Store } from 'express-session';
import { IdleSessionGuard, IdleSessionInterceptor } from 'nestjs-idle-session';
import {
  RedisActivityStorage,
  type RedisActivityStorageOptions,
  type RedisScriptClient,
} from 'nestjs-idle-session/redis';
import { keysOf, loseRecord, passTime, recordsOf } from '../support/activity-records.js';
import { createRedisApp, type RedisApp, type RedisAppOptions } from '../support/redis-app.js';
import { Gate } from '../support/gate.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { MINUTE, SECOND } from '../support/test-app.js';
import { until } from '../support/until.js';

const IDLE = 15 * MINUTE;

/** What may come on top of a time on a busy machine. */
const SLACK = SECOND;

let redis: RedisServer;
let admin: RedisClient;
beforeAll(async () => {
  redis = await RedisServer.start();
  admin = await redis.client();
});
afterAll(() => RedisServer.stopAll());
beforeEach(() => admin.flushAll());

const opened: RedisApp[] = [];
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(opened.splice(0).map((app) => app.close()));
});

/** An app with the buffer that users get. */
async function anApp(
  options: RedisActivityStorageOptions = {},
  others: RedisAppOptions & { redis?: RedisServer } = {},
): Promise<RedisApp> {
  const app = await createRedisApp(others.redis ?? redis, {
    storage: (client) => new RedisActivityStorage(client, options),
    ...others,
  });
  opened.push(app);
  return app;
}

const page = (app: RedisApp, cookie: string) => app.ask.get('/page').set('Cookie', cookie);
const poll = (app: RedisApp, cookie: string) => app.ask.get('/poll').set('Cookie', cookie);

/** How many calls of each command Redis has seen since `body` began. */
async function commandsOf(body: () => Promise<void>): Promise<Record<string, number>> {
  await admin.configResetStat();
  await body();
  const stats = await admin.info('commandstats');
  return Object.fromEntries(
    Array.from(stats.matchAll(/cmdstat_(\w+):calls=(\d+)/g), ([, name, calls]) => [
      name,
      Number(calls),
    ]),
  );
}

/** Passes script calls on, and takes down when each was made. */
function recording(client: RedisScriptClient, note: (what: string) => void): RedisScriptClient {
  return {
    eval: (script, call) => (note('script'), client.eval(script, call)),
    evalSha: (sha1, call) => (note('script'), client.evalSha(sha1, call)),
  };
}

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
const caching: RedisAppOptions = { store: (client) => new CachingStore({ client }) };

/** So long that the app has had its first news, and knows the session since. */
async function warmUp(app: RedisApp, cookie: string, milliseconds: number): Promise<void> {
  for (const began = performance.now(); performance.now() - began < milliseconds; await delay(20))
    await page(app, cookie).expect(200);
}

/** Asks until the session is refused; for how long that took. */
async function untilRefused(app: RedisApp, cookie: string, path = '/poll'): Promise<number> {
  const began = performance.now();
  for (;;) {
    const { status } = await app.ask.get(path).set('Cookie', cookie);
    const passed = performance.now() - began;
    if (status === 401 || passed > 10 * SECOND) return passed;
    await delay(10);
  }
}

describe('A warm session on Redis', () => {
  // Long enough for nothing to be exchanged meanwhile.
  const options = { syncInterval: '1m' } as const;

  it('costs the GET of its data, and no command beside', async () => {
    const app = await anApp(options);
    const ada = await app.signIn();
    await page(app, ada).expect(200);
    const commands = await commandsOf(async () => {
      for (let request = 0; request < 30; request++) await page(app, ada).expect(200);
      await poll(app, ada).expect(200);
      await app.ask.post('/idle-session/heartbeat').set('Cookie', ada).send({ idleForMs: 0 });
    });
    expect(commands).toMatchObject({ get: 32 });
    expect(Object.keys(commands).filter((name) => !/^(get|config|info)/.test(name))).toEqual([]);
  });

  it('is let in without a promise, by the guard and by the interceptor', async () => {
    const app = await anApp(options);
    const ada = await app.signIn();
    await page(app, ada).expect(200);
    const guard = jest.spyOn(app.app.get(IdleSessionGuard), 'canActivate');
    const interceptor = jest.spyOn(app.app.get(IdleSessionInterceptor), 'intercept');
    await page(app, ada).expect(200);
    expect(guard.mock.results.map(({ value }) => value)).toEqual([true]);
    expect(interceptor.mock.results.map(({ value }) => 'then' in (value as object))).toEqual([
      false,
    ]);
  });

  it('costs two exchanges an interval, however many requests there are', async () => {
    const app = await anApp({ syncInterval: '200ms' });
    const ada = await app.signIn();
    let requests = 0;
    const began = performance.now();
    const commands = await commandsOf(async () => {
      while (performance.now() - began < SECOND) {
        await page(app, ada).expect(200);
        requests++;
      }
    });
    const intervals = (performance.now() - began) / 200;
    // The sweeper's turn may fall into it: one script for each of sixteen partitions.
    expect(commands.evalsha).toBeLessThanOrEqual(2 * intervals + 4 + 16);
    expect(commands.get).toBe(requests);
  });
});

describe('The first request of a session in a process', () => {
  it('reads its activity in the same tick as its data', async () => {
    const order: string[] = [];
    const note = (what: string) => {
      order.push(what);
      process.nextTick(() => order.push('next tick'));
    };
    class Recording extends RedisStore {
      override get(...question: Parameters<RedisStore['get']>) {
        note('data');
        return super.get(...question);
      }
    }
    const one = await anApp({ syncInterval: '1m' });
    const ada = await one.signIn();
    const two = await anApp(
      {},
      {
        store: (client) => new Recording({ client }),
        storage: (client) =>
          new RedisActivityStorage(recording(client, note), { syncInterval: '1m' }),
      },
    );
    await page(two, ada).expect(200);
    expect(order.slice(0, 3)).toEqual(['data', 'script', 'next tick']);
    expect(order.filter((what) => what === 'script')).toHaveLength(1);
  });

  it('shares that reading with all that come at the same time', async () => {
    const one = await anApp({ syncInterval: '1m' });
    const ada = await one.signIn();
    const two = await anApp({ syncInterval: '1m' });
    const commands = await commandsOf(async () => {
      await Promise.all(Array.from({ length: 8 }, () => page(two, ada).expect(200)));
    });
    expect(commands.get).toBe(8);
    // Connections of the requests are made one after the other, so that not all come while it is read.
    expect(commands.evalsha).toBeLessThan(8);
    expect(commands.evalsha).toBeGreaterThanOrEqual(1);
    expect((await commandsOf(async () => void (await page(two, ada)))).evalsha).toBeUndefined();
  });
});

describe('Activity in one process', () => {
  const lastActivity = async () => {
    const [record] = (await recordsOf(admin)).values();
    return record!.lastActivityAt;
  };

  it('is known to Redis one interval later', async () => {
    const app = await anApp({ syncInterval: '200ms' });
    const ada = await app.signIn();
    await delay(50);
    const before = await lastActivity();
    const began = performance.now();
    await page(app, ada).expect(200);
    await until('it is sent', async () => (await lastActivity()) >= before + 50);
    expect(performance.now() - began).toBeLessThan(200 + SLACK);
  });

  it.each([
    ['a request', (app: RedisApp, ada: string) => page(app, ada).expect(200)],
    [
      'a heartbeat',
      (app: RedisApp, ada: string) =>
        app.ask
          .post('/idle-session/heartbeat')
          .set('Cookie', ada)
          .send({ idleForMs: 0 })
          .expect(200),
    ],
  ])('at the last moment is known when the answer to %s is here', async (_, act) => {
    const app = await anApp({ syncInterval: '200ms' });
    const ada = await app.signIn();
    await passTime(admin, IDLE - 5 * SECOND);
    await delay(300);
    const before = await lastActivity();
    await act(app, ada);
    expect(await lastActivity()).toBeGreaterThan(before + IDLE - 5 * SECOND);
    // So that no other process refuses who was accepted here.
    await passTime(admin, 5 * SECOND);
    const other = await anApp();
    await page(other, ada).expect(200);
  });

  it('is sent when the app is closed', async () => {
    const app = await createRedisApp(redis, {
      storage: (client) => new RedisActivityStorage(client, { syncInterval: '1m' }),
    });
    const ada = await app.signIn();
    const before = await lastActivity();
    await delay(30);
    await page(app, ada).expect(200);
    expect(await lastActivity()).toBe(before);
    await app.close();
    expect(await lastActivity()).toBeGreaterThanOrEqual(before + 30);
  });
});

describe('A sign-out in one process', () => {
  it('is known there at once, even if the session’s data stays', async () => {
    const one = await anApp({ syncInterval: '1m' }, caching);
    const ada = await one.signIn();
    await page(one, ada).expect(200);
    await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
    const { body } = await page(one, ada).expect(401);
    expect(body.reason).toBe('signed-out');
  });

  it('is known in another at once, when the session’s data is gone', async () => {
    const [one, two] = [await anApp({ syncInterval: '1m' }), await anApp({ syncInterval: '1m' })];
    const ada = await one.signIn();
    await page(two, ada).expect(200);
    await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
    await two.ask.get('/members').set('Cookie', ada).expect(401);
    const { body } = await two.ask.get('/idle-session/status').set('Cookie', ada).expect(200);
    expect(body).toMatchObject({ state: 'expired', reason: 'signed-out' });
  });

  it.each(['/poll', '/page'])(
    'is known in another one interval later, even if the session’s data stays (%s)',
    async (path) => {
      const options = { syncInterval: '500ms' } as const;
      const [one, two] = [await anApp(options, caching), await anApp(options, caching)];
      const ada = await one.signIn();
      await warmUp(two, ada, 600);
      await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
      await two.ask.get(path).set('Cookie', ada).expect(200);
      expect(await untilRefused(two, ada, path)).toBeLessThan(500 + SLACK);
    },
  );

  it('is known in another well before that with a subscriber', async () => {
    const subscriber = await redis.client();
    const one = await anApp({ subscriber: await redis.client() }, caching);
    const two = await anApp({ syncInterval: '1m', subscriber }, caching);
    const ada = await one.signIn();
    await page(two, ada).expect(200);
    await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
    expect(await untilRefused(two, ada)).toBeLessThan(SLACK);
  });

  it.each([
    ['is lost', (subscriber: RedisClient) => subscriber.destroy()],
    ['was never there', () => {}],
  ])('is known one interval later when the subscriber’s connection %s', async (_, lose) => {
    const subscriber = await redis.client();
    if (lose.length === 0) subscriber.destroy();
    const options = { syncInterval: '500ms', subscriber } as const;
    const [one, two] = [await anApp(options, caching), await anApp(options, caching)];
    const ada = await one.signIn();
    await warmUp(two, ada, 600);
    lose(subscriber);
    await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
    await poll(two, ada).expect(200);
    expect(await untilRefused(two, ada)).toBeLessThan(500 + SLACK);
  });

  it('is told at once again when the subscriber’s connection is back', async () => {
    const subscriber = await redis.client();
    const options = { syncInterval: '1m', prefix: 'back:' } as const;
    const one = await anApp({ ...options, subscriber: await redis.client() }, caching);
    const two = await anApp({ ...options, subscriber }, caching);
    const ada = await one.signIn();
    await page(two, ada).expect(200);
    const ready = new Promise((resolve) => subscriber.once('ready', resolve));
    await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
    await ready;
    await until(
      'both listen',
      async () => (await admin.pubSubNumSub('back:changes'))['back:changes'] === 2,
    );
    await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
    expect(await untilRefused(two, ada)).toBeLessThan(SLACK);
  });
});

describe('Of what another process changed, a RedisActivityStorage', () => {
  const INTERVAL = 200;
  const storages = async (other: RedisActivityStorageOptions = {}) => {
    const here = new RedisActivityStorage(await redis.client(), { syncInterval: INTERVAL });
    const there = new RedisActivityStorage(await redis.client(), { syncInterval: 0, ...other });
    return { here, there };
  };

  /** Looks at the session without a break, until something else is said of it than that it is alive. */
  async function untilDead(storage: RedisActivityStorage, key: string): Promise<number> {
    const began = performance.now();
    for (;;) {
      const { record } = await storage.read(key);
      const passed = performance.now() - began;
      if (!record || record.ended !== undefined || passed > 5 * SECOND) return passed;
      await delay(10);
    }
  }

  /** So that it has its first news, and those that come. */
  async function keepInUse(storage: RedisActivityStorage, key: string): Promise<void> {
    for (let passed = 0; passed < 2 * INTERVAL; passed += 50) {
      await storage.read(key);
      await delay(50);
    }
  }

  /** Keys of one partition, since their characters add up to the same. */
  const keyOf = (index: number) => {
    const digits = String(index).padStart(5, '0');
    const complement = Array.from(digits, (digit) => 9 - Number(digit)).join('');
    return `session-${digits}-${complement}`;
  };

  it('knows a shorter idle timeout one interval later', async () => {
    const { here, there } = await storages();
    await here.start('a', IDLE, 'id');
    await keepInUse(here, 'a');
    await there.touch('a', MINUTE, Number.MAX_SAFE_INTEGER);
    await keepInUse(here, 'a');
    expect((await here.read('a')).record?.idleTimeoutMs).toBe(MINUTE);
  });

  it('knows everything, also when it is more than a partition remembers', async () => {
    const { here, there } = await storages();
    const keys = Array.from({ length: 1100 }, (_, index) => keyOf(index));
    await Promise.all(keys.map(async (key) => here.start(key, IDLE, 'id')));
    const alive = keyOf(5000);
    await here.start(alive, IDLE, 'id');
    await keepInUse(here, alive);
    await Promise.all(keys.map(async (key) => here.read(key)));
    await Promise.all(keys.map(async (key) => there.end(key, 'revoked')));
    await keepInUse(here, alive);
    const records = await Promise.all(keys.map(async (key) => (await here.read(key)).record));
    expect(records.filter((record) => record?.ended === undefined)).toEqual([]);
  });

  it.each<[string, number]>([
    ['nothing has ever changed', 0],
    ['something has changed', 1],
  ])('forgets what a flush took away, where %s before', async (_, changesBefore) => {
    const { here, there } = await storages();
    await here.start(keyOf(0), IDLE, 'id');
    for (let change = 1; change <= changesBefore; change++)
      await there.end(keyOf(change), 'revoked');
    await keepInUse(here, keyOf(0));
    await admin.flushAll();
    expect(await untilDead(here, keyOf(0))).toBeLessThan(INTERVAL + SLACK);
  });

  it('forgets what a flush took away, however much has changed since', async () => {
    const { here, there } = await storages();
    await here.start(keyOf(0), IDLE, 'id');
    await there.end(keyOf(1), 'revoked');
    await keepInUse(here, keyOf(0));
    await admin.flushAll();
    for (let change = 2; change < 7; change++) await there.end(keyOf(change), 'revoked');
    expect(await untilDead(here, keyOf(0))).toBeLessThan(INTERVAL + SLACK);
  });

  it('knows what expired there by a limit that it does not have', async () => {
    const { here, there } = await storages();
    await here.start('a', IDLE, 'id');
    await keepInUse(here, 'a');
    await delay(20);
    // As when a new release shortens the absolute timeout, one process after the other.
    for (const key of keysOf('deadlines')) {
      for (const value of await admin.zRange(key, 0, -1))
        await admin.zAdd(key, { value, score: 1 }, { XX: true });
    }
    const { expired } = await there.expire(10, 1000);
    expect(expired).toEqual([{ key: 'a', sessionId: 'id', reason: 'absolute' }]);
    expect(await untilDead(here, 'a')).toBeLessThan(INTERVAL + SLACK);
  });

  it('forgets everything when what changed has been evicted', async () => {
    const { here, there } = await storages();
    const [ended, alive] = [keyOf(0), keyOf(1)];
    for (const key of [ended, alive]) await here.start(key, IDLE, 'id');
    await there.end(keyOf(2), 'revoked');
    await keepInUse(here, alive);
    await here.read(ended);
    await there.end(ended, 'revoked');
    await admin.del(keysOf('changes'));
    await keepInUse(here, alive);
    expect((await here.read(ended)).record?.ended).toBe('revoked');
  });

  it('finds out that a record is lost when it is touched', async () => {
    const { here } = await storages();
    await here.start('a', IDLE, 'id');
    await keepInUse(here, 'a');
    await loseRecord(admin, 'a');
    await here.touch('a', IDLE, Number.MAX_SAFE_INTEGER);
    expect(await untilDead(here, 'a')).toBeLessThan(INTERVAL + SLACK);
  });

  it('loses nothing of many touches at once', async () => {
    const { here } = await storages();
    const keys = Array.from({ length: 1200 }, (_, index) => keyOf(index));
    await Promise.all(keys.map(async (key) => here.start(key, IDLE, 'id')));
    await keepInUse(here, keys[0]!);
    await Promise.all(keys.map(async (key) => here.read(key)));
    const at = new Map<string, number>();
    for (const key of keys) {
      const { record } = await here.touch(key, IDLE, Number.MAX_SAFE_INTEGER);
      at.set(key, record!.lastActivityAt);
    }
    await here.flush();
    const records = await recordsOf(admin);
    // The clock here may be ahead of Redis's by what an exchange takes.
    const late = keys.filter((key) => {
      const { lastActivityAt } = records.get(key)!;
      return Math.abs(lastActivityAt - at.get(key)!) > SLACK;
    });
    expect(late).toEqual([]);
    const sinceStart = [...records.values()].map((r) => r.lastActivityAt - r.startedAt);
    expect(sinceStart.filter((milliseconds) => milliseconds < INTERVAL)).toEqual([]);
  });
});

describe('An outage of the activity storage alone', () => {
  const INTERVAL = 300;
  const STORAGE_TIMEOUT = 300;
  let away: RedisServer;
  let app: RedisApp;
  let ada: string;
  beforeEach(async () => {
    away = await RedisServer.start();
    app = await anApp(
      { syncInterval: INTERVAL },
      { activity: away, options: { storageTimeout: STORAGE_TIMEOUT } },
    );
    ada = await app.signIn();
    await page(app, ada).expect(200);
  });
  afterEach(() => away.kill());

  const kinds = [
    { kind: 'stopped', begin: () => away.kill(), end: () => away.launch() },
    { kind: 'hung', begin: async () => away.freeze(), end: async () => away.thaw() },
  ];

  async function recovered(): Promise<void> {
    let status = 503;
    await until('the storage answers', async () => {
      // Passive, so that it tells nothing new.
      ({ status } = await poll(app, ada));
      return status !== 503;
    });
    expect(status).toBe(200);
  }

  it.each(kinds)(
    'is told within an interval and storageTimeout, and loses nothing ($kind)',
    async ({ begin, end }) => {
      const client = await away.client();
      const lastActivity = async () => {
        const [record] = (await recordsOf(client)).values();
        return record!.lastActivityAt;
      };
      await delay(INTERVAL);
      await page(app, ada).expect(200);
      const before = await lastActivity();
      await delay(30);
      // Not sent yet.
      await page(app, ada).expect(200);
      await begin();
      const began = performance.now();
      let status = 200;
      while (status === 200) {
        ({ status } = await page(app, ada));
        await delay(10);
      }
      expect(status).toBe(503);
      expect(performance.now() - began).toBeLessThan(INTERVAL + STORAGE_TIMEOUT + SLACK);
      await end();
      await recovered();
      await until('it is sent', async () => (await lastActivity()) >= before + 20);
      expect(await lastActivity()).toBeGreaterThanOrEqual(before + 20);
      expect(app.events.map(({ type }) => type)).toEqual(['started']);
    },
  );

  it.each(kinds)(
    'does not keep the app from closing, and is one line ($kind)',
    async ({ begin }) => {
      // So that there is something to send.
      const late = await anApp({ syncInterval: '1m' }, { activity: away });
      await page(late, await late.signIn()).expect(200);
      await begin();
      const began = performance.now();
      const apps = opened.splice(0);
      await Promise.all(apps.map((each) => each.close()));
      expect(performance.now() - began).toBeLessThan(3 * SECOND);
      // What all apps of a process log comes to the newest of them.
      expect(late.log.length).toBeLessThanOrEqual(apps.length);
      expect(new Set(late.log.map(({ level }) => level))).toEqual(new Set(['error']));
    },
  );

  it.each(kinds)(
    'does not keep the app from closing in the middle of a sweep ($kind)',
    async ({ begin, end }) => {
      await begin();
      // Sessions are swept each second.
      await delay(1200);
      opened.splice(0);
      const closed = app.close().then(() => 'closed');
      const outcome = await Promise.race([closed, delay(3 * SECOND, 'still open')]);
      await end();
      await closed;
      expect(outcome).toBe('closed');
    },
  );
});

it('A first request that waits while somebody signs out does not bring the session back', async () => {
  const gate = new Gate();
  class SlowToRead extends RedisActivityStorage {
    slow = true;

    override async read(...question: Parameters<RedisActivityStorage['read']>) {
      const reading = await super.read(...question);
      if (!this.slow) return reading;
      this.slow = false;
      await gate.pass();
      return reading;
    }
  }
  const one = await anApp({ syncInterval: '1m' }, caching);
  const two = await anApp(
    {},
    {
      ...caching,
      storage: (client) => new SlowToRead(client, { syncInterval: '300ms' }),
    },
  );
  const ada = await one.signIn();
  const early = page(two, ada).then(({ status }) => status);
  await gate.reached;
  await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
  await delay(500);
  gate.open();
  expect([200, 401]).toContain(await early);
  await poll(two, ada).expect(401);
  expect((await recordsOf(admin)).size).toBe(1);
});

it('A flushed Redis ends the sessions whose data is elsewhere, one interval later', async () => {
  const store = new expressSession.MemoryStore();
  const app = await anApp({ syncInterval: '300ms' }, { store: () => store as Store as RedisStore });
  const ada = await app.signIn();
  for (let passed = 0; passed < 600; passed += 50) {
    await poll(app, ada).expect(200);
    await delay(50);
  }
  await admin.flushAll();
  expect(await untilRefused(app, ada)).toBeLessThan(300 + SLACK);
});
