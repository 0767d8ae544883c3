import { describe, expect, it, jest } from '@jest/globals';
import TinyQueue from 'tinyqueue';
import { BufferedActivityStorage } from './buffered-activity-storage.js';
import {
  aProcess,
  aWarmProcess,
  IDLE,
  isFromMemory,
  MINUTE,
  now,
  pass,
  SECOND,
  session,
  storageNow,
  setAhead,
  storedActivity,
  useMovedClock,
  World,
} from './buffered-activity-storage.spec-support.js';

useMovedClock();

describe('A session that is in use', () => {
  it('is read and touched without a call to the storage, for as long as it is', async () => {
    const { buffer, connection } = await aWarmProcess();
    for (let request = 0; request < 200; request++) {
      await pass(300);
      await buffer.read('a');
      await buffer.touch('a', IDLE, storageNow());
    }
    expect(connection.asked).toEqual([]);
  });

  it('is told with all the activity that this process knows of', async () => {
    const { buffer } = await aWarmProcess();
    await pass(200);
    const at = storageNow();
    const touched = (await buffer.touch('a', IDLE, at)).record;
    expect(touched).toMatchObject({ lastActivityAt: at, idleTimeoutMs: IDLE });
    expect((await buffer.read('a')).record).toEqual(touched);
  });

  it('is told by the storage’s clock, and not by the process’s', async () => {
    const { buffer } = await aWarmProcess();
    await pass(321);
    expect((await buffer.read('a')).now).toBe(Math.ceil(storageNow()));
  });

  it('is asked for again, once, by many that come at the same time', async () => {
    const { buffer, connection } = await aWarmProcess();
    await pass(10 * MINUTE);
    await Promise.all(Array.from({ length: 10 }, async () => buffer.read('a')));
    expect(connection.asked).toEqual(['read a']);
  });

  it('costs an exchange twice in an interval, and none once nobody asks any more', async () => {
    const { buffer, connection } = await aWarmProcess(['a', 'b']);
    for (let request = 0; request < 40; request++) {
      await pass(250);
      await buffer.read('a');
    }
    const exchanges = connection.calls.filter((call) => call === 'sync 1').length;
    expect(exchanges).toBeGreaterThanOrEqual(10);
    expect(exchanges).toBeLessThanOrEqual(21);
    expect(connection.calls.filter((call) => call === 'sync 0').length).toBeLessThanOrEqual(1);
    await pass(2 * SECOND);
    connection.calls.length = 0;
    await pass(MINUTE);
    expect(connection.calls).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is not taken back by activity that is older, and not moved into the future', async () => {
    const { buffer } = await aWarmProcess();
    await pass(300);
    const newest = (await buffer.touch('a', IDLE, now())).record;
    expect(newest?.lastActivityAt).toBe(storageNow());
    expect((await buffer.touch('a', IDLE, storageNow() - 200)).record).toEqual(newest);
  });
});

