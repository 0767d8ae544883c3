import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { IdleSessionService } from 'nestjs-idle-session';
import supertest from 'supertest';
import { ExpiredSessionSweeper } from '../../libs/idle-session/src/session/expired-session.sweeper.js';
import { passTime } from '../support/activity-records.js';
import { sessionIdOf } from '../support/cookies.js';
import { endWithMe } from '../support/end-with-me.js';
import { createRedisApp, type RedisApp } from '../support/redis-app.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { MINUTE, SECOND, SECRET } from '../support/test-app.js';
import { until } from '../support/until.js';

const APP = join(import.meta.dirname, 'support/dying-app.mjs');

/** For as long, the process that ended a session is the only one to tell of it. */
const LEASE = 30 * SECOND;

let redis: RedisServer;
let admin: RedisClient;
const apps: RedisApp[] = [];
const children: ChildProcess[] = [];
beforeAll(async () => {
  redis = await RedisServer.start();
  admin = await redis.client();
});
afterAll(() => RedisServer.stopAll());
beforeEach(() => admin.flushAll());
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

async function anApp(): Promise<RedisApp> {
  const app = await createRedisApp(redis);
  apps.push(app);
  return app;
}

/** An app in a process of its own that stands still as soon as it ended a session. */
async function dyingApp() {
  const env = { PATH: process.env.PATH, REDIS_URL: redis.url, SESSION_SECRET: SECRET };
  const child = fork(APP, { env, execArgv: [] });
  children.push(child);
  endWithMe(child);
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return {
    ask: supertest(`http://127.0.0.1:${port}`),
    async dieAtAnEnd() {
      await once(child, 'message');
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

const endsOf = ({ events }: RedisApp) => events.filter(({ type }) => type !== 'started');

it('A sign-out in a process that is killed before it told is told by another one, once', async () => {
  const [one, two, dying] = [await anApp(), await anApp(), await dyingApp()];
  const ada = await one.signIn();
  const dead = dying.dieAtAnEnd();
  const answer = dying.ask.post('/idle-session/sign-out').set('Cookie', ada);
  await Promise.all([
    dead,
    answer.then(
      () => {},
      () => {},
    ),
  ]);
  await Promise.all([one, two].map(({ app }) => app.get(ExpiredSessionSweeper).sweep()));
  expect([...endsOf(one), ...endsOf(two)]).toEqual([]);

  await passTime(admin, LEASE);
  const told = () => [...endsOf(one), ...endsOf(two)];
  await until('another process told', () => told().length > 0);
  expect(told()).toMatchObject([
    { type: 'ended', reason: 'signed-out', cause: 'clock', sessionRef: one.events[0]!.sessionRef },
  ]);
  await until(
    'its data is gone',
    async () => (await admin.exists(`sess:${sessionIdOf(ada)}`)) === 0,
  );
  await passTime(admin, LEASE);
  await Promise.all([one, two].map(({ app }) => app.get(ExpiredSessionSweeper).sweep()));
  expect(told()).toHaveLength(1);

  const stats = await Promise.all([one, two].map(({ app }) => app.get(IdleSessionService).stats()));
  expect(stats.map(({ active }) => active)).toEqual([0, 0]);
  const counted = stats.map(({ ended }) => ended['signed-out']);
  expect(Math.min(...counted)).toBe(0);
  expect(Math.max(...counted)).toBe(1);
});

it('An idle end in a process that is killed before it told is told by another one, with its own time', async () => {
  // Its start may take long, and counts for no end here.
  const dying = await dyingApp();
  const first = await anApp();
  const ada = await first.signIn();
  await first.signIn();
  await apps.pop()!.close();
  const dead = dying.dieAtAnEnd();
  await passTime(admin, 15 * MINUTE);
  await dead;
  const other = await anApp();
  await passTime(admin, LEASE);
  await until('another process told of both', () => endsOf(other).length > 1);
  for (const event of endsOf(other)) {
    expect(event).toMatchObject({ type: 'expired', reason: 'idle', cause: 'clock' });
    expect(event.at - event.lastActivityAt!).toBeGreaterThanOrEqual(15 * MINUTE);
    expect(event.at - event.lastActivityAt!).toBeLessThan(15 * MINUTE + LEASE);
  }
  await until(
    'its data is gone',
    async () => (await admin.exists(`sess:${sessionIdOf(ada)}`)) === 0,
  );
  await passTime(admin, LEASE);
  await other.app.get(ExpiredSessionSweeper).sweep();
  expect(endsOf(other)).toHaveLength(2);
});
