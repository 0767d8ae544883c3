import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RedisStore } from 'connect-redis';
import { RedisActivityStorage, type RedisScriptClient } from 'nestjs-idle-session/redis';
import { passTime, recordsOf } from '../support/activity-records.js';
import { BufferedApps, page, poll, SLACK } from '../support/buffered-app.js';
import { MINUTE, SECOND } from '../support/durations.js';
import { Stopwatch } from '../support/stopwatch.js';
import { createRedisApp, type RedisApp } from '../support/redis-app.js';
import { until } from '../support/until.js';

const IDLE = 15 * MINUTE;

const apps = BufferedApps.forEachTest();

/** How many calls of each command Redis has seen since `body` began. */
async function commandsOf(body: () => Promise<void>): Promise<Record<string, number>> {
  await apps.admin.configResetStat();
  await body();
  const stats = await apps.admin.info('commandstats');
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

/** Sweeps come each second, and would be counted with what requests cost. */
function withoutSweeps(): void {
  const nothing = { expired: [], more: false };
  jest.spyOn(RedisActivityStorage.prototype, 'expire').mockResolvedValue(nothing);
}

describe('A warm session on Redis', () => {
  beforeEach(withoutSweeps);

  // Long enough for nothing to be exchanged meanwhile.
  const options = { syncInterval: '1m' } as const;

  it('costs the GET of its data, and no command beside', async () => {
    const app = await apps.start(options);
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

  it('costs an exchange an interval or little more, however many requests there are', async () => {
    const app = await apps.start({ syncInterval: '200ms' });
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
    // What is late, on a busy machine, costs a read beside.
    expect(commands.evalsha).toBeLessThanOrEqual(2 * intervals + 4);
    expect(commands.get).toBe(requests);
  });
});

describe('The first request of a session in a process', () => {
  beforeEach(withoutSweeps);

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
    const one = await apps.start({ syncInterval: '1m' });
    const ada = await one.signIn();
    const two = await apps.start(
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
    const one = await apps.start({ syncInterval: '1m' });
    const ada = await one.signIn();
    const two = await apps.start({ syncInterval: '1m' });
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
    const [record] = (await recordsOf(apps.admin)).values();
    return record!.lastActivityAt;
  };

  it('that is due is known to Redis one interval later', () =>
    apps.undisturbed(async () => {
      const app = await apps.start({ syncInterval: '200ms', touchInterval: 0 });
      const ada = await app.signIn();
      await delay(50);
      const before = await lastActivity();
      const stopwatch = new Stopwatch();
      await page(app, ada).expect(200);
      await until('it is sent', async () => (await lastActivity()) >= before + 50);
      expect(stopwatch.stop()).toBeLessThan(200 + SLACK);
    }));

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
    const app = await apps.start({ syncInterval: '200ms' });
    const ada = await app.signIn();
    await passTime(apps.admin, IDLE - MINUTE);
    await delay(300);
    const before = await lastActivity();
    await act(app, ada);
    expect(await lastActivity()).toBeGreaterThan(before + IDLE - MINUTE);
    // So that no other process refuses who was accepted here.
    await passTime(apps.admin, MINUTE);
    const other = await apps.start();
    await page(other, ada).expect(200);
  });

  it('is sent when the app is closed', async () => {
    const app = await createRedisApp(apps.redis, {
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
