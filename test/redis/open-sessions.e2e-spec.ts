import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { IdleSessionService } from 'nestjs-idle-session';
import { RedisActivityStorage, type RedisActivityStorageOptions } from 'nestjs-idle-session/redis';
import {
  OpenSessions,
  type Closing,
} from '../../libs/idle-session/src/session/open/open-sessions.js';
import { sessionRef } from '../../libs/idle-session/src/session/session-ref.js';
import { copyOf, passTime } from '../support/activity-records.js';
import { BufferedApps, page, SLACK } from '../support/buffered-app.js';
import { sessionIdOf } from '../support/cookies.js';
import { Stopwatch } from '../support/stopwatch.js';
import { createRedisApp, type RedisApp } from '../support/redis-app.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { MINUTE, SECOND } from '../support/test-app.js';
import { until } from '../support/until.js';

const apps = BufferedApps.forEachTest();

/** How late an end may be told without a subscriber. */
const bound = (syncIntervalMs: number) => syncIntervalMs + SECOND + SLACK;

/** So long that there was an exchange, and the next one tells what changed since. */
const EXCHANGED = 1200;

/** Holds something open in a process for a while; what it hears, and how long that takes from then on. */
async function hold({ app }: RedisApp, cookie: string, heldMs = 300) {
  const ends: Closing[] = [];
  const session = { ref: sessionRef(sessionIdOf(cookie)), hasRecord: true };
  app.get(OpenSessions).hold(session, (end) => ends.push(end));
  await delay(heldMs);
  expect(ends).toEqual([]);
  return { ends, heard: () => until('it hears of the end', () => ends.length > 0) };
}

/** What apps are told of ends, with the cause. */
const endsOf = ({ events }: RedisApp) =>
  events.flatMap((event) => ('reason' in event ? [`${event.reason} ${event.cause}`] : []));

const signOut = (app: RedisApp, cookie: string) =>
  app.ask.post('/sign-out').set('Cookie', cookie).expect(204);

async function withSubscriber(
  options: RedisActivityStorageOptions = {},
): Promise<RedisActivityStorageOptions> {
  return { ...options, subscriber: await apps.redis.client() };
}

describe.each([
  { by: 'by the next exchange', options: async () => ({}), within: bound(SECOND) },
  {
    by: 'with a short syncInterval',
    options: async () => ({ syncInterval: '200ms' }) as const,
    within: bound(200),
  },
  {
    by: 'in a process that remembers nothing',
    options: async () => ({ syncInterval: 0 }) as const,
    within: bound(SECOND),
  },
  {
    by: 'by a message',
    options: () => withSubscriber({ syncInterval: '1m' }),
    within: SLACK,
  },
])('What is open for a session hears $by', ({ options, within }) => {
  it('of a sign-out in another process, where no request comes', () =>
    apps.undisturbed(async () => {
      const [here, there] = [await apps.start(await options()), await apps.start(await options())];
      const ada = await there.signIn();
      const { ends, heard } = await hold(here, ada, EXCHANGED);
      await signOut(there, ada);
      expect(await heard()).toBeLessThan(within);
      expect(ends).toEqual(['signed-out']);
      // It decides once a sweep that is under way is done.
      await until('it is told', () => endsOf(here).length > 0);
      expect([endsOf(here), endsOf(there)]).toEqual([
        ['signed-out elsewhere'],
        ['signed-out store'],
      ]);
    }));
});

