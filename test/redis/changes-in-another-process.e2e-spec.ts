import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { RedisActivityStorage, type RedisActivityStorageOptions } from 'nestjs-idle-session/redis';
import { copyOf, keysOf, loseRecord, recordsOf } from '../support/activity-records.js';
import { inBatches } from '../support/batches.js';
import { BufferedApps, SLACK } from '../support/buffered-app.js';
import { MINUTE } from '../support/durations.js';
import { newSession } from '../support/new-session.js';
import { flushed } from '../support/patient.js';
import { until } from '../support/until.js';

const IDLE = 15 * MINUTE;

const apps = BufferedApps.forEachTest();

describe('Of what another process changed, a RedisActivityStorage', () => {
  const INTERVAL = 200;
  const storages = async (other: RedisActivityStorageOptions = {}) => {
    const here = new RedisActivityStorage(await apps.redis.client(), {
      syncInterval: INTERVAL,
      touchInterval: 0,
    });
    const there = new RedisActivityStorage(await apps.redis.client(), {
      syncInterval: 0,
      ...other,
    });
    return { here, there };
  };

  /** Looks at the session without a break, until something else is said of it than that it is alive. */
  function untilDead(storage: RedisActivityStorage, key: string): Promise<number> {
    return until('it is dead', async () => {
      const { record } = await storage.read(key);
      return !record || record.ended !== undefined;
    });
  }

  /** So that it has its first news, and those that come. */
  async function keepInUse(storage: RedisActivityStorage, key: string): Promise<void> {
    for (let passed = 0; passed < 2 * INTERVAL; passed += 50) {
      await storage.read(key);
      await delay(50);
    }
  }

  /** Keys of one partition, since their characters add up to the same. */
  const keyOf = (index: number) => {
    const digits = String(index).padStart(5, '0');
    const complement = Array.from(digits, (digit) => 9 - Number(digit)).join('');
    return `session-${digits}-${complement}`;
  };

  it('knows a shorter idle timeout one interval later', async () => {
    const { here, there } = await storages();
    await here.start('a', newSession(IDLE, 'id'));
    await keepInUse(here, 'a');
    await there.touch('a', MINUTE, Number.MAX_SAFE_INTEGER);
    await keepInUse(here, 'a');
    expect((await here.read('a')).record?.idleTimeoutMs).toBe(MINUTE);
  });

  it('knows everything, also when it is more than a partition remembers', async () => {
    const { here, there } = await storages();
    const keys = Array.from({ length: 1100 }, (_, index) => keyOf(index));
    await inBatches(keys, (key) => here.start(key, newSession(IDLE, 'id')));
    const alive = keyOf(5000);
    await here.start(alive, newSession(IDLE));
    await keepInUse(here, alive);
    await inBatches(keys, (key) => here.read(key));
    await inBatches(keys, (key) => there.end(key, 'revoked'));
    await keepInUse(here, alive);
    const open: string[] = [];
    await inBatches(keys, async (key) => {
      if ((await here.read(key)).record?.ended === undefined) open.push(key);
    });
    expect(open).toEqual([]);
  });

  it.each<[string, number]>([
    ['nothing has ever changed', 0],
    ['something has changed', 1],
  ])('forgets what a flush took away, where %s before', (_, changesBefore) =>
    apps.undisturbed(async () => {
      const { here, there } = await storages();
      await here.start(keyOf(0), newSession(IDLE));
      for (let change = 1; change <= changesBefore; change++)
        await there.end(keyOf(change), 'revoked');
      await keepInUse(here, keyOf(0));
      await apps.admin.flushAll();
      expect(await untilDead(here, keyOf(0))).toBeLessThan(INTERVAL + SLACK);
    }),
  );

  it('forgets what a flush took away, however much has changed since', () =>
    apps.undisturbed(async () => {
      const { here, there } = await storages();
      await here.start(keyOf(0), newSession(IDLE));
      await there.end(keyOf(1), 'revoked');
      await keepInUse(here, keyOf(0));
      await apps.admin.flushAll();
      for (let change = 2; change < 7; change++) await there.end(keyOf(change), 'revoked');
      expect(await untilDead(here, keyOf(0))).toBeLessThan(INTERVAL + SLACK);
    }));

  /** Two sessions that the one process knows, and a change of a third that it has heard of. */
  async function afterOneChange() {
    const { here, there } = await storages();
    const [ended, alive] = [keyOf(0), keyOf(1)];
    for (const key of [ended, alive]) await here.start(key, newSession(IDLE, 'id'));
    await there.end(keyOf(2), 'revoked');
    await keepInUse(here, alive);
    await here.read(ended);
    return { here, there, ended, alive };
  }

  it('forgets everything when what changed has been evicted', async () => {
    const { here, there, ended, alive } = await afterOneChange();
    await there.end(ended, 'revoked');
    await apps.admin.del(keysOf('changes'));
    await keepInUse(here, alive);
    expect((await here.read(ended)).record?.ended).toBe('revoked');
  });

  it('forgets everything when a failover lost the last changes and as many have come since', async () => {
    const { here, there, ended, alive } = await afterOneChange();
    const replica = await copyOf(apps.admin);
    await there.end(keyOf(3), 'revoked');
    await keepInUse(here, alive);
    // Nothing is exchanged meanwhile, as if Redis were away.
    await delay(2 * INTERVAL);
    await replica.takeOver();
    await there.end(ended, 'revoked');
    await keepInUse(here, alive);
    expect((await here.read(ended)).record?.ended).toBe('revoked');
  });

  it('finds out that a record is lost when it is touched', () =>
    apps.undisturbed(async () => {
      const { here } = await storages();
      await here.start('a', newSession(IDLE, 'id'));
      await keepInUse(here, 'a');
      await loseRecord(apps.admin, 'a');
      await here.touch('a', IDLE, Number.MAX_SAFE_INTEGER);
      expect(await untilDead(here, 'a')).toBeLessThan(INTERVAL + SLACK);
    }));

  it('loses nothing of many touches at once', () =>
    apps.undisturbed(async () => {
      const { here } = await storages();
      const keys = Array.from({ length: 1200 }, (_, index) => keyOf(index));
      await inBatches(keys, (key) => here.start(key, newSession(IDLE, 'id')));
      await keepInUse(here, keys[0]!);
      await inBatches(keys, (key) => here.read(key));
      const at = new Map<string, number>();
      for (const key of keys) {
        const { record } = await here.touch(key, IDLE, Number.MAX_SAFE_INTEGER);
        at.set(key, record!.lastActivityAt);
      }
      await flushed(() => here.flush());
      const records = await recordsOf(apps.admin);
      // The clock here may be ahead of Redis's by what an exchange takes.
      const late = keys.filter((key) => {
        const { lastActivityAt } = records.get(key)!;
        return Math.abs(lastActivityAt - at.get(key)!) > SLACK;
      });
      expect(late).toEqual([]);
      const sinceStart = [...records.values()].map((r) => r.lastActivityAt - r.startedAt);
      expect(sinceStart.filter((milliseconds) => milliseconds < INTERVAL)).toEqual([]);
    }));
});
