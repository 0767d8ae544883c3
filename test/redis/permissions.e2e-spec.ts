import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { activityStorageContract } from 'nestjs-idle-session/testing';
import { createClient } from 'redis';
import { read } from '../../scripts/docs-snippets.mjs';
import { loseRecord, passTime } from '../support/activity-records.js';
import { newSession } from '../support/new-session.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { createRedisApp, patientStorage } from '../support/redis-app.js';
import { flushed, patient } from '../support/patient.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { HOUR, MINUTE } from '../support/test-app.js';
import { until } from '../support/until.js';

const RETENTION = 24 * HOUR;

const document = read('docs/redis.md').split("## The user's permissions")[1]!;
/** As the document has it. */
const needed = /```text\n(.+?)```/s.exec(document)![1]!.trim().split(/\s+/);
const forSubscriber = permissionsFor('the `subscriber`');
const forSessions = permissionsFor('`connect-redis` as session store');

function permissionsFor(what: string): string[] {
  const row = document.split('\n').find((line) => line.startsWith(`| ${what} `))!;
  return row.split('`').at(-2)!.split(' ');
}

let redis: RedisServer;
let admin: RedisClient;
const clients: RedisClient[] = [];
beforeAll(async () => {
  redis = await RedisServer.start();
  admin = await redis.client();
});
afterAll(() => RedisServer.stopAll());
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});
beforeEach(() => admin.flushAll());

/** A connected client of a user with these permissions. */
async function clientOf(permissions: string[]): Promise<RedisClient> {
  const username = `user-${clients.length}`;
  await admin.aclSetUser(username, ['reset', 'on', '>a-password', ...permissions]);
  const path = redis.url.replace('unix://', '');
  const client = createClient({ socket: { path, tls: false }, username, password: 'a-password' });
  client.on('error', () => {});
  clients.push(client as RedisClient);
  await client.connect();
  return client as RedisClient;
}

const commandsUsed = () =>
  admin.sendCommand(['INFO', 'commandstats']) as Promise<unknown> as Promise<string>;

describe('RedisActivityStorage with the permissions in the document', () => {
  it.each(activityStorageContract)('keeps to its contract: $name', async ({ run }) => {
    const subscriber = await clientOf([...needed, ...forSubscriber]);
    const create = async () =>
      new RedisActivityStorage(await clientOf(needed), {
        retention: RETENTION,
        syncInterval: 0,
        subscriber,
      });
    await run({
      storage: patient(await create()),
      other: patient(await create()),
      advance: (milliseconds) => passTime(admin, milliseconds),
      lose: (key) => loseRecord(admin, key),
      retentionMs: RETENTION,
    });
  });

  it('collects activity, follows changes and hears of them', async () => {
    const subscriber = await clientOf([...needed, ...forSubscriber]);
    const options = { syncInterval: '100ms', touchInterval: '100ms', subscriber } as const;
    const one = patient(new RedisActivityStorage(await clientOf(needed), options));
    const two = new RedisActivityStorage(await clientOf(needed), options);
    const { now } = await one.start('a', newSession(MINUTE, 'id'));
    await two.read('a');
    let at = now;
    await until('collected activity is sent, and changes are asked for', async () => {
      // On a busy machine one touch may be sent by itself: the process has not asked for changes lately.
      await one.touch('a', MINUTE, ++at);
      await Promise.all([one.end(`other-${at}`, 'revoked'), two.read('a')]);
      const used = await commandsUsed();
      return used.includes('cmdstat_hmget:') && used.includes('cmdstat_lrange:');
    });
    await one.end('a', 'signed-out');
    await until('the end is known', async () => (await two.read('a')).record?.ended !== undefined);
    await Promise.all([one, two].map((storage) => flushed(() => storage.flush())));
    await passTime(admin, 2 * RETENTION);
    await one.expire(100);
    expect((await one.read('a', true)).record).toBeUndefined();
  });

  it('uses each of them, and no other', async () => {
    const used = await commandsUsed();
    for (const permission of needed.filter((each) => each.startsWith('+')))
      expect(used).toContain(`cmdstat_${permission.slice(1)}:`);
    const denied = (await admin.sendCommand(['ACL', 'LOG'])) as unknown as unknown[];
    // node-redis says its name and version, and goes on without.
    expect(JSON.stringify(denied).replaceAll('client|setinfo', '')).not.toMatch(
      /"object","(?!")\w/,
    );
  });

  it('serves sessions on connect-redis, too', async () => {
    const server = { client: () => clientOf([...needed, ...forSessions]) };
    const test = await createRedisApp(server as never, { storage: patientStorage });
    try {
      const ada = await test.signIn();
      await test.ask.get('/page').set('Cookie', ada).expect(200, { user: 'ada' });
      await test.ask.post('/page').set('Cookie', ada).send({ note: 'x' }).expect(200);
      await test.ask.post('/sign-out').set('Cookie', ada).expect(204);
      await test.ask.get('/members').set('Cookie', ada).expect(401);
      expect(test.log).toEqual([]);
    } finally {
      await test.close();
    }
  });
});

describe('Without a permission', () => {
  it.each(needed.filter((each) => each === '+time' || each === '+evalsha' || each === '+hset'))(
    'the log says so: %s',
    async (missing) => {
      const permissions = [...needed.filter((each) => each !== missing), ...forSessions];
      const test = await createRedisApp({ client: () => clientOf(permissions) } as never, {
        storage: patientStorage,
      });
      try {
        await test.ask.post('/sign-in').expect(503);
        expect(test.log.map(({ text }) => text)).toEqual([
          expect.stringMatching(/^The activity storage \(\w+\) does not answer: \w+ \(NOPERM\)/),
        ]);
      } finally {
        await test.close();
      }
    },
  );

  it('a subscriber that may not subscribe is logged, and the storage goes on', async () => {
    const logger = new RecordingLogger();
    Logger.overrideLogger(logger);
    try {
      const subscriber = await clientOf(needed);
      const storage = new RedisActivityStorage(admin, { subscriber });
      await until('it is logged', () => logger.lines.length > 0);
      expect(logger.errors).toEqual([
        expect.stringMatching(
          /^The subscriber cannot subscribe to idle-session:changes: \w+ \(NOPERM\)\. /,
        ),
      ]);
      expect((await storage.start('a', newSession(MINUTE, 'id'))).started).toBe(true);
    } finally {
      Logger.overrideLogger(['error', 'warn', 'log']);
    }
  });
});

describe('What Redis says is in the log', () => {
  it.each([
    ['READONLY', () => admin.sendCommand(['REPLICAOF', '127.0.0.1', '1'])],
    ['NOREPLICAS', () => admin.configSet('min-replicas-to-write', '1')],
    ['OOM', () => admin.configSet('maxmemory', '1')],
  ])('%s', async (code, begin) => {
    const test = await createRedisApp(redis, { storage: patientStorage });
    try {
      const ada = await test.signIn();
      test.log.length = 0;
      await begin();
      await test.ask.post('/sign-in').set('Cookie', ada).expect(503);
      expect(test.log[0]?.text).toMatch(new RegExp(`does not answer: \\w+ \\(${code}\\)`));
    } finally {
      await admin.sendCommand(['REPLICAOF', 'NO', 'ONE']);
      await admin.configSet({ 'min-replicas-to-write': '0', maxmemory: '0' });
      await test.close();
    }
  });
});
