import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { answered } from '../support/answered.js';
import { passTime } from '../support/activity-records.js';
import {
  createAppOn,
  isPutOff,
  isServed,
  PeopleAtWork,
  type Answer,
  type ReplicatedApp,
} from '../support/failover.js';
import { RedisNode } from '../support/redis-node.js';
import { RedisSentinels } from '../support/redis-sentinel.js';
import { MINUTE } from '../support/test-app.js';
import { SHORT_STORAGE_TIMEOUT } from '../support/short-storage-timeout.js';
import { until } from '../support/until.js';

const outages: { how: string; begin: (master: RedisNode) => void | Promise<void> }[] = [
  { how: 'was killed', begin: (master) => master.kill() },
  { how: 'hung', begin: (master) => master.freeze() },
];

describe.each(outages)('Sentinel replacing a master that $how', ({ how, begin }) => {
  let redis: RedisSentinels;
  let client: Awaited<ReturnType<RedisSentinels['client']>>;
  let test: ReplicatedApp;
  let ada: string;
  let idle: string;
  let signedOut: string;
  let answers: readonly Answer[];

  beforeAll(async () => {
    redis = await RedisSentinels.start();
    client = await redis.client();
    test = await createAppOn(client);
  });
  beforeAll(async () => {
    [ada, idle, signedOut] = [await test.signIn(), await test.signIn(), await test.signIn()];
    await signOut(signedOut);
    await passTime(await redis.master.client(), 10 * MINUTE);
    await until('time has passed', async () => (await remaining(idle)) <= 5 * MINUTE);
  });
  beforeAll(async () => {
    const people = new PeopleAtWork(test, [ada]);
    await people.served();
    await redis.failOver();
    await begin(redis.master);
    await people.putOff();
    await people.served();
    answers = await people.stop();
  });
  afterAll(async () => {
    await test?.close();
    await client?.destroy();
    await RedisNode.stopAll();
  });

  const members = (cookie: string) =>
    answered(() => test.ask.get('/members').set('Cookie', cookie));
  const signOut = (cookie: string) =>
    answered(() => test.ask.post('/sign-out').set('Cookie', cookie));
  const remaining = async (cookie: string) => (await test.statusOf(cookie)).expiresInMs;

  it('puts people off until it is done, and signs nobody out', () => {
    expect(answers.filter((answer) => !isServed(answer) && !isPutOff(answer))).toEqual([]);
  });

  it('makes nobody wait much longer than the storage timeout', () => {
    const waited = answers.filter(isPutOff).map(({ tookMs }) => tookMs);
    expect(Math.max(...waited)).toBeLessThan(SHORT_STORAGE_TIMEOUT + 1000);
  });

  it('leaves people signed in, and lets them sign out for good', async () => {
    const cookie = await test.signIn();
    for (const person of [ada, cookie])
      expect(await members(person)).toMatchObject({ status: 200, body: { user: 'ada' } });
    expect((await signOut(cookie)).status).toBe(204);
    expect((await members(cookie)).status).toBe(401);
  });

  it('brings nobody back who had signed out', async () => {
    expect((await members(signedOut)).status).toBe(401);
    expect(await test.statusOf(signedOut)).toMatchObject({ reason: 'signed-out' });
  });

  it('lets the idle clock go on where it was, by the new master’s time', async () => {
    expect(await remaining(idle)).toBeGreaterThan(4 * MINUTE);
    expect(await remaining(idle)).toBeLessThanOrEqual(5 * MINUTE);
    await passTime(await redis.successor, 5 * MINUTE);
    await until('time has passed', async () => (await test.statusOf(idle)).state === 'expired');
    const { status, body } = await members(idle);
    expect([status, body.reason]).toEqual([401, 'idle']);
    expect((await members(ada)).status).toBe(200);
  });

  if (how === 'hung')
    it('keeps people signed in when the old master goes on, and is made a replica', async () => {
      const people = new PeopleAtWork(test, [ada]);
      redis.master.thaw();
      const old = await redis.master.client();
      // As it becomes one, it drops its clients.
      const replication = () => old.info('replication').catch(() => '');
      await until('it is a replica', async () =>
        /role:slave[^]*master_link_status:up/.test(await replication()),
      );
      await people.served();
      const all = await people.stop();
      expect(all.filter((answer) => !isServed(answer) && !isPutOff(answer))).toEqual([]);
    });
});
