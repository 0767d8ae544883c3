import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { ExpiredSessionSweeper } from '../../libs/idle-session/src/session/expired-session.sweeper.js';
import { passTime, recordsOf } from '../support/activity-records.js';
import { sessionIdOf, setCookiesOf } from '../support/cookies.js';
import { Gate } from '../support/gate.js';
import { createRedisApp, type RedisApp, type RedisAppOptions } from '../support/redis-app.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { OpenStream } from '../support/open-stream.js';
import { openedStream, StreamsController } from '../support/streams-controller.js';
import { patient } from '../support/patient.js';
import { until } from '../support/until.js';
import { MINUTE } from '../support/test-app.js';

let sessions: RedisServer;
let activity: RedisServer;
let admin: RedisClient;
let activityAdmin: RedisClient;
beforeAll(async () => {
  [sessions, activity] = [await RedisServer.start(), await RedisServer.start()];
  [admin, activityAdmin] = [await sessions.client(), await activity.client()];
});
afterAll(() => RedisServer.stopAll());

/** A Redis that is full: it can be read and can remove, and writes nothing that takes memory. */
const fill = async () => {
  await activityAdmin.configSet({ maxmemory: '1mb', 'maxmemory-policy': 'noeviction' });
};

/** A replica that was not promoted, as the app meets it in the middle of a failover. */
const makeReadOnly = async () => {
  // Its master does not answer, so it keeps what it has.
  await activityAdmin.sendCommand(['REPLICAOF', '127.0.0.1', '1']);
};

const takeWrites = async () => {
  await activityAdmin.configSet({ maxmemory: '0' });
  await activityAdmin.sendCommand(['REPLICAOF', 'NO', 'ONE']);
};

const apps: RedisApp[] = [];
const start = async (syncInterval: '1s' | 0 = 0, options: RedisAppOptions['options'] = {}) => {
  const app = await createRedisApp(sessions, {
    activity,
    options,
    storage: (client) => patient(new RedisActivityStorage(client, { syncInterval })),
    metadata: { controllers: [StreamsController] },
  });
  apps.push(app);
  return app;
};

