import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { ExpiredSessionSweeper } from '../../libs/idle-session/src/session/expired-session.sweeper.js';
import { passTime, recordsOf } from '../support/activity-records.js';
import { inBatches } from '../support/batches.js';
import { patient } from '../support/patient.js';
import {
  createRedisApp,
  patientStorage,
  type RedisApp,
  type RedisAppOptions,
} from '../support/redis-app.js';
import { sessionIdOf } from '../support/cookies.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { HOUR, MINUTE, SECOND } from '../support/test-app.js';
import { unlessStoodStill } from '../support/unless-stood-still.js';
import { until } from '../support/until.js';
import { newSession } from '../support/new-session.js';

let redis: RedisServer;
let admin: RedisClient;
beforeAll(async () => {
  redis = await RedisServer.start();
  admin = await redis.client();
});
afterAll(() => RedisServer.stopAll());
beforeEach(() => admin.flushAll());

const opened: RedisApp[] = [];
const closeAll = async () => {
  await Promise.all(opened.splice(0).map((app) => app.close()));
};
afterEach(closeAll);

async function startOver(): Promise<void> {
  await closeAll();
  await admin.flushAll();
}

async function anApp(options: RedisAppOptions & { on?: RedisServer } = {}): Promise<RedisApp> {
  const app = await createRedisApp(options.on ?? redis, {
    storage: (client) => patient(new RedisActivityStorage(client)),
    ...options,
  });
  opened.push(app);
  return app;
}

/** What an app does each second. */
const sweep = ({ app }: RedisApp) => app.get(ExpiredSessionSweeper).sweep();

const typesOf = (...apps: RedisApp[]) =>
  apps.flatMap(({ events }) => events.map(({ type }) => type));
const expiredOf = (...apps: RedisApp[]) => typesOf(...apps).filter((type) => type === 'expired');

describe('A session on Redis whose time is up', () => {
  // The one test here that goes by the real timer.
  it('ends within about a second, without any request, and is removed', () =>
    unlessStoodStill(
      async () => {
        const app = await anApp();
        const ada = await app.signIn();
        expect(await admin.exists(`sess:${sessionIdOf(ada)}`)).toBe(1);
        await passTime(admin, 15 * MINUTE);
        expect(await until('it expired', () => expiredOf(app).length > 0)).toBeLessThan(2 * SECOND);
        await sweep(app);
        expect(app.events[1]).toMatchObject({ type: 'expired', reason: 'idle' });
        expect(await admin.exists(`sess:${sessionIdOf(ada)}`)).toBe(0);
        const { body } = await app.ask.get('/page').set('Cookie', ada).expect(401);
        expect(body.reason).toBe('idle');
        expect(typesOf(app)).toEqual(['started', 'expired']);
      },
      { ask: () => admin.ping(), startOver },
    ));

  it('ends at the absolute limit, and that is the reason that stays', async () => {
    const app = await anApp({ storage: patientStorage, options: { absoluteTimeout: '20m' } });
    const ada = await app.signIn();
    await passTime(admin, 10 * MINUTE);
    await delay(10);
    await app.ask.post('/idle-session/heartbeat').set('Cookie', ada).send({ idleForMs: 0 });
    await passTime(admin, 10 * MINUTE);
    await sweep(app);
    expect(app.events[1]).toMatchObject({ type: 'expired', reason: 'absolute' });
    await passTime(admin, HOUR);
    const { body } = await app.ask.get('/idle-session/status').set('Cookie', ada).expect(200);
    expect(body).toMatchObject({ state: 'expired', reason: 'absolute' });
  });

  it('emits one event, however many processes sweep and get requests at the same moment', async () => {
    const [one, two] = [await anApp(), await anApp()];
    const cookies = await Promise.all(Array.from({ length: 30 }, () => one.signIn()));
    await passTime(admin, 15 * MINUTE);
    const requests = cookies
      .slice(0, 10)
      .map((cookie, index) =>
        (index % 2 === 0 ? one : two).ask.get('/page').set('Cookie', cookie).then(),
      );
    await Promise.all([sweep(one), ...requests, sweep(two), sweep(one), sweep(two)]);
    await until('all expired', () => expiredOf(one, two).length >= 30);
    await Promise.all([sweep(one), sweep(two)]);
    const expired = [...one.events, ...two.events].filter(({ type }) => type === 'expired');
    expect(expired).toHaveLength(30);
    expect(new Set(expired.map(({ sessionRef }) => sessionRef)).size).toBe(30);
    expect(await admin.keys('sess:*')).toEqual([]);
  });

  it('is ended by those that are left when the process that it was made in is gone', async () => {
    const one = await anApp();
    await one.signIn();
    opened.splice(0);
    await one.close();
    const two = await anApp();
    await passTime(admin, 15 * MINUTE);
    await sweep(two);
    expect([typesOf(one), typesOf(two)]).toEqual([['started'], ['expired']]);
    expect(await admin.keys('sess:*')).toEqual([]);
  });
});

