import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RedisStore } from 'connect-redis';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { RedisCluster } from '../support/redis-cluster.js';
import { RedisNode } from '../support/redis-node.js';
import { createTestApp, type TestApp } from '../support/test-app.js';

let redis: RedisCluster;
let client: Awaited<ReturnType<RedisCluster['client']>>;
let test: TestApp;
beforeAll(async () => {
  redis = await RedisCluster.start();
  client = await redis.client();
  test = await createTestApp({
    options: {
      ownerOf: ({ session }) => session.user,
      maxSessions: 2,
      storage: new RedisActivityStorage(client),
      session: { store: new RedisStore({ client }) } as never,
    },
  });
});
afterAll(async () => {
  await test?.app.close();
  client?.destroy();
  await RedisNode.stopAll();
});

describe('The sessions of a person, on a cluster', () => {
  it('are found whichever node keeps them, and their limit holds', async () => {
    const people = Array.from({ length: 12 }, (_, person) => `person ${person}`);
    for (const user of people) {
      const [first, second] = [await test.signedIn({ user }), await test.signedIn({ user })];
      await test.signedIn({ user });
      await first.get('/members').expect(401);
      await second.get('/members').expect(200);
    }
    const counts = await Promise.all(people.map((user) => test.sessions.list(user)));
    expect(counts.map(({ length }) => length)).toEqual(people.map(() => 2));
    const indexed = await Promise.all(
      [...redis.single, (await redis.shard()).master].map(async (node) => {
        const keys = await (await node.client()).keys('idle-session:{*}:sessions');
        return keys.length;
      }),
    );
    expect(indexed.reduce((sum, count) => sum + count, 0)).toBe(people.length);
    expect(Math.max(...indexed)).toBeLessThan(people.length);
    for (const user of people) expect(await test.sessions.endAll(user)).toBe(2);
  });
});