describe('Touches', () => {
  it('are collected and sent once, with the time of the newest', async () => {
    const { world, buffer, connection } = await aWarmProcess();
    await pass(100);
    await buffer.touch('a', IDLE, storageNow());
    await pass(100);
    const newest = storageNow();
    await buffer.touch('a', IDLE, newest);
    await buffer.touch('a', IDLE, newest - 50);
    await pass(SECOND);
    expect(connection.touchesSent).toEqual([{ key: 'a', idleTimeoutMs: IDLE, at: newest }]);
    expect(await storedActivity(world)).toBe(newest);
    expect(connection.asked).toEqual([]);
  });

  it.each([500, 1000, 4000])('are known to the storage %p ms later', async (syncInterval) => {
    const { world, buffer } = await aWarmProcess(['a'], { syncInterval });
    const late: number[] = [];
    for (let request = 0; request < 30; request++) {
      await pass(Math.floor(syncInterval / 7));
      const at = storageNow();
      await buffer.touch('a', IDLE, at);
      const check = async () => {
        if (((await storedActivity(world)) ?? 0) < at) late.push(at);
      };
      setTimeout(() => void check(), syncInterval);
    }
    await pass(2 * syncInterval);
    expect(late).toEqual([]);
  });

  it('of many sessions are sent together, in calls of bounded size, each to its partition', async () => {
    const keys = Array.from(
      { length: 1300 },
      (_, index) => `${index % 10 === 0 ? 'b' : 'a'}${index}`,
    );
    const { buffer, connection } = await aWarmProcess(keys);
    await pass(100);
    for (const key of keys) await buffer.touch(key, IDLE, storageNow());
    await pass(SECOND);
    const sizes = connection.sent.map(({ touches }) => touches.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    expect(sizes.length).toBeLessThanOrEqual(4);
    expect(connection.touchesSent.map(({ key }) => key).sort()).toEqual(keys.sort());
    for (const { touches } of connection.sent)
      expect(new Set(touches.map(({ key }) => connection.partitionOf(key))).size).toBe(1);
    expect(connection.asked).toEqual([]);
  });

  it('that come while others are on their way are sent next', async () => {
    const { world, buffer, connection } = await aWarmProcess();
    connection.latency.sync = { there: 200, back: 200 };
    await buffer.touch('a', IDLE, storageNow() - 1);
    while (connection.sent.length === 0) await pass(10);
    const later = storageNow();
    await buffer.touch('a', IDLE, later);
    await pass(SECOND);
    expect(await storedActivity(world)).toBe(later);
  });

  it('with another idle timeout are sent at once', async () => {
    const { world, buffer, connection } = await aWarmProcess();
    let touched: ReturnType<typeof buffer.touch> | undefined;
    expect(await isFromMemory(() => (touched = buffer.touch('a', 2 * MINUTE, storageNow())))).toBe(
      false,
    );
    expect((await touched)?.record?.idleTimeoutMs).toBe(2 * MINUTE);
    expect((await world.memory.read('a')).record?.idleTimeoutMs).toBe(2 * MINUTE);
    expect(connection.asked).toEqual(['touch a']);
  });

  it('and the news are not asked for while an exchange is still under way', async () => {
    const { buffer, connection } = await aWarmProcess();
    connection.latency.sync = { back: 900 };
    let mostUnderWay = 0;
    const sync = connection.sync.bind(connection);
    let underWay = 0;
    jest.spyOn(connection, 'sync').mockImplementation(async (...exchange) => {
      mostUnderWay = Math.max(mostUnderWay, ++underWay);
      return sync(...exchange).finally(() => underWay--);
    });
    for (let request = 0; request < 20; request++) {
      await pass(200);
      await buffer.touch('a', IDLE, storageNow());
    }
    expect(mostUnderWay).toBe(1);
  });
});

describe('Activity', () => {
  const LAG = IDLE / 20;

  /** As a person in a page: something every second. */
  async function use(buffer: BufferedActivityStorage, milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += SECOND) {
      await pass(SECOND);
      await buffer.touch('a', IDLE, storageNow());
    }
  }

  it.each([
    ['a twentieth of the idle timeout', { touchInterval: '1h' }, LAG],
    ['30 s by default', {}, 30 * SECOND],
    ['the touchInterval', { touchInterval: '5s' }, 5 * SECOND],
    ['no more than one syncInterval, if that is 0', { touchInterval: 0 }, 0],
  ])('is sent before the storage lags behind by more than %s', async (_, options, lag) => {
    const { world, buffer, connection } = await aWarmProcess(['a'], {
      touchInterval: '30s',
      ...options,
    });
    await use(buffer, 5 * SECOND);
    connection.sent.length = 0;
    let worst = 0;
    for (let second = 0; second < 300; second++) {
      await use(buffer, SECOND);
      await pass(0);
      worst = Math.max(worst, storageNow() - (await storedActivity(world))!);
    }
    expect(worst).toBeLessThanOrEqual(lag + SECOND);
    expect(connection.touchesSent.length).toBeLessThanOrEqual(
      300 / Math.max(lag / SECOND - 1, 1) + 1,
    );
    expect(connection.asked).toEqual([]);
  });

  it('after a pause is sent at once, since the storage lags behind by more already', async () => {
    const { world, buffer } = await aWarmProcess(['a'], { touchInterval: '30s' });
    await pass(2 * MINUTE);
    await buffer.read('a');
    const at = storageNow();
    expect(await isFromMemory(() => buffer.touch('a', IDLE, at))).toBe(true);
    await pass(SECOND);
    expect(await storedActivity(world)).toBe(at);
  });

  it('waits without an exchange once nobody asks any more, and is then sent', async () => {
    const { world, buffer, connection } = await aWarmProcess(['a'], { touchInterval: '30s' });
    await use(buffer, SECOND);
    const at = storageNow();
    await pass(2 * SECOND);
    connection.calls.length = 0;
    await pass(20 * SECOND);
    expect(connection.calls).toEqual([]);
    await pass(10 * SECOND);
    expect(await storedActivity(world)).toBe(at);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('that could not be sent is due at once when the storage is back', async () => {
    const { world, buffer, connection } = await aWarmProcess(['a'], { touchInterval: '5s' });
    await use(buffer, 2 * SECOND);
    const at = storageNow();
    connection.fails.sync = 'rejects';
    await pass(10 * SECOND);
    connection.fails = {};
    await pass(SECOND);
    expect(await storedActivity(world)).toBe(at);
  });

  it('has one place in the queue, however often it is sent before it is due', async () => {
    const { buffer, connection } = await aWarmProcess(['a'], { touchInterval: '30s' });
    const pushed = jest.spyOn(TinyQueue.prototype, 'push');
    for (let time = 0; time < 20; time++) {
      await pass(SECOND);
      await buffer.touch('a', IDLE + time, storageNow());
      // Another idle timeout goes out at once, and takes along what waits.
      await buffer.touch('a', IDLE + time + 1, storageNow());
    }
    expect(connection.asked.length).toBeGreaterThanOrEqual(20);
    expect(pushed.mock.calls.length).toBeLessThanOrEqual(2);
  });

  it('that was not due is sent by flush()', async () => {
    const { world, buffer, connection } = await aWarmProcess(['a'], { touchInterval: '30s' });
    await use(buffer, 3 * SECOND);
    expect(connection.touchesSent).toEqual([]);
    const at = storageNow();
    await buffer.flush();
    expect(await storedActivity(world)).toBe(at);
  });
});

describe('A touch is put off', () => {
  /** Keeps the session known, but does not touch it. */
  async function watch(buffer: BufferedActivityStorage, milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 100) {
      await pass(100);
      await buffer.read('a');
    }
  }

  it('while more than half of the idle timeout is left by what the storage knows', async () => {
    const { buffer, connection } = await aWarmProcess(['a'], {}, MINUTE);
    // A second has passed already.
    await watch(buffer, 28 * SECOND);
    await pass(900);
    expect(await isFromMemory(() => buffer.touch('a', MINUTE, storageNow()))).toBe(true);
    expect(connection.asked).toEqual([]);
  });

  it('and no later: then it is sent at once, and waited for', async () => {
    const { world, buffer, connection } = await aWarmProcess(['a'], {}, MINUTE);
    await watch(buffer, 29 * SECOND);
    connection.calls.length = 0;
    const at = storageNow();
    let touched: ReturnType<typeof buffer.touch> | undefined;
    expect(await isFromMemory(() => (touched = buffer.touch('a', MINUTE, at)))).toBe(false);
    await touched;
    expect(connection.asked).toEqual(['touch a']);
    expect(await storedActivity(world)).toBe(at);
  });

  it('never when less than a sync interval is left', async () => {
    const { buffer } = aProcess(new World(), { syncInterval: '1s' });
    await buffer.start('a', session(1500));
    await pass(499);
    expect(await isFromMemory(() => buffer.touch('a', 1500, storageNow()))).toBe(true);
    const { buffer: another } = aProcess(new World(), { syncInterval: '1s' });
    await another.start('a', session(1500));
    await pass(500);
    expect(await isFromMemory(() => another.touch('a', 1500, storageNow()))).toBe(false);
  });

  it('by what the storage knows, not by what is still on its way', async () => {
    const { buffer, connection } = aProcess(new World(), { syncInterval: '20s' });
    await buffer.start('a', session(30 * SECOND));
    for (let request = 0; request < 9; request++) {
      await pass(SECOND);
      expect(await isFromMemory(() => buffer.touch('a', 30 * SECOND, storageNow()))).toBe(true);
    }
    connection.fails.sync = 'hangs';
    await pass(1500);
    expect(await isFromMemory(() => buffer.touch('a', 30 * SECOND, storageNow()))).toBe(false);
  });

  it('and in the last second the storage knows of it when the answer is here', async () => {
    const { world, buffer } = await aWarmProcess(['a'], {}, MINUTE);
    await pass(MINUTE - SECOND - 200);
    const { record } = await buffer.read('a');
    expect(record!.lastActivityAt + MINUTE - storageNow()).toBe(200);
    await buffer.touch('a', MINUTE, storageNow());
    expect(await storedActivity(world)).toBe(storageNow());
  });
});

describe('Readings', () => {
  it('of a session that is not known are asked for once, however many ask', async () => {
    const { world, buffer, connection } = aProcess();
    await world.memory.start('a', session());
    connection.latency.read = { there: 50, back: 50 };
    const readings = [buffer.read('a'), buffer.read('a')];
    await pass(60);
    readings.push(buffer.read('a'), buffer.read('b'));
    await pass(100);
    const records = (await Promise.all(readings.map(async (reading) => reading))).map(
      ({ record }) => record,
    );
    expect(records.slice(0, 3).every((record) => record?.idleTimeoutMs === IDLE)).toBe(true);
    expect(records[3]).toBeUndefined();
    expect(connection.asked).toEqual(['read a', 'read b']);
    expect(await isFromMemory(() => buffer.read('a'))).toBe(true);
  });

  it('that fail, fail for all who shared them, and the next one asks again', async () => {
    const { world, buffer, connection } = aProcess();
    await world.memory.start('a', session());
    connection.fails.read = 'rejects';
    const readings = await Promise.allSettled([buffer.read('a'), buffer.read('a')]);
    expect(readings.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    connection.fails = {};
    expect((await buffer.read('a')).record).toBeDefined();
    expect(connection.asked).toEqual(['read a', 'read a']);
  });

  it('that are to be fresh ask, and share nothing', async () => {
    const { world, buffer, connection } = await aWarmProcess();
    await world.memory.end('a', 'revoked');
    const readings = [buffer.read('a', true), buffer.read('a', true)];
    expect(
      (await Promise.all(readings.map(async (reading) => reading))).map(
        ({ record }) => record?.ended,
      ),
    ).toEqual(['revoked', 'revoked']);
    expect(connection.asked).toEqual(['read fresh a', 'read fresh a']);
  });

  it('that are fresh tell of activity that was not sent yet', async () => {
    const { buffer } = await aWarmProcess();
    await pass(100);
    const at = storageNow();
    await buffer.touch('a', IDLE, at);
    await buffer.read('a', true);
    expect((await buffer.read('a')).record?.lastActivityAt).toBe(at);
  });

  it('do not remember that there is no record', async () => {
    const { world, buffer } = await aWarmProcess();
    expect((await buffer.read('c')).record).toBeUndefined();
    await world.memory.start('c', session());
    expect((await buffer.read('c')).record).toBeDefined();
  });

  it('take nobody to be alive at a time when the storage would say otherwise', async () => {
    const { buffer, connection } = await aWarmProcess();
    connection.latency = { 'read fresh': { there: 30, back: 200 }, sync: { there: 100, back: 20 } };
    for (let request = 0; request < 20; request++) {
      const reading = request % 5 === 0 ? buffer.read('a', true) : buffer.read('a');
      await pass(230);
      await reading;
      const { now: told } = await buffer.read('a');
      expect(told).toBeGreaterThanOrEqual(storageNow());
      expect(told).toBeLessThanOrEqual(storageNow() + 230);
    }
  });

  it('are by the storage’s clock from the first answer on, however slow that was', async () => {
    const { buffer, connection } = aProcess();
    connection.latency.start = { there: 50, back: 300 };
    const started = buffer.start('a', session());
    await pass(350);
    await started;
    expect((await buffer.read('a')).now).toBeGreaterThanOrEqual(storageNow());
  });

  it.each([
    ['forward', 30 * SECOND],
    ['back', -30 * SECOND],
  ])('follow the storage’s clock when it is put %s, as at a failover', async (_, by) => {
    const { buffer } = await aWarmProcess();
    setAhead(storageNow() - performance.now() + by);
    await pass(SECOND);
    await buffer.read('a');
    await pass(10);
    expect((await buffer.read('a')).now).toBe(Math.ceil(storageNow()));
  });

  it('that were long on their way do not make it later than it is', async () => {
    const { buffer, connection } = await aWarmProcess(['a', 'c']);
    connection.latency['read fresh'] = { there: 10 * SECOND };
    const slow = buffer.read('c', true);
    for (let passed = 0; passed < 10; passed++) {
      await pass(SECOND);
      await buffer.read('a');
    }
    await slow;
    expect((await buffer.read('a')).now - storageNow()).toBeLessThan(SECOND);
  });
});