describe('A session on Redis does not end by itself', () => {
  it('while another process knows of activity that it has not sent yet', async () => {
    const one = await anApp();
    const late = await anApp({
      storage: (client) => patient(new RedisActivityStorage(client, { syncInterval: '1m' })),
    });
    const ada = await one.signIn();
    await late.ask.get('/page').set('Cookie', ada).expect(200);
    await passTime(admin, 14 * MINUTE);
    // It knows better than to put that off.
    const fresh = await anApp();
    await fresh.ask.get('/page').set('Cookie', ada).expect(200);
    await passTime(admin, MINUTE);
    await Promise.all([sweep(one), sweep(late), sweep(fresh)]);
    expect(expiredOf(one, late, fresh)).toEqual([]);
    await one.ask.get('/page').set('Cookie', ada).expect(200);
  });

  it('after a sign-out, in whatever process', async () => {
    const [one, two] = [await anApp(), await anApp()];
    const ada = await one.signIn();
    await two.ask.post('/sign-out').set('Cookie', ada).expect(204);
    for (const later of [15 * MINUTE, HOUR]) {
      await passTime(admin, later);
      await Promise.all([sweep(one), sweep(two)]);
    }
    expect(typesOf(one, two)).toEqual(['started', 'ended']);
    const { body } = await one.ask.get('/idle-session/status').set('Cookie', ada).expect(200);
    expect(body.reason).toBe('signed-out');
  });
});

describe.each([
  {
    kind: 'stopped',
    begin: (server: RedisServer) => server.kill(),
    end: (server: RedisServer) => server.launch(),
  },
  {
    kind: 'hung',
    begin: async (server: RedisServer) => server.freeze(),
    end: async (server: RedisServer) => server.thaw(),
  },
])('An outage of Redis, $kind, during a sweep', ({ begin, end }) => {
  it('loses nothing but time', async () => {
    const own = await RedisServer.start();
    let isAway = false;
    const app = await anApp({
      on: own,
      storage: (client) => {
        const storage = patient(new RedisActivityStorage(client));
        const expire = storage.expire.bind(storage);
        // No sweep ends it before the outage.
        storage.expire = async (limit) =>
          isAway ? expire(limit) : { now: 0, expired: [], more: false };
        return storage;
      },
    });
    await app.signIn();
    const client = await own.client();
    await passTime(client, 15 * MINUTE);
    await begin(own);
    isAway = true;
    // By now a sweep is under way.
    await delay(1200);
    expect(expiredOf(app)).toEqual([]);
    await end(own);
    await until('it expired', () => expiredOf(app).length > 0);
    await sweep(app);
    expect(typesOf(app)).toEqual(['started', 'expired']);
    expect(await client.keys('sess:*')).toEqual([]);
  });
});

describe('Many sessions on Redis that end at once', () => {
  const MANY = 4000;

  it('each end once, a few in each turn of the event loop, whichever process sweeps', async () => {
    const storage = patientStorage(await redis.client());
    // Due at once.
    await inBatches([...Array(MANY).keys()], (index) =>
      storage.start(`session-${index}`, newSession(1, `id-${index}`)),
    );
    const [one, two] = [await anApp(), await anApp()];
    const count = () => one.events.length + two.events.length;
    let swept = false;
    let most = 0;
    const sweeping = Promise.all([sweep(one), sweep(two)]).finally(() => (swept = true));
    for (let before = count(); !swept; before = count()) {
      await nextTurn();
      most = Math.max(most, count() - before);
    }
    await sweeping;
    await until('all expired', () => count() >= MANY);
    const refs = [...one.events, ...two.events].map(({ sessionRef }) => sessionRef);
    expect(refs).toHaveLength(MANY);
    expect(new Set(refs).size).toBe(MANY);
    // Of two apps, and what their timers began: what takes well under 20 ms on any machine.
    expect(most).toBeLessThanOrEqual(1000);
    expect((await recordsOf(admin)).size).toBe(MANY);
  });
});
