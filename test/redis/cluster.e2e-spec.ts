import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisStore } from 'connect-redis';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
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
import { sessionIdOf } from '../support/cookies.js';
import { isMaster, moveSlot, RedisCluster, slotsInUse } from '../support/redis-cluster.js';
import { RedisNode } from '../support/redis-node.js';
import type { RedisClient } from '../support/redis-server.js';
import { createTestApp, MINUTE } from '../support/test-app.js';
import { SHORT_STORAGE_TIMEOUT } from '../support/short-storage-timeout.js';
import { until } from '../support/until.js';

let redis: RedisCluster;
let client: Awaited<ReturnType<RedisCluster['client']>>;
let test: ReplicatedApp;
beforeAll(async () => {
  redis = await RedisCluster.start();
  client = await redis.client();
  test = await createAppOn(client);
});
afterAll(async () => {
  await test?.close();
  client?.destroy();
  await RedisNode.stopAll();
});

const members = (cookie: string) => answered(() => test.ask.get('/members').set('Cookie', cookie));
const signOut = (cookie: string) =>
  answered(() => test.ask.post('/sign-out').set('Cookie', cookie));
const remaining = async (cookie: string) => (await test.statusOf(cookie)).expiresInMs;

/** Lets time pass, whichever node keeps what. A cluster's client has all the commands that this takes. */
const passTimeEverywhere = (milliseconds: number) =>
  passTime(client as unknown as RedisClient, milliseconds);

/** Signs people in until a node keeps the sessions of so many of them, and maybe more of what is about them. */
async function signInOn(node: RedisNode, count: number): Promise<string[]> {
  const people: string[] = [];
  while (people.length < count) {
    const cookie = await test.signIn();
    const sessions = await (await node.client()).keys('sess:*');
    if (sessions.includes(`sess:${sessionIdOf(cookie)}`)) people.push(cookie);
  }
  return people;
}

it('The sessions of a person are found whichever node keeps them, and their limit holds', async () => {
  const { app, sessions, signedIn } = await createTestApp({
    options: {
      ownerOf: ({ session }) => session.user,
      maxSessions: 2,
      storageTimeout: '20s',
      storage: new RedisActivityStorage(client),
      session: { store: new RedisStore({ client }) } as never,
    },
  });
  try {
    const people = Array.from({ length: 12 }, (_, person) => `person ${person}`);
    for (const user of people) {
      const [first, second] = [await signedIn({ user }), await signedIn({ user })];
      await signedIn({ user });
      await first.get('/members').expect(401);
      await second.get('/members').expect(200);
    }
    const counts = await Promise.all(people.map((user) => sessions.list(user)));
    expect(counts.map(({ length }) => length)).toEqual(people.map(() => 2));
    const indexed = await Promise.all(
      [...redis.single, (await redis.shard()).master].map(async (node) => {
        const keys = await (await node.client()).keys('idle-session:{*}:sessions');
        return keys.length;
      }),
    );
    expect(indexed.reduce((sum, count) => sum + count, 0)).toBe(people.length);
    expect(Math.max(...indexed)).toBeLessThan(people.length);
    for (const user of people) expect(await sessions.endAll(user)).toBe(2);
  } finally {
    await app.close();
  }
});

it('Slots that move to another node while people work there sign nobody out', async () => {
  const [from, to] = redis.single;
  const people = await signInOn(from, 3);
  const atWork = new PeopleAtWork(test, people);
  await atWork.served();
  const slots = await slotsInUse(from);
  for (const slot of slots) await moveSlot(slot, from, to, () => atWork.answered());
  await atWork.served();
  const answers = await atWork.stop();
  expect(answers.filter((answer) => !isServed(answer) && !isPutOff(answer))).toEqual([]);
  expect(slots.length).toBeGreaterThanOrEqual(people.length);
  expect(await slotsInUse(from)).toEqual([]);
  for (const person of people)
    expect(await members(person)).toMatchObject({ status: 200, body: { user: 'ada' } });
});

const outages: {
  how: string;
  begin: (master: RedisNode) => void | Promise<void>;
  end: (master: RedisNode) => void;
}[] = [
  // Its clients wait for it, and are sent to the new master by the old one.
  { how: 'hung', begin: (master) => master.freeze(), end: (master) => master.thaw() },
  { how: 'was killed', begin: (master) => master.kill(), end: () => {} },
];

describe.each(outages)('A cluster replacing a master that $how', ({ begin, end }) => {
  let atWork: string[];
  let idle: string[];
  let signedOut: string[];
  let answers: readonly Answer[];

  beforeAll(async () => {
    await redis.replaceSoon(false);
    const { master, replica } = await redis.shard();
    [atWork, idle, signedOut] = [
      await signInOn(master, 2),
      await signInOn(master, 3),
      await signInOn(master, 2),
    ];
    for (const person of signedOut) await signOut(person);
    await passTimeEverywhere(10 * MINUTE);
    for (const person of idle)
      await until('time has passed', async () => (await remaining(person)) <= 5 * MINUTE);

    const people = new PeopleAtWork(test, atWork);
    await people.served();
    await redis.shard();
    await redis.replaceSoon(true);
    await begin(master);
    await people.putOff();
    await until('the replica takes over', () => isMaster(replica));
    end(master);
    await people.served();
    answers = await people.stop();
  });

  it('puts people off until it is done, and signs nobody out', () => {
    expect(answers.filter((answer) => !isServed(answer) && !isPutOff(answer))).toEqual([]);
  });

  it('makes nobody wait much longer than the storage timeout', () => {
    const waited = answers.filter(isPutOff).map(({ tookMs }) => tookMs);
    expect(Math.max(...waited)).toBeLessThan(SHORT_STORAGE_TIMEOUT + 1000);
  });

  it('leaves people signed in, and lets them sign out for good', async () => {
    const cookie = await test.signIn();
    for (const person of [...atWork, cookie])
      expect(await members(person)).toMatchObject({ status: 200, body: { user: 'ada' } });
    expect((await signOut(cookie)).status).toBe(204);
    expect((await members(cookie)).status).toBe(401);
  });

  it('brings nobody back who had signed out', async () => {
    for (const person of signedOut) {
      expect((await members(person)).status).toBe(401);
      expect(await test.statusOf(person)).toMatchObject({ reason: 'signed-out' });
    }
  });

  it('lets the idle clock go on where it was, by the new master’s time', async () => {
    for (const person of idle) {
      expect(await remaining(person)).toBeGreaterThan(4 * MINUTE);
      expect(await remaining(person)).toBeLessThanOrEqual(5 * MINUTE);
    }
    await passTimeEverywhere(5 * MINUTE);
    for (const person of idle) {
      await until('time has passed', async () => (await test.statusOf(person)).state === 'expired');
      const { status, body } = await members(person);
      expect([status, body.reason]).toEqual([401, 'idle']);
    }
    for (const person of atWork) expect((await members(person)).status).toBe(200);
  });
});
