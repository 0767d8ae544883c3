import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { RedisStore } from 'connect-redis';
import expressSession, { type Store } from 'express-session';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { recordsOf } from '../support/activity-records.js';
import { BufferedApps, caching, page, poll, SLACK, untilRefused } from '../support/buffered-app.js';
import { Gate } from '../support/gate.js';
import type { RedisApp } from '../support/redis-app.js';
import type { RedisClient } from '../support/redis-server.js';
import { until } from '../support/until.js';

const apps = BufferedApps.forEachTest();

/** So long that the app has had its first news, and knows the session since. */
async function warmUp(app: RedisApp, cookie: string, milliseconds: number): Promise<void> {
  for (const began = performance.now(); performance.now() - began < milliseconds; await delay(20))
    await page(app, cookie).expect(200);
}

describe('A sign-out in one process', () => {
  it('is known there at once, even if the session’s data stays', async () => {
    const one = await apps.start({ syncInterval: '1m' }, caching);
    const ada = await one.signIn();
    await page(one, ada).expect(200);
    await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
    const { body } = await page(one, ada).expect(401);
    expect(body.reason).toBe('signed-out');
  });

  it('is known in another at once, when the session’s data is gone', async () => {
    const [one, two] = [
      await apps.start({ syncInterval: '1m' }),
      await apps.start({ syncInterval: '1m' }),
    ];
    const ada = await one.signIn();
    await page(two, ada).expect(200);
    await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
    await two.ask.get('/members').set('Cookie', ada).expect(401);
    const { body } = await two.ask.get('/idle-session/status').set('Cookie', ada).expect(200);
    expect(body).toMatchObject({ state: 'expired', reason: 'signed-out' });
  });

  it.each(['/poll', '/page'])(
    'is known in another one interval later at most, even if the session’s data stays (%s)',
    (path) =>
      apps.undisturbed(async () => {
        const options = { syncInterval: '500ms' } as const;
        const [one, two] = [await apps.start(options, caching), await apps.start(options, caching)];
        const ada = await one.signIn();
        await warmUp(two, ada, 600);
        await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
        expect(await untilRefused(two, ada, path)).toBeLessThan(500 + SLACK);
      }),
  );

  it('is known in another well before that with a subscriber', () =>
    apps.undisturbed(async () => {
      const subscriber = await apps.redis.client();
      const one = await apps.start({ subscriber: await apps.redis.client() }, caching);
      const two = await apps.start({ syncInterval: '1m', subscriber }, caching);
      const ada = await one.signIn();
      await page(two, ada).expect(200);
      await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
      expect(await untilRefused(two, ada)).toBeLessThan(SLACK);
    }));

  it.each([
    ['is lost', (subscriber: RedisClient) => subscriber.destroy()],
    ['was never there', () => {}],
  ])('is known one interval later at most when the subscriber’s connection %s', (_, lose) =>
    apps.undisturbed(async () => {
      const subscriber = await apps.redis.client();
      if (lose.length === 0) subscriber.destroy();
      const options = { syncInterval: '500ms', subscriber } as const;
      const [one, two] = [await apps.start(options, caching), await apps.start(options, caching)];
      const ada = await one.signIn();
      await warmUp(two, ada, 600);
      lose(subscriber);
      await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
      expect(await untilRefused(two, ada)).toBeLessThan(500 + SLACK);
    }),
  );

  it('is known at once again when the subscriber’s connection is back', () =>
    apps.undisturbed(async () => {
      const subscriber = await apps.redis.client();
      const options = { syncInterval: '1m', prefix: 'back:' } as const;
      const one = await apps.start({ ...options, subscriber: await apps.redis.client() }, caching);
      const two = await apps.start({ ...options, subscriber }, caching);
      const ada = await one.signIn();
      await page(two, ada).expect(200);
      const ready = new Promise((resolve) => subscriber.once('ready', resolve));
      await apps.admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
      await ready;
      await until(
        'both listen',
        async () => (await apps.admin.pubSubNumSub('back:changes'))['back:changes'] === 2,
      );
      await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
      expect(await untilRefused(two, ada)).toBeLessThan(SLACK);
    }));
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
  const one = await apps.start({ syncInterval: '1m' }, caching);
  const two = await apps.start(
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
  expect((await recordsOf(apps.admin)).size).toBe(1);
});

it('A flushed Redis ends the sessions whose data is elsewhere, one interval later', () =>
  apps.undisturbed(async () => {
    const store = new expressSession.MemoryStore();
    const app = await apps.start(
      { syncInterval: '300ms' },
      { store: () => store as Store as RedisStore },
    );
    const ada = await app.signIn();
    for (let passed = 0; passed < 600; passed += 50) {
      await poll(app, ada).expect(200);
      await delay(50);
    }
    await apps.admin.flushAll();
    expect(await untilRefused(app, ada)).toBeLessThan(300 + SLACK);
  }));