describe('What is open for a session', () => {
  const shortly = { options: { idleTimeout: 3 * SECOND, warnBefore: false } } as const;

  it('hears that an admin ended the session, and of nothing else', () =>
    apps.undisturbed(async () => {
      const [here, there] = [await apps.start(), await apps.start()];
      const [ada, bob] = [await there.signIn(), await there.signIn()];
      const adas = await hold(here, ada, EXCHANGED);
      const bobs = await hold(here, bob, EXCHANGED);
      await there.app.get(IdleSessionService).revoke(sessionIdOf(ada));
      expect(await adas.heard()).toBeLessThan(bound(SECOND));
      expect(adas.ends).toEqual(['revoked']);
      expect(bobs.ends).toEqual([]);
    }));

  it('hears that the session goes on under another id', () =>
    apps.undisturbed(async () => {
      const [here, there] = [await apps.start(), await apps.start()];
      const ada = await there.signIn();
      const { ends, heard } = await hold(here, ada, EXCHANGED);
      await there.signIn(ada);
      expect(await heard()).toBeLessThan(bound(SECOND));
      expect(ends).toEqual(['replaced']);
    }));

  it.each([['without a subscriber'], ['with a subscriber']])(
    'ends in each process when the time is up, and once for audit (%s)',
    (name) =>
      apps.undisturbed(async () => {
        const options = name === 'with a subscriber' ? withSubscriber : async () => ({});
        const one = await apps.start(await options(), shortly);
        const two = await apps.start(await options(), shortly);
        const began = performance.now();
        const ada = await one.signIn();
        const stopwatch = new Stopwatch();
        const [ones, twos] = [await hold(one, ada), await hold(two, ada)];
        await Promise.all([ones.heard(), twos.heard()]);
        expect(performance.now() - began).toBeGreaterThan(2.9 * SECOND);
        expect(stopwatch.stop()).toBeLessThan(3 * SECOND + SLACK);
        await until('both are told', () => endsOf(one).length + endsOf(two).length >= 2);
        await delay(200);
        const told = [...endsOf(one), ...endsOf(two)].sort();
        expect(told).toEqual(['idle clock', 'idle elsewhere']);
        expect(await apps.admin.keys('sess:*')).toEqual([]);
      }),
  );

  it('stays open while the person is active in another process, and then ends', () =>
    apps.undisturbed(async () => {
      const [here, there] = [await apps.start({}, shortly), await apps.start({}, shortly)];
      const ada = await there.signIn();
      const { ends, heard } = await hold(here, ada);
      let activeAt = 0;
      let stopwatch = new Stopwatch();
      for (
        const began = performance.now();
        performance.now() - began < 5 * SECOND;
        await delay(200)
      ) {
        activeAt = performance.now();
        stopwatch.stop();
        stopwatch = new Stopwatch();
        await page(there, ada).expect(200);
      }
      expect(ends).toEqual([]);
      await heard();
      expect(performance.now() - activeAt).toBeGreaterThan(2.9 * SECOND);
      expect(stopwatch.stop()).toBeLessThan(3 * SECOND + bound(SECOND));
    }));

  it('ends as lost in each process when Redis was flushed', () =>
    apps.undisturbed(async () => {
      const [one, two] = [await apps.start(), await apps.start()];
      const ada = await one.signIn();
      const held = [await hold(one, ada), await hold(two, ada)];
      await apps.admin.flushAll();
      for (const { heard } of held) expect(await heard()).toBeLessThan(bound(SECOND));
      expect(held.map(({ ends }) => ends[0])).toEqual(['lost', 'lost']);
      await until('both are told', () => endsOf(one).length + endsOf(two).length >= 2);
      await delay(200);
      expect([...endsOf(one), ...endsOf(two)].sort()).toEqual(['lost clock', 'lost elsewhere']);
    }));

  it('hears of what a replica that took over does not know', () =>
    apps.undisturbed(async () => {
      const [here, there] = [await apps.start(), await apps.start()];
      const replica = await copyOf(apps.admin);
      const ada = await there.signIn();
      const { ends, heard } = await hold(here, ada);
      await replica.takeOver();
      expect(await heard()).toBeLessThan(bound(SECOND));
      expect(ends[0]).toBe('lost');
    }));

  it('hears that time has passed which this process did not notice', () =>
    apps.undisturbed(async () => {
      const app = await apps.start();
      const ada = await app.signIn();
      const { ends, heard } = await hold(app, ada);
      await passTime(apps.admin, 15 * MINUTE);
      expect(await heard()).toBeLessThan(bound(SECOND));
      expect(ends[0]).toBe('idle');
    }));
});

it('A Redis that hangs ends nothing that is open, and what ended is told when it goes on', () =>
  apps.undisturbed(async () => {
    const own = await RedisServer.start();
    const anApp = async () => {
      const storage = (client: RedisClient) => new RedisActivityStorage(client);
      const app = await createRedisApp(own, { storage });
      apps.opened.push(app);
      return app;
    };
    const [here, there] = [await anApp(), await anApp()];
    const [ada, bob] = [await there.signIn(), await there.signIn()];
    const [adas, bobs] = [await hold(here, ada), await hold(here, bob, EXCHANGED)];
    // Its answer has come, and no exchange since.
    await signOut(there, ada);
    own.freeze();
    await delay(3 * SECOND);
    expect(bobs.ends).toEqual([]);
    own.thaw();
    expect(await adas.heard()).toBeLessThan(bound(SECOND));
    expect(adas.ends[0]).toBe('signed-out');
    await delay(SECOND);
    expect(bobs.ends).toEqual([]);
    await signOut(there, bob);
    expect(await bobs.heard()).toBeLessThan(bound(SECOND));
  }));
