import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { passTime, recordsOf } from '../support/activity-records.js';
import { BufferedApps, page } from '../support/buffered-app.js';
import { HOUR, MINUTE, SECOND } from '../support/durations.js';
import { LockController } from '../support/lock-controller.js';
import { Stopwatch } from '../support/stopwatch.js';
import type { RedisApp, RedisAppOptions } from '../support/redis-app.js';
import { until } from '../support/until.js';

const TRIALS = 8;
const LOCK = 15 * MINUTE;

const apps = BufferedApps.forEachTest();

async function twoProcesses(options: RedisAppOptions['options'] = {}) {
  const locking = { idleTimeout: '1h', lockAfter: '15m', ...options } as const;
  const start = () =>
    apps.start(
      { syncInterval: '200ms' },
      { options: locking, metadata: { controllers: [LockController] } },
    );
  return [await start(), await start()] as const;
}

const post = (app: RedisApp, path: string, cookie: string) =>
  app.ask.post(path).set('Cookie', cookie);
const unlock = (app: RedisApp, cookie: string) => post(app, '/unlock', cookie);

const stateOf = async (app: RedisApp, cookie: string) => {
  const { body } = await app.ask.get('/idle-session/status').set('Cookie', cookie).expect(200);
  return body.state as string;
};

/** The person goes away; a process takes its interval to notice that the tests move the clock. */
async function leave(milliseconds: number, cookie: string, ...of: readonly RedisApp[]) {
  await passTime(apps.admin, milliseconds);
  for (const app of of)
    await until('the process notices', async () => (await stateOf(app, cookie)) !== 'active');
}

describe('A lock on Redis', () => {
  it('is seen by each process, and an unlock in one counts in the other at once', async () => {
    const [one, two] = await twoProcesses();
    for (let trial = 0; trial < TRIALS; trial++) {
      const [by, other] = trial % 2 === 0 ? [one, two] : [two, one];
      const ada = await one.signIn();
      await Promise.all([one, two].map((app) => page(app, ada).expect(200)));
      // With that minute, no page counts that one process still has to send, and that came before the other's.
      await leave(LOCK + MINUTE, ada, one, two);
      for (const app of [one, two])
        expect((await page(app, ada).expect(401)).body.reason).toBe('locked');
      await unlock(by, ada).expect(200);
      await page(other, ada).expect(200);
      expect(await stateOf(by, ada)).toBe('active');
    }
  });

  it('is kept in the record, with what was decided at sign-in', async () => {
    const [one] = await twoProcesses({ lockAfter: () => '5m' });
    await one.signIn();
    const [record] = (await recordsOf(apps.admin)).values();
    expect(record).toMatchObject({ lockAfterMs: 5 * MINUTE, idleTimeoutMs: HOUR });
  });

  it('stays, once told, whatever heartbeats are on their way in both processes', async () => {
    const [one, two] = await twoProcesses({ idleTimeout: '1m', lockAfter: '1s' });
    const signInAt = performance.now();
    const ada = await one.signIn();
    const [leftAt, stopwatch] = [performance.now(), new Stopwatch()];
    let [lockedAt, took] = [Infinity, Infinity];
    const wrong: string[] = [];
    const beat = async (app: RedisApp) => {
      const sentAt = performance.now();
      const { body } = await post(app, '/idle-session/heartbeat', ada).send({
        idleForMs: sentAt - leftAt,
      });
      if (body.state !== 'locked' && sentAt > lockedAt) wrong.push(body.state);
      if (body.state !== 'locked') return;
      lockedAt = Math.min(lockedAt, performance.now());
      took = Math.min(took, stopwatch.ms);
    };
    const beats: Promise<void>[] = [];
    // For a while after it was locked.
    while (performance.now() < Math.min(lockedAt, leftAt + 10 * SECOND) + SECOND) {
      beats.push(beat(one), beat(two));
      await delay(10);
    }
    await Promise.all(beats);
    stopwatch.stop();
    expect(wrong).toEqual([]);
    // The sign-in is activity; its answer may be long on its way, and the heartbeats as well.
    expect(lockedAt - signInAt).toBeGreaterThan(SECOND - 100);
    expect(took).toBeLessThan(15 * SECOND);
  });
});

describe('An unlock on Redis', () => {
  it('and a sign-out in another process at once leave nobody signed in', async () => {
    const [one, two] = await twoProcesses();
    for (let trial = 0; trial < TRIALS; trial++) {
      const ada = await one.signIn();
      await leave(LOCK, ada, one);
      await Promise.all([unlock(one, ada), post(two, '/idle-session/sign-out', ada).expect(204)]);
      for (const app of [one, two]) await app.ask.get('/members').set('Cookie', ada).expect(401);
      expect(await stateOf(one, ada)).toBe('expired');
    }
  });

  it('of a session whose time is up revives nothing, and its end is told once', async () => {
    const [one, two] = await twoProcesses();
    const ada = await one.signIn();
    await leave(HOUR, ada);
    const answers = await Promise.all([one, two, one, two].map((app) => unlock(app, ada)));
    for (const { status, body } of answers)
      expect(status === 401 || body.isUnlocked === false).toBe(true);
    expect(await stateOf(two, ada)).toBe('expired');
    const told = () =>
      [one, two].flatMap(({ events }) => events.filter(({ type }) => type === 'expired'));
    await until('it is told', () => told().length > 0);
    expect(told()).toHaveLength(1);
  });

  it('in both processes at once succeeds in both, and is told once', async () => {
    const [one, two] = await twoProcesses();
    const ada = await one.signIn();
    await leave(LOCK, ada, one, two);
    const answers = await Promise.all([one, two].map((app) => unlock(app, ada).expect(200)));
    expect(answers.map(({ body }) => body.isUnlocked)).toEqual([true, true]);
    const told = [one, two].flatMap(({ events }) => events.map(({ type }) => type));
    expect(told.filter((type) => type === 'unlocked')).toHaveLength(1);
    expect(await stateOf(one, ada)).toBe('active');
  });
});
