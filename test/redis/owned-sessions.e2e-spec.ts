import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Request } from 'express';
import fc from 'fast-check';
import { IdleSessionService, type ListedSession } from 'nestjs-idle-session';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { RedisActivityRecords } from '../../libs/idle-session/src/redis/redis-activity-records.js';
import { loseRecord, passTime, recordsOf } from '../support/activity-records.js';
import { sessionIdOf } from '../support/cookies.js';
import { createRedisApp, type RedisApp, type RedisAppOptions } from '../support/redis-app.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { MINUTE, SECOND } from '../support/test-app.js';
import { until } from '../support/until.js';

const ownerOf = ({ session }: Request) => session.user;

let redis: RedisServer;
let admin: RedisClient;
const apps: RedisApp[] = [];
beforeAll(async () => {
  redis = await RedisServer.start();
  admin = await redis.client();
});
afterAll(() => RedisServer.stopAll());
beforeEach(() => admin.flushAll());
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

async function process(options: RedisAppOptions['options'] = {}, more: RedisAppOptions = {}) {
  const app = await createRedisApp(redis, {
    ...more,
    options: { ownerOf, sessionsEndpoint: true, ...options },
  });
  apps.push(app);
  return Object.assign(app, { sessions: app.app.get(IdleSessionService) });
}

const twoProcesses = async (options: RedisAppOptions['options'] = {}) =>
  [await process(options), await process(options)] as const;

interface ScriptCall {
  keys: string[];
  arguments: string[];
}

const ARGUMENTS_OF_START = 8;

const indexKeys = () => admin.keys('idle-session:{*}:sessions');
const refsOf = (sessions: ListedSession[]) => sessions.map(({ ref }) => ref);

describe('The sessions of a person, on Redis', () => {
  it('are listed and ended in every process, with their data', async () => {
    const [one, two] = await twoProcesses({ describe: ({ ip = '' }) => ({ ip }) });
    const [ada, other] = [await one.signIn(), await two.signIn()];
    const { body } = await two.ask.get('/idle-session/sessions').set('Cookie', ada).expect(200);
    expect(body).toMatchObject([
      { description: { ip: expect.any(String) } },
      { description: { ip: expect.any(String) } },
    ]);
    await two.ask.delete('/idle-session/sessions').set('Cookie', ada).expect(200, { ended: 1 });
    await one.ask.get('/members').set('Cookie', other).expect(401);
    expect(await admin.exists(`sess:${sessionIdOf(other)}`)).toBe(0);
    await one.ask.get('/members').set('Cookie', ada).expect(200);
    expect(two.events.at(-1)).toMatchObject({ reason: 'revoked', endedBy: 'ada' });
  });

  it('are shown with activity that their process has not sent yet', async () => {
    const app = await process(
      {},
      { storage: (client) => new RedisActivityStorage(client, { syncInterval: '1m' }) },
    );
    const ada = await app.signIn();
    const [before] = await app.sessions.list('ada');
    await delay(20);
    await app.ask.get('/page').set('Cookie', ada).expect(200);
    const [after] = await app.sessions.list('ada');
    expect(after!.lastActivityAt).toBeGreaterThanOrEqual(before!.lastActivityAt + 20);
    const [record] = (await recordsOf(admin)).values();
    expect(record!.lastActivityAt).toBe(before!.lastActivityAt);
  });

  it('lie under a key of their own that names nobody and no session id, and expires', async () => {
    const app = await process({ absoluteTimeout: '1h' });
    const cookie = await app.signIn();
    const [key, ...others] = await indexKeys();
    expect(others).toEqual([]);
    expect(key).not.toContain('ada');
    expect(JSON.stringify(await admin.hGetAll(key!))).not.toContain(sessionIdOf(cookie));
    expect(await admin.pTTL(key!)).toBeGreaterThan(59 * MINUTE);
    expect(await admin.pTTL(key!)).toBeLessThanOrEqual(61 * MINUTE);
  });

  it('leave nothing behind once they have ended: by sign-out, by time', async () => {
    const app = await process();
    const cookie = await app.signIn();
    await app.signIn();
    await app.ask.post('/sign-out').set('Cookie', cookie).expect(204);
    await passTime(admin, 15 * MINUTE);
    await until('the index is empty', async () => (await indexKeys()).length === 0);
  });

  it('never show one whose process died before its record started, nor one whose record is lost', async () => {
    const app = await process();
    await app.signIn();
    const second = await app.signIn();
    const [, started] = app.events;
    const owner = started!.ownerHash!;
    const records = new RedisActivityRecords(admin, 'idle-session:', 1000, '');
    await records.index.add(owner, { key: 'crashed', description: {}, keepForMs: null });
    expect(await app.sessions.list('ada')).toHaveLength(2);
    expect(await app.sessions.endAll('eve')).toBe(0);

    await loseRecord(admin, started!.sessionRef);
    expect(await app.sessions.list('ada')).toHaveLength(1);
    await passTime(admin, 31 * SECOND);
    expect(await app.sessions.list('ada')).toHaveLength(1);
    expect((await records.index.list(owner)).sessions).toHaveLength(1);
    await app.ask.get('/members').set('Cookie', second).expect(401);
  });

  it('are on the index before their records start, whenever the process dies', async () => {
    const calls: ('index' | 'start' | 'other')[] = [];
    const storage = (client: RedisClient) => {
      const nameOf = ({ keys: [key], arguments: given }: ScriptCall) => {
        if (key!.endsWith(':sessions')) return 'index';
        // Nothing else is given so much.
        return given.length === ARGUMENTS_OF_START ? 'start' : 'other';
      };
      const evalSha = (sha1: string, call: ScriptCall) => {
        calls.push(nameOf(call));
        return client.evalSha(sha1, call);
      };
      const evaluate = (script: string, call: ScriptCall) => client.eval(script, call);
      return new RedisActivityStorage({ evalSha, eval: evaluate }, { syncInterval: 0 });
    };
    const app = await process({}, { storage });
    await app.signIn();
    expect(calls.filter((call) => call !== 'other')).toEqual(['index', 'start', 'start']);
  });

  it.each<[string, RedisAppOptions['options']]>([
    ['without a limit', {}],
    ['below their limit', { maxSessions: 10 }],
  ])('are not all read for a sign-in %s, nor to end one of them', async (_, options) => {
    const app = await process(options);
    await app.signIn();
    await app.signIn();
    await admin.configResetStat();
    const cookie = await app.signIn();
    const own = `/idle-session/sessions/${app.events[0]!.sessionRef}`;
    await app.ask.delete(own).set('Cookie', cookie).expect(204);
    const used = (await admin.sendCommand(['INFO', 'commandstats'])) as unknown as string;
    expect(used).toContain('cmdstat_hset:');
    expect(used).not.toContain('cmdstat_hgetall:');
  });

  it('survive what is no entry of theirs under the key', async () => {
    const app = await process();
    await app.signIn();
    const [key] = await indexKeys();
    for (const [field, value] of Object.entries({
      '': '',
      a: 'x',
      b: 'x y z',
      c: '0 {not json',
      d: ' ',
    }))
      await admin.hSet(key!, field, value);
    expect(await app.sessions.list('ada')).toHaveLength(1);
    await app.signIn();
    expect(await app.sessions.endAll('ada')).toBe(2);
  });

  it('close what other processes have open for them when they are ended', async () => {
    const storage = (client: RedisClient) =>
      new RedisActivityStorage(client, { syncInterval: '100ms' });
    const [one, two] = [await process({}, { storage }), await process({}, { storage })];
    await one.signIn();
    const ref = one.events[0]!.sessionRef;
    const { OpenSessions } =
      await import('../../libs/idle-session/src/session/open/open-sessions.js');
    let isClosed = false;
    two.app.get(OpenSessions).hold({ ref, hasRecord: true }, () => (isClosed = true));
    expect(await one.sessions.endByRef(ref, { owner: 'ada' })).toBe(true);
    await until('it is closed', () => isClosed);
  });
});