beforeEach(async () => {
  await Promise.all([admin.flushAll(), activityAdmin.flushAll()]);
});
afterEach(async () => {
  OpenStream.leaveAll();
  await takeWrites();
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

const page = (app: RedisApp, cookie: string) => app.ask.get('/page').set('Cookie', cookie);
/** What all apps have logged that matches. */
const logged = (pattern: RegExp) =>
  apps.flatMap(({ log }) => log.filter(({ text }) => pattern.test(text)));
/** Reasons and causes of the ends that apps are told. */
const ends = (...told: RedisApp[]) =>
  told.flatMap(({ events }) =>
    events.flatMap((event) => ('reason' in event ? [`${event.reason} ${event.cause}`] : [])),
  );
const row = (cookie: string) => admin.get(`sess:${sessionIdOf(cookie)}`);

describe.each([
  { kind: 'is full', refuseWrites: fill },
  { kind: 'is read-only', refuseWrites: makeReadOnly },
])('While a Redis that keeps the activity $kind', ({ refuseWrites }) => {
  it.each(['/sign-out', '/idle-session/sign-out'])(
    'a sign-out at %s ends the session in every process, and the log says how',
    async (path) => {
      const [one, two] = [await start(), await start('1s')];
      const ada = await one.signIn();
      await page(two, ada).expect(200, { user: 'ada' });
      await refuseWrites();

      await one.ask.post(path).set('Cookie', ada).expect(204);
      expect(await row(ada)).toBeNull();
      for (const app of [one, two]) {
        expect([200, 401]).toContain((await page(app, ada).ok(() => true)).status);
        expect((await page(app, ada).ok(() => true)).body.user ?? null).toBeNull();
        await app.ask.get('/members').set('Cookie', ada).expect(401);
      }
      expect(logged(/did not take the end of session/)).toHaveLength(1);
      expect(JSON.stringify(logged(/./))).not.toContain(sessionIdOf(ada));
    },
  );

  it('a sign-out ends what its process has open at once, and the rest once the storage takes it', async () => {
    const [one, two] = [await start(), await start()];
    const ada = await one.signIn();
    const [here, there] = [
      await openedStream(one.app, '/events', ada),
      await openedStream(two.app, '/events', ada),
    ];
    await refuseWrites();
    await one.ask.post('/idle-session/sign-out').set('Cookie', ada).expect(204);
    expect(await here.end()).toBe('whole');
    expect(here.received).toContain('"reason":"signed-out"');
    expect(ends(one, two)).toEqual([]);

    await takeWrites();
    expect(await there.end()).toBe('whole');
    expect(there.received).toContain('"reason":"signed-out"');
    await until('both processes told', () => ends(one, two).length > 1);
    expect(ends(one, two).sort()).toEqual(['signed-out elsewhere', 'signed-out request']);
  });

  it('nor does a request that is still running bring the session back', async () => {
    const [one, two] = [await start(), await start()];
    const ada = await one.signIn();
    const gate = new Gate();
    const slow = two.ask
      .post(`/slow/write?gate=${gate.name}`)
      .set('Cookie', ada)
      .then(({ status }) => status);
    await gate.reached;
    await refuseWrites();
    await one.ask.post('/idle-session/sign-out').set('Cookie', ada).expect(204);
    gate.open();
    await slow;
    expect(await row(ada)).toBeNull();
    await one.ask.get('/members').set('Cookie', ada).expect(401);
  });

  it('the browser forgets a cookie that was signed out so', async () => {
    const one = await start();
    const ada = await one.signIn();
    await refuseWrites();
    const answer = await one.ask.post('/idle-session/sign-out').set('Cookie', ada).expect(204);
    expect(setCookiesOf(answer)).toEqual([expect.stringMatching(/=;.*1970/)]);
  });

  it.each([0, '1s'] as const)(
    'people who are active go on until the deadline that the storage knows (syncInterval %p)',
    async (syncInterval) => {
      const one = await start(syncInterval);
      const ada = await one.signIn();
      // No activity, which would be on its way while time passes.
      await one.ask.get('/poll').set('Cookie', ada).expect(200);
      await passTime(activityAdmin, 10 * MINUTE);
      await refuseWrites();
      const again = await start(syncInterval);
      for (const app of [one, again]) {
        await page(app, ada).expect(200, { user: 'ada' });
        await page(app, ada).expect(200, { user: 'ada' });
        await app.ask
          .post('/idle-session/heartbeat')
          .set('Cookie', ada)
          .send({ idleForMs: 0 })
          .expect(200);
      }
      const { body } = await again.ask.get('/idle-session/status').set('Cookie', ada).expect(200);
      expect(body.expiresInMs).toBeLessThanOrEqual(5 * MINUTE);
      const lines = logged(/\(write\) does not answer/).length;
      expect(lines).toBeGreaterThan(0);
      expect(lines).toBeLessThanOrEqual(2);
    },
  );

  it('and not a moment longer: nobody is let in after it, and nobody is told a reason', async () => {
    const one = await start();
    const ada = await one.signIn();
    // Between the next two lines, a sweep would end the session.
    await one.app.get(ExpiredSessionSweeper).beforeApplicationShutdown();
    await passTime(activityAdmin, 15 * MINUTE);
    await refuseWrites();
    await page(one, ada).expect(503);
    expect((await recordsOf(activityAdmin)).size).toBe(1);
  });

  it('what is open past the deadline ends without a reason, and is told one later', async () => {
    const one = await start('1s', { idleTimeout: '8s', warnBefore: false });
    const began = performance.now();
    const ada = await one.signIn();
    const stream = await openedStream(one.app, '/events', ada);
    await refuseWrites();
    expect(await stream.end()).toBe('whole');
    expect(stream.received).not.toContain('session-ended');
    expect(performance.now() - began).toBeGreaterThan(7900);
    const again = await OpenStream.open(one.app, '/events', { cookie: ada });
    expect(again.status).toBe(503);
    expect(ends(one)).toEqual([]);
    await takeWrites();
    await until('the end is told', () => ends(one).length > 0);
    expect(ends(one)).toEqual(['idle clock']);
  });

  it('nobody signs in', async () => {
    const one = await start();
    await refuseWrites();
    await one.ask.post('/sign-in').expect(503);
    expect(await admin.dbSize()).toBe(0);
  });
});
