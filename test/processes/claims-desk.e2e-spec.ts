import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { ClaimsDesk } from '../support/claims-desk.js';
import { sessionIdOf } from '../support/cookies.js';
import { passTime as passTimeOf, recordsOf } from '../support/activity-records.js';
import { Stopwatch } from '../support/stopwatch.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { HOUR, MINUTE, SECOND } from '../support/test-app.js';

const SESSIONS = 'claims-desk:session:';
const ACTIVITY = 'claims-desk:activity:';

let redis: RedisServer;
let admin: RedisClient;
/** Two processes on one Redis, with clocks that are two hours apart. */
let one: ClaimsDesk;
let two: ClaimsDesk;
beforeAll(async () => {
  redis = await RedisServer.start();
  admin = await redis.client();
  [one, two] = await Promise.all([start(-HOUR), start(HOUR)]);
});
afterAll(async () => {
  await ClaimsDesk.killAll();
  await RedisServer.stopAll();
});
beforeEach(async () => {
  await admin.flushAll();
});

/** Lets time pass, and both processes notice it: they remember for one `syncInterval`, a second. */
async function passTime(client: RedisClient, milliseconds: number, prefix: string): Promise<void> {
  await passTimeOf(client, milliseconds, prefix);
  await delay(1000);
}

const start = (clockSkewMs?: number) => ClaimsDesk.start({ REDIS_URL: redis.url }, clockSkewMs);

const statusOf = async (desk: ClaimsDesk, cookie: string) =>
  (await desk.ask.get('/idle-session/status').set('Cookie', cookie).expect(200)).body;

/** Waits for the end of an outage; nobody may be told anything else than to come again. */
async function known(desk: ClaimsDesk, cookie: string): Promise<void> {
  let answer: Response | undefined;
  const isBack = async () => (answer = await desk.me(cookie)).status !== 503;
  await until('the outage is over', isBack);
  expect([answer?.status, answer?.body.name]).toEqual([200, 'Demo user']);
}