describe('maxSessions, with sign-ins at once in two processes', () => {
  /** The cookies of sign-ins, in any order over the processes; null for one that was refused. */
  const atOnce = (processes: readonly RedisApp[], plan: readonly number[]) =>
    Promise.all(
      plan.map(async (index) => {
        const answer = await processes[index]!.ask.post('/sign-in');
        return answer.status === 409 ? null : (answer.headers['set-cookie'] as unknown as string[]);
      }),
    );

  const alive = async ({ ask }: RedisApp, cookies: (readonly string[] | null)[]) => {
    const answers = await Promise.all(
      cookies.map(async (cookie) => cookie && ask.get('/members').set('Cookie', [...cookie])),
    );
    return answers.filter((answer) => answer?.status === 200).length;
  };

  const plans = fc.array(fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 6 }), {
    minLength: 1,
    maxLength: 4,
  });

  it.each([1, 2, 3])(
    'leaves never more than %i alive, the newest among them',
    async (maxSessions) => {
      const processes = await twoProcesses({ maxSessions });
      await fc.assert(
        fc.asyncProperty(plans, async (rounds) => {
          await admin.flushAll();
          const cookies: (string[] | null)[] = [];
          for (const plan of rounds) cookies.push(...(await atOnce(processes, plan)));
          const last = await processes[0].signIn();
          const expected = Math.min(maxSessions, cookies.length + 1);
          expect(await alive(processes[0], [...cookies, [last]])).toBe(expected);
          expect(await alive(processes[1], [[last]])).toBe(1);
          expect(refsOf(await processes[1].sessions.list('ada'))).toHaveLength(expected);
        }),
        { numRuns: 15 },
      );
    },
  );

  it.each([1, 2, 3])('lets exactly %i in where it refuses', async (maxSessions) => {
    const processes = await twoProcesses({ maxSessions, onMaxSessions: 'refuse' });
    await fc.assert(
      fc.asyncProperty(plans, async (rounds) => {
        await admin.flushAll();
        const cookies: (string[] | null)[] = [];
        for (const plan of rounds) cookies.push(...(await atOnce(processes, plan)));
        const expected = Math.min(maxSessions, cookies.length);
        expect(cookies.filter((cookie) => cookie !== null)).toHaveLength(expected);
        expect(await alive(processes[1], cookies)).toBe(expected);
      }),
      { numRuns: 15 },
    );
  });

  it('holds with a buffer in each process', async () => {
    const storage = (client: RedisClient) => new RedisActivityStorage(client);
    const options = { maxSessions: 2 };
    const [one, two] = [await process(options, { storage }), await process(options, { storage })];
    await atOnce([one, two], [0, 1, 0, 1, 0, 1, 0, 1]);
    expect(await one.sessions.list('ada')).toHaveLength(2);
    expect(refsOf(await two.sessions.list('ada')).sort()).toEqual(
      refsOf(await one.sessions.list('ada')).sort(),
    );
  });

  it('signs nobody in while the storage is away, and ends nobody’s session', async () => {
    const app = await process({ maxSessions: 1 });
    const ada = await app.signIn();
    const [key] = await indexKeys();
    await admin.rename(key!, 'away');
    await admin.set(key!, 'not a sorted set');
    await app.ask.post('/sign-in').expect(503);
    await admin.del(key!);
    await admin.rename('away', key!);
    await app.ask.get('/members').set('Cookie', ada).expect(200);
  });
});
