import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import type { ExpiredSession } from 'nestjs-idle-session';
import { RedisActivityStorage, type RedisScriptClient } from 'nestjs-idle-session/redis';
import { keysOf, passTime, recordsOf } from '../support/activity-records.js';
import { newSession } from '../support/new-session.js';
import { flushed, patient } from '../support/patient.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { MINUTE, SECOND } from '../support/test-app.js';
import { until } from '../support/until.js';

/** For as long, one process alone may tell of an end. */
const LEASE = 30 * SECOND;

const SESSION = { ...newSession(MINUTE, 'id-a'), owner: 'owner-a' };

let redis: RedisServer;
let admin: RedisClient;
let one: RedisActivityStorage;
let two: RedisActivityStorage;
beforeAll(async () => {
  redis = await RedisServer.start();
  admin = await redis.client();
});
afterAll(() => RedisServer.stopAll());
beforeEach(async () => {
  await admin.flushAll();
  [one, two] = [storageOn(admin), storageOn(admin)];
});
afterEach(() => void jest.restoreAllMocks());

function storageOn(client: RedisScriptClient): RedisActivityStorage {
  return patient(new RedisActivityStorage(client, { syncInterval: 0 }));
}

async function expired(...storages: RedisActivityStorage[]): Promise<ExpiredSession[]> {
  const expiries = await Promise.all(storages.map((storage) => storage.expire(1000)));
  return expiries.flatMap((expiry) => expiry.expired);
}

describe('An end of which no process told', () => {
  it.each(['signed-out', 'replaced', 'revoked', 'absolute'] as const)(
    'is handed out to one other after the lease, with all that is known of it: %s',
    async (reason) => {
      const { record, now: startedAt } = await one.start('a', SESSION);
      await passTime(admin, 10 * SECOND);
      const { now: endedAt } = await one.end('a', reason);
      await passTime(admin, LEASE / 3);
      expect(await expired(one, two)).toEqual([]);
      await passTime(admin, LEASE - LEASE / 3);
      const [end, ...others] = await expired(one, two);
      expect(others).toEqual([]);
      expect(end).toMatchObject({ key: 'a', sessionId: 'id-a', reason, owner: 'owner-a' });
      // All that is in Redis is older by what has passed.
      expect(end!.endedAt).toBe(endedAt - LEASE);
      expect(end!.startedAt).toBe(startedAt - 10 * SECOND - LEASE);
      expect(end!.lastActivityAt).toBe(record!.lastActivityAt - 10 * SECOND - LEASE);
    },
  );

  it('is handed out again and again until it is told, also if it was for its time', async () => {
    await one.start('a', SESSION);
    await passTime(admin, MINUTE);
    for (let processes = 0; processes < 3; processes++) {
      expect(await expired(one)).toMatchObject([{ key: 'a', sessionId: 'id-a', reason: 'idle' }]);
      expect(await expired(one, two)).toEqual([]);
      await passTime(admin, LEASE);
    }
    await two.told(['a']);
    await passTime(admin, LEASE);
    expect(await expired(one, two)).toEqual([]);
  });

  it('is handed out without a session id if there never was a record', async () => {
    await one.end('a', 'lost');
    await passTime(admin, LEASE);
    expect(await expired(two)).toMatchObject([{ key: 'a', sessionId: '', reason: 'lost' }]);
  });

  it('is forgotten with its record', async () => {
    await one.start('a', SESSION);
    await one.end('a', 'revoked');
    for (const key of keysOf('records')) await admin.del(key);
    await passTime(admin, LEASE);
    expect(await expired(one, two)).toEqual([]);
    for (const key of keysOf('untold')) expect(await admin.zCard(key)).toBe(0);
  });

  it('is one of any number, a few at a time', async () => {
    const keys = Array.from({ length: 100 }, (_, index) => `session-${index}`);
    await Promise.all(keys.map((key) => one.start(key, newSession(MINUTE, `id of ${key}`))));
    await Promise.all(keys.map((key) => one.end(key, 'signed-out')));
    await passTime(admin, LEASE);
    const told: string[] = [];
    for (let more = true; more;) {
      const expiry = await two.expire(8);
      // Twice as many where an answer comes with the next.
      expect(expiry.expired.length).toBeLessThanOrEqual(16);
      told.push(...expiry.expired.map(({ key }) => key));
      more = expiry.more;
    }
    expect(told.sort()).toEqual(keys.sort());
  });
});

describe('An end that was told', () => {
  it('is handed out to no process, and Redis keeps its session id no longer', async () => {
    await one.start('a', SESSION);
    await one.end('a', 'signed-out');
    expect((await recordsOf(admin)).get('a')?.rest).toBe('signed-out id-a');
    await one.told(['a']);
    expect((await recordsOf(admin)).get('a')?.rest).toBe('signed-out');
    expect((await one.read('a')).record?.ended).toBe('signed-out');
    await passTime(admin, LEASE);
    expect(await expired(one, two)).toEqual([]);
  });

  it('is acknowledged with others of the same turn, in one call a partition', async () => {
    let calls = 0;
    const counting: RedisScriptClient = {
      eval: (script, options) => admin.eval(script, options),
      evalSha(sha1, options) {
        calls++;
        return admin.evalSha(sha1, options);
      },
    };
    const storage = storageOn(counting);
    const keys = Array.from({ length: 40 }, (_, index) => `session-${index}`);
    await Promise.all(keys.map((key) => storage.start(key, SESSION)));
    await Promise.all(keys.map((key) => storage.end(key, 'signed-out')));
    await storage.told([keys[0]!]);
    calls = 0;
    const told = Promise.all(keys.map((key) => storage.told([key])));
    await until('it is sent', () => calls > 0);
    expect(calls).toBe(4);
    await told;
    for (const key of keysOf('untold')) expect(await admin.zCard(key)).toBe(0);
  });

  describe('while Redis does not take that', () => {
    let isAway: boolean;
    let storage: RedisActivityStorage;
    beforeEach(async () => {
      isAway = false;
      const refused = new Error('away');
      storage = storageOn({
        eval: (script, options) => (isAway ? Promise.reject(refused) : admin.eval(script, options)),
        evalSha: (sha1, options) =>
          isAway ? Promise.reject(refused) : admin.evalSha(sha1, options),
      });
      await storage.start('a', SESSION);
      await storage.end('a', 'signed-out');
    });

    it.each<[string, () => Promise<unknown>]>([
      ['the next sweep', () => storage.expire(1)],
      ['flush()', () => flushed(() => storage.flush())],
    ])('is acknowledged by %s', async (_, send) => {
      const rest = async () => (await recordsOf(admin)).get('a')?.rest;
      isAway = true;
      await expect(storage.told(['a'])).rejects.toThrow('away');
      isAway = false;
      expect(await rest()).toBe('signed-out id-a');
      await send();
      await until('it is acknowledged', async () => (await rest()) === 'signed-out');
    });
  });
});

it('An answer that comes when the lease may be over leaves it to another process to tell', async () => {
  await one.start('a', SESSION);
  let now = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  const late = storageOn({
    eval: (script, options) => admin.eval(script, options),
    async evalSha(sha1, options) {
      const reply = await admin.evalSha(sha1, options);
      now += LEASE;
      return reply;
    },
  });
  const { won, record } = await late.end('a', 'revoked');
  expect([won, record?.ended]).toEqual([false, 'revoked']);
  await passTime(admin, LEASE);
  expect(await expired(two)).toMatchObject([{ key: 'a', reason: 'revoked' }]);
});
