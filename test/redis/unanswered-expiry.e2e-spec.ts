import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { RedisActivityStorage, type RedisScriptClient } from 'nestjs-idle-session/redis';
import { passTime } from '../support/activity-records.js';
import { newSession } from '../support/new-session.js';
import { Stopwatch } from '../support/stopwatch.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { MINUTE, SECOND } from '../support/test-app.js';

const SESSIONS = 200;

/** For as long, one process alone may tell of an end. */
const LEASE = 30 * SECOND;

let redis: RedisServer;
let admin: RedisClient;
let calls: number;
/** Lets calls that the client holds back go on. */
let release: () => void;
let storage: RedisActivityStorage;

beforeAll(async () => {
  redis = await RedisServer.start();
  admin = await redis.client();
});
afterAll(() => RedisServer.stopAll());
beforeEach(async () => {
  await admin.flushAll();
  calls = 0;
  const released = new Promise<void>((resolve) => (release = resolve));
  const holds = (keys: string[]) => keys[0]!.includes('{3}');
  const client: RedisScriptClient = {
    eval: (script, options) => admin.eval(script, options),
    async evalSha(sha1, options) {
      if (!holding || !holds(options.keys)) return admin.evalSha(sha1, options);
      calls += 1;
      // Redis does it, and the answer is on its way for long.
      const answer = await admin.evalSha(sha1, options);
      await released;
      return answer;
    },
  };
  let holding = false;
  storage = new RedisActivityStorage(client, { syncInterval: 0 });
  for (let session = 0; session < SESSIONS; session++)
    await storage.start(`session-${session}`, newSession(MINUTE, `id-${session}`));
  await storage.expire(1);
  await passTime(admin, MINUTE);
  holding = true;
});

async function expired(): Promise<number> {
  const { expired } = await storage.expire(10 * SESSIONS);
  await storage.told(expired.map(({ key }) => key));
  return expired.length;
}

it('A call that Redis never answers keeps no other partition from being swept', async () => {
  const first = await expired();
  expect(first).toBeGreaterThan(SESSIONS / 2);
  expect(first).toBeLessThan(SESSIONS);
  const stopwatch = new Stopwatch();
  for (let sweep = 0; sweep < 5; sweep++) expect(await expired()).toBe(0);
  // Five that wait take five seconds.
  expect(stopwatch.stop()).toBeLessThan(3000);
  expect(calls).toBe(1);
});

it('What a late answer says has ended is told with the next, once', async () => {
  const first = await expired();
  release();
  await new Promise(setImmediate);
  expect(await expired()).toBe(SESSIONS - first);
  expect(await expired()).toBe(0);
});

it('What an answer says that comes after the lease has ended is told once that is over', async () => {
  const first = await expired();
  const now = performance.now() + LEASE;
  jest.spyOn(performance, 'now').mockReturnValue(now);
  release();
  await new Promise(setImmediate);
  expect(await expired()).toBe(0);
  jest.restoreAllMocks();
  await passTime(admin, LEASE);
  expect(await expired()).toBe(SESSIONS - first);
});

it('What an answer says that a process reads after it stood still for a minute is left to the others', async () => {
  let isStill = false;
  const client: RedisScriptClient = {
    eval: (script, options) => admin.eval(script, options),
    async evalSha(sha1, options) {
      const answer = await admin.evalSha(sha1, options);
      const now = performance.now() + MINUTE;
      if (isStill) jest.spyOn(performance, 'now').mockReturnValue(now);
      return answer;
    },
  };
  const still = new RedisActivityStorage(client, { syncInterval: 0 });
  isStill = true;
  const { expired: handedOut } = await still.expire(10 * SESSIONS);
  jest.restoreAllMocks();
  expect(handedOut).toEqual([]);
  release();
  await passTime(admin, LEASE);
  expect(await expired()).toBe(SESSIONS);
});

it('Sweeps of a process that overlap wait for one another, and none takes that for an outage', async () => {
  release();
  const counts = await Promise.all([expired(), expired(), expired()]);
  expect(counts).toEqual([SESSIONS, 0, 0]);
});