describe('Two processes on one Redis', () => {
  it('share who is signed in, and are of one mind about when it ends', async () => {
    for (const cookie of [await one.signIn(), await two.signIn()]) {
      for (const desk of [one, two]) {
        const before = performance.now();
        expect((await desk.me(cookie)).status).toBe(200);
        const { expiresInMs } = await statusOf(desk, cookie);
        const passedMs = performance.now() - before;
        expect(expiresInMs).toBeGreaterThan(15 * MINUTE - passedMs - SECOND);
        expect(expiresInMs).toBeLessThanOrEqual(15 * MINUTE);
      }
    }
  });

  it('count activity in one for the other', async () => {
    const cookie = await one.signIn();
    for (const desk of [two, one]) {
      await passTime(admin, 14 * MINUTE, ACTIVITY);
      expect((await desk.me(cookie)).status).toBe(200);
    }
    await passTime(admin, 14 * MINUTE, ACTIVITY);
    await two.ask
      .post('/idle-session/heartbeat')
      .set('Cookie', cookie)
      .send({ idleForMs: 0 })
      .expect(200);
    await passTime(admin, 14 * MINUTE, ACTIVITY);
    expect((await one.me(cookie)).status).toBe(200);
  });

  it('do not count what only polls', async () => {
    const cookie = await one.signIn();
    await passTime(admin, 14 * MINUTE, ACTIVITY);
    await two.ask.get('/api/notifications').set('Cookie', cookie).expect(200);
    await passTime(admin, MINUTE, ACTIVITY);
    expect((await one.me(cookie)).status).toBe(401);
  });

  it('end a session in both when somebody signs out in one', async () => {
    const cookie = await one.signIn();
    await two.me(cookie);
    await one.ask.post('/logout').set('Cookie', cookie).expect(303);
    expect((await two.me(cookie)).status).toBe(401);
    expect((await one.me(cookie)).status).toBe(401);
    expect(await admin.keys(`${SESSIONS}*`)).toEqual([]);
    expect((await statusOf(two, cookie)).reason).toBe('signed-out');
  });

  it('refuse an expired session alike, whichever gets the request, and however often', async () => {
    const cookie = await one.signIn();
    await passTime(admin, 15 * MINUTE, ACTIVITY);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? one : two).me(cookie)),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.reason}`))).toEqual(
      new Set(['401 idle']),
    );
    await until('the end is told', async () => {
      const [record] = (await recordsOf(admin, ACTIVITY)).values();
      return record?.rest === 'idle';
    });
    expect(await admin.keys(`${SESSIONS}*`)).toEqual([]);
    await two.ask
      .get('/')
      .set('Cookie', cookie)
      .set('Sec-Fetch-Mode', 'navigate')
      .expect(303)
      .expect('Location', '/login?reason=idle&returnTo=%2F');
  });

  it('go by the real clock of Redis', async () => {
    const LEFT_MS = 3000;
    const before = performance.now();
    const cookie = await one.signIn();
    await passTime(admin, 15 * MINUTE - LEFT_MS, ACTIVITY);
    for (const desk of [one, two]) {
      const { status } = await desk.ask.get('/api/notifications').set('Cookie', cookie);
      // A busy machine may answer when it is over.
      if (performance.now() - before < LEFT_MS) expect(status).toBe(200);
    }
    await delay(((await statusOf(one, cookie)).expiresInMs ?? 0) + 20);
    for (const desk of [two, one])
      expect((await desk.me(cookie)).body).toMatchObject({ status: 401, reason: 'idle' });
  });

  it('lose nobody when one of them crashes and another takes its place', async () => {
    const crashing = await start();
    const cookie = await crashing.signIn();
    await crashing.kill();
    expect((await two.me(cookie)).body).toMatchObject({ name: 'Demo user' });
    const replacement = await start();
    expect((await replacement.me(cookie)).body).toMatchObject({ name: 'Demo user' });
  });

  it('use no session id in names of keys outside the session store, and none in what they log', async () => {
    const cookie = await one.signIn();
    const id = sessionIdOf(cookie);
    await two.me(cookie);
    await redis.kill();
    await Promise.all([one.me(cookie), two.me(cookie)]);
    await redis.launch();
    await Promise.all([known(one, cookie), known(two, cookie)]);
    expect([...one.log, ...two.log].join('\n')).not.toContain(id);
    expect(await admin.keys(`*${id}*`)).toEqual([`${SESSIONS}${id}`]);
  });
});

describe('A process whose Redis goes away', () => {
  let desk: ClaimsDesk;
  beforeAll(async () => {
    desk = await ClaimsDesk.start({ REDIS_URL: redis.url, STORAGE_TIMEOUT: '1s' });
  });

  const away: {
    how: string;
    begin: () => void | Promise<void>;
    end: () => void | Promise<void>;
  }[] = [
    { how: 'stops', begin: () => redis.kill(), end: () => redis.launch() },
    { how: 'hangs', begin: () => redis.freeze(), end: () => redis.thaw() },
  ];

  it.each(away)(
    'asks people to come again while it $how, and knows them afterwards',
    async ({ begin, end }) => {
      const cookie = await desk.signIn();
      await begin();
      const stopwatch = new Stopwatch();
      const [me, page] = await Promise.all([
        desk.me(cookie),
        desk.ask
          .get('/')
          .set('Cookie', cookie)
          .set('Sec-Fetch-Mode', 'navigate')
          .set('Accept', 'text/html'),
      ]);
      expect(stopwatch.stop()).toBeLessThan(15_000);
      for (const { status, headers } of [me, page]) {
        expect(status).toBe(503);
        expect(Number(headers['retry-after'])).toBeGreaterThan(0);
        expect(headers).not.toHaveProperty('set-cookie');
      }
      expect(me.type).toBe('application/problem+json');
      expect(page.type).toBe('text/html');
      await Promise.all([
        desk.ask.get('/health').set('Cookie', cookie).expect(200),
        desk.ask.get('/login').set('Cookie', cookie).expect(200),
        desk.ask.get('/login').expect(200),
      ]);

      await end();
      await known(desk, cookie);
    },
  );
});
