import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ActivityStorage, type ActivityReading, type EndReason } from '../activity-storage.js';
import {
  BufferedActivityStorage,
  type ActivityFeed,
  type BufferedActivityStorageOptions,
  type News,
  type Touch,
} from './buffered-activity-storage.js';
import { isPromise } from '../../maybe-promise.js';
import { MemoryActivityStorage } from '../memory-activity-storage.js';
import { IdleSessionOptionsError } from '../../utils/option-error.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const IDLE = 15 * MINUTE;

/** By how much the storage's clock is ahead of this process's. */
let ahead: number;

beforeEach(() => {
  jest.useFakeTimers();
  ahead = 5_000_000;
});
afterEach(() => {
  jest.useRealTimers();
});

const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);
const storageNow = () => performance.now() + ahead;

/** What all processes share. */
class World {
  readonly memory = new MemoryActivityStorage({ now: storageNow });
  /** The keys whose deadline moved back, in order. */
  readonly changes: string[] = [];
}

/** One process's way to the storage: takes down what is asked, and fails as the test says. */
class Connection extends ActivityStorage {
  readonly calls: string[] = [];
  /** The time at which each operation is done after it was asked, and until its answer is here. */
  latency: Partial<Record<string, { there?: number; back?: number }>> = {};
  fails: Partial<Record<string, 'rejects' | 'hangs'>> = {};

  constructor(protected readonly world: World) {
    super();
  }

  override read(key: string, fresh = false): Promise<ActivityReading> {
    return this.answer(fresh ? 'read fresh' : 'read', key, () => this.world.memory.read(key));
  }

  override start(key: string, idleTimeoutMs: number, sessionId: string) {
    return this.answer('start', key, () => this.world.memory.start(key, idleTimeoutMs, sessionId));
  }

  override touch(key: string, idleTimeoutMs: number, at: number) {
    return this.answer('touch', key, () => this.touchNow({ key, idleTimeoutMs, at }));
  }

  override end(key: string, reason: EndReason) {
    return this.answer('end', key, () => {
      this.world.changes.push(key);
      return this.world.memory.end(key, reason);
    });
  }

  /** What was asked, without the exchanges that happen beside. */
  get asked(): string[] {
    return this.calls.filter((call) => !call.startsWith('sync'));
  }

  protected touchNow({ key, idleTimeoutMs, at }: Touch): ActivityReading {
    const { memory, changes } = this.world;
    const before = memory.read(key).record;
    const after = memory.touch(key, idleTimeoutMs, at);
    const due = (record = after.record) =>
      (record?.lastActivityAt ?? 0) + (record?.idleTimeoutMs ?? 0);
    if (due() < due(before)) changes.push(key);
    return after;
  }

  protected async answer<T>(operation: string, subject: string, run: () => T): Promise<T> {
    this.calls.push(`${operation} ${subject}`);
    const { there = 0, back = 0 } = this.latency[operation] ?? {};
    const failure = this.fails[operation];
    if (failure === 'rejects') throw new Error(`${operation} failed`);
    if (failure === 'hangs') return new Promise(() => {});
    if (there > 0) await new Promise((resolve) => setTimeout(resolve, there));
    const value = run();
    if (back > 0) await new Promise((resolve) => setTimeout(resolve, back));
    return value;
  }
}

/** A connection that tells what changed, in two partitions: of the keys that begin with a, c, … and with b, d, …. */
class FeedConnection extends Connection implements ActivityFeed {
  readonly partitions = 2;
  /** The touches of each exchange that brought any. */
  readonly sent: { readonly at: number; readonly touches: readonly Touch[] }[] = [];
  /** Whether the storage has lost what it could tell. */
  forgetful = false;

  partitionOf(key: string): number {
    return key.charCodeAt(0) % 2;
  }

  sync(partition: number, touches: readonly Touch[], since: unknown): Promise<News> {
    if (touches.length > 0) this.sent.push({ at: performance.now(), touches });
    return this.answer('sync', String(partition), () => {
      const refused = touches.filter((touch) => {
        const { record } = this.touchNow(touch);
        return !record || record.ended !== undefined || record.lastActivityAt < touch.at;
      });
      const { changes } = this.world;
      const known = since !== undefined && !this.forgetful;
      const news = changes
        .slice(Number(since))
        .filter((key) => this.partitionOf(key) === partition);
      return {
        now: storageNow(),
        cursor: String(changes.length),
        changed: known ? [...news, ...refused.map(({ key }) => key)] : 'all',
      };
    });
  }

  get touchesSent(): Touch[] {
    return this.sent.flatMap(({ touches }) => touches);
  }
}

/** A process with a buffer in front of the storage that it shares with others. */
function aProcess(world = new World(), options?: BufferedActivityStorageOptions) {
  const connection = new FeedConnection(world);
  return { world, connection, buffer: new BufferedActivityStorage(connection, options) };
}

/** A process that has been in use for a while, with the sessions started, so that it knows what changed since. */
async function aWarmProcess(
  keys: readonly string[] = ['a'],
  options?: BufferedActivityStorageOptions,
  idleTimeoutMs = IDLE,
  world = new World(),
) {
  const it = aProcess(world, options);
  for (const key of keys) await it.buffer.start(key, idleTimeoutMs, `id of ${key}`);
  // From its first news on it knows where to go on.
  await pass(SECOND);
  for (const key of keys) await it.buffer.read(key);
  it.connection.calls.length = 0;
  it.connection.sent.length = 0;
  return it;
}

/** Whether the answer is here at once. */
const atOnce = (answer: unknown) => !isPromise(answer);
const now = () => Number.MAX_SAFE_INTEGER;

const storedActivity = ({ memory }: World, key = 'a') => memory.read(key).record?.lastActivityAt;

describe('A session that is in use', () => {
  it('is read and touched without a promise and without asking, for as long as it is', async () => {
    const { buffer, connection } = await aWarmProcess();
    for (let request = 0; request < 200; request++) {
      await pass(300);
      const reading = buffer.read('a');
      const touched = buffer.touch('a', IDLE, storageNow());
      expect([atOnce(reading), atOnce(touched)]).toEqual([true, true]);
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

  it('is told by the storage’s clock, whatever the process takes the time to be', async () => {
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
    expect(storedActivity(world)).toBe(newest);
    expect(connection.asked).toEqual([]);
  });

  it.each([500, 1000, 4000])('are known to the storage %p ms later', async (syncInterval) => {
    const { world, buffer } = await aWarmProcess(['a'], { syncInterval });
    for (let request = 0; request < 30; request++) {
      await pass(Math.floor(syncInterval / 7));
      const at = storageNow();
      await buffer.touch('a', IDLE, at);
      setTimeout(() => expect(storedActivity(world)).toBeGreaterThanOrEqual(at), syncInterval);
    }
    await pass(syncInterval);
    expect.assertions(30);
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
    expect(storedActivity(world)).toBe(later);
  });

  it('with another idle timeout are sent at once', async () => {
    const { world, buffer, connection } = await aWarmProcess();
    const touched = buffer.touch('a', 2 * MINUTE, storageNow());
    expect(atOnce(touched)).toBe(false);
    expect((await touched).record?.idleTimeoutMs).toBe(2 * MINUTE);
    expect(world.memory.read('a').record?.idleTimeoutMs).toBe(2 * MINUTE);
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
    expect(atOnce(buffer.touch('a', MINUTE, storageNow()))).toBe(true);
    expect(connection.asked).toEqual([]);
  });

  it('and no later: then it is sent at once, and waited for', async () => {
    const { world, buffer, connection } = await aWarmProcess(['a'], {}, MINUTE);
    await watch(buffer, 29 * SECOND);
    connection.calls.length = 0;
    const at = storageNow();
    const touched = buffer.touch('a', MINUTE, at);
    expect(atOnce(touched)).toBe(false);
    await touched;
    expect(connection.asked).toEqual(['touch a']);
    expect(storedActivity(world)).toBe(at);
  });

  it('never when less than a sync interval is left', async () => {
    const { buffer } = aProcess(new World(), { syncInterval: '1s' });
    await buffer.start('a', 1500, 'id');
    await pass(499);
    expect(atOnce(buffer.touch('a', 1500, storageNow()))).toBe(true);
    const { buffer: another } = aProcess(new World(), { syncInterval: '1s' });
    await another.start('a', 1500, 'id');
    await pass(500);
    expect(atOnce(another.touch('a', 1500, storageNow()))).toBe(false);
  });

  it('by what the storage knows, not by what is still on its way', async () => {
    const { buffer, connection } = aProcess(new World(), { syncInterval: '20s' });
    await buffer.start('a', 30 * SECOND, 'id');
    for (let request = 0; request < 9; request++) {
      await pass(SECOND);
      expect(atOnce(buffer.touch('a', 30 * SECOND, storageNow()))).toBe(true);
    }
    connection.fails.sync = 'hangs';
    await pass(1500);
    expect(atOnce(buffer.touch('a', 30 * SECOND, storageNow()))).toBe(false);
  });

  it('and in the last second the storage knows of it when the answer is here', async () => {
    const { world, buffer } = await aWarmProcess(['a'], {}, MINUTE);
    await pass(MINUTE - SECOND - 200);
    const { record } = await buffer.read('a');
    expect(record!.lastActivityAt + MINUTE - storageNow()).toBe(200);
    await buffer.touch('a', MINUTE, storageNow());
    expect(storedActivity(world)).toBe(storageNow());
  });
});

describe('Readings', () => {
  it('of a session that is not known are asked for once, however many ask', async () => {
    const { world, buffer, connection } = aProcess();
    world.memory.start('a', IDLE, 'id');
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
    expect(atOnce(buffer.read('a'))).toBe(true);
  });

  it('that fail, fail for all who shared them, and the next one asks again', async () => {
    const { world, buffer, connection } = aProcess();
    world.memory.start('a', IDLE, 'id');
    connection.fails.read = 'rejects';
    const readings = await Promise.allSettled([buffer.read('a'), buffer.read('a')]);
    expect(readings.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    connection.fails = {};
    expect((await buffer.read('a')).record).toBeDefined();
    expect(connection.asked).toEqual(['read a', 'read a']);
  });

  it('that are to be fresh ask, and share nothing', async () => {
    const { world, buffer, connection } = await aWarmProcess();
    world.memory.end('a', 'revoked');
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
    world.memory.start('c', IDLE, 'id');
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
    const started = buffer.start('a', IDLE, 'id');
    await pass(350);
    await started;
    expect((await buffer.read('a')).now).toBeGreaterThanOrEqual(storageNow());
  });

  it.each([
    ['forward', 30 * SECOND],
    ['back', -30 * SECOND],
  ])('follow the storage’s clock when it is put %s, as at a failover', async (_, by) => {
    const { buffer } = await aWarmProcess();
    ahead += by;
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

describe('An end', () => {
  it('that was decided here is known here at once', async () => {
    const { buffer } = await aWarmProcess();
    await buffer.touch('a', IDLE, storageNow());
    expect(await buffer.end('a', 'signed-out')).toMatchObject({ won: true });
    expect((await buffer.read('a')).record?.ended).toBe('signed-out');
    expect((await buffer.touch('a', IDLE, storageNow())).record?.ended).toBe('signed-out');
    expect(await buffer.end('a', 'revoked')).toMatchObject({ won: false });
  });

  it('is not undone by activity that was collected before', async () => {
    const { world, buffer } = await aWarmProcess();
    await pass(100);
    await buffer.touch('a', IDLE, storageNow());
    await buffer.end('a', 'signed-out');
    await pass(5 * SECOND);
    expect(world.memory.read('a').record?.ended).toBe('signed-out');
    expect((await buffer.read('a')).record?.ended).toBe('signed-out');
  });

  it.each([0, 50, 120, 260, 410, 499])(
    'elsewhere is known one interval later to a process that is asked all the time (phase %p ms)',
    async (phase) => {
      const world = new World();
      const [here, there] = [await aWarmProcess(['a'], {}, IDLE, world), aProcess(world)];
      await pass(phase);
      await there.buffer.end('a', 'signed-out');
      let passed = 0;
      while ((await here.buffer.read('a')).record?.ended === undefined) {
        await here.buffer.touch('a', IDLE, storageNow());
        await pass(10);
        passed += 10;
      }
      expect(passed).toBeLessThanOrEqual(SECOND);
    },
  );

  it('elsewhere is known one interval later, however slow exchanges are', async () => {
    const world = new World();
    const [here, there] = [await aWarmProcess(['a'], {}, IDLE, world), aProcess(world)];
    here.connection.latency.sync = { back: 800 };
    while (here.connection.calls.length === 0) await pass(1);
    await there.buffer.end('a', 'signed-out');
    await pass(810);
    await here.buffer.read('a');
    await pass(190);
    expect((await here.buffer.read('a')).record?.ended).toBe('signed-out');
  });

  it.each([10, 700, 1000, 3000])(
    'elsewhere is known one interval later to a process that was asked %p ms ago',
    async (ago) => {
      const world = new World();
      const [here, there] = [await aWarmProcess(['a'], {}, IDLE, world), aProcess(world)];
      await here.buffer.read('a');
      await pass(ago);
      await there.buffer.end('a', 'revoked');
      await pass(SECOND);
      expect((await here.buffer.read('a')).record?.ended).toBe('revoked');
    },
  );

  it('elsewhere is not forgotten over by the next exchange', async () => {
    const world = new World();
    const [here, there] = [await aWarmProcess(['a'], {}, IDLE, world), aProcess(world)];
    await there.buffer.end('a', 'revoked');
    for (let passed = 0; passed < 30; passed++) {
      await pass(100);
      await here.buffer.touch('a', IDLE, storageNow());
      if (passed >= 10) expect((await here.buffer.read('a')).record?.ended).toBe('revoked');
    }
  });

  it('as idle ends nothing that was active here, however little the storage has heard', async () => {
    const { world, buffer, connection } = aProcess(new World(), { syncInterval: '20s' });
    await buffer.start('a', 30 * SECOND, 'id');
    await pass(9 * SECOND);
    const at = storageNow();
    expect(atOnce(buffer.touch('a', 30 * SECOND, at))).toBe(true);
    connection.fails.sync = 'rejects';
    await pass(22 * SECOND);
    const reading = await buffer.end('a', 'idle');
    expect(reading.won).toBe(false);
    expect(reading.record).toMatchObject({ lastActivityAt: at });
    expect(world.memory.read('a').record?.ended).toBeUndefined();
  });

  it('that comes while a reading is on its way is not hidden by it', async () => {
    const { world, buffer, connection } = await aWarmProcess(['c']);
    world.memory.start('a', IDLE, 'id');
    connection.latency.read = { back: 400 };
    const early = buffer.read('a');
    await pass(10);
    await buffer.end('a', 'signed-out');
    await pass(1);
    connection.latency = {};
    expect((await buffer.read('a')).record?.ended).toBe('signed-out');
    await pass(400);
    expect((await early).record?.ended).toBeUndefined();
    expect((await buffer.read('a')).record?.ended).toBe('signed-out');
  });

  it('that the news brought is not hidden by an answer that they overtook', async () => {
    const world = new World();
    const [here, there] = [await aWarmProcess(['c'], {}, IDLE, world), aProcess(world)];
    await there.buffer.start('a', IDLE, 'id');
    here.connection.latency.read = { back: 900 };
    const early = here.buffer.read('a');
    await pass(10);
    await there.buffer.end('a', 'signed-out');
    await pass(990);
    expect((await early).record?.ended).toBeUndefined();
    here.connection.latency = {};
    expect((await here.buffer.read('a')).record?.ended).toBe('signed-out');
  });

  it('that somebody tells of is known at once', async () => {
    class Told extends BufferedActivityStorage {
      override forget(key: string): void {
        super.forget(key);
      }
    }
    const world = new World();
    const connection = new FeedConnection(world);
    const told = new Told(connection, { syncInterval: '1m' });
    await told.start('a', IDLE, 'id');
    await told.start('c', IDLE, 'id');
    await pass(10);
    world.memory.end('a', 'signed-out');
    expect((await told.read('a')).record?.ended).toBeUndefined();
    told.forget('a');
    expect((await told.read('a')).record?.ended).toBe('signed-out');
    expect(atOnce(told.read('c'))).toBe(true);
  });
});

describe('What another process changed', () => {
  it('is known one interval later when it is a shorter idle timeout', async () => {
    const world = new World();
    const [here, there] = [await aWarmProcess(['a'], {}, IDLE, world), aProcess(world)];
    await there.buffer.touch('a', 2 * MINUTE, storageNow());
    await pass(500);
    await here.buffer.read('a');
    await pass(500);
    expect((await here.buffer.read('a')).record?.idleTimeoutMs).toBe(2 * MINUTE);
  });

  it('is all asked for again when the storage cannot tell what it was', async () => {
    const { world, buffer, connection } = await aWarmProcess(['a', 'c', 'd']);
    for (const key of ['a', 'd']) world.memory.end(key, 'revoked');
    connection.forgetful = true;
    for (const key of ['a', 'c', 'd']) await buffer.read(key);
    await pass(SECOND);
    const records = await Promise.all(['a', 'c', 'd'].map(async (key) => buffer.read(key)));
    expect(records.map(({ record }) => record?.ended)).toEqual(['revoked', undefined, 'revoked']);
  });

  it('costs nothing but what changed', async () => {
    const world = new World();
    const here = await aWarmProcess(['a', 'c', 'd'], {}, IDLE, world);
    await aProcess(world).buffer.end('a', 'revoked');
    await pass(500);
    expect(['a', 'c', 'd'].map((key) => atOnce(here.buffer.read(key)))).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('is found out when a touch is refused', async () => {
    const { world, buffer, connection } = await aWarmProcess();
    // Without a trace in the history, as a record that was evicted.
    world.memory.end('a', 'revoked');
    await pass(10);
    await buffer.touch('a', IDLE, storageNow());
    await pass(500);
    expect((await buffer.read('a')).record?.ended).toBe('revoked');
    expect(connection.touchesSent).toHaveLength(1);
  });
});

describe('During an outage of the storage', () => {
  it('what was collected is kept, and sent afterwards with the time that it had', async () => {
    const { world, buffer, connection } = await aWarmProcess();
    await pass(100);
    const at = storageNow();
    await buffer.touch('a', IDLE, at);
    connection.fails = { sync: 'rejects', read: 'rejects', touch: 'rejects' };
    await pass(5 * MINUTE);
    expect(storedActivity(world)).toBeLessThan(at);
    connection.fails = {};
    await pass(2 * SECOND);
    expect(storedActivity(world)).toBe(at);
  });

  it.each(['read', 'touch'] as const)(
    'what was collected goes before the first %s after it, which may need it',
    async (first) => {
      const { world, buffer, connection } = await aWarmProcess();
      await pass(5 * MINUTE);
      await buffer.read('a');
      await buffer.touch('a', IDLE, storageNow());
      connection.fails = { sync: 'rejects', read: 'rejects', touch: 'rejects' };
      await pass(11 * MINUTE);
      // By what the storage knows it is over; exchanges have not begun again.
      connection.fails = { sync: 'rejects' };
      if (first === 'read') await buffer.read('a');
      const at = storageNow();
      await buffer.touch('a', IDLE, at);
      expect(storedActivity(world)).toBe(at);
    },
  );

  it('the buffer says so as soon as what it knows is an interval old', async () => {
    const { buffer, connection } = await aWarmProcess();
    connection.fails = { sync: 'rejects', read: 'rejects', touch: 'rejects' };
    let passed = 0;
    while (atOnce(buffer.read('a'))) {
      await pass(10);
      passed += 10;
    }
    expect(passed).toBeLessThanOrEqual(SECOND);
    await expect(buffer.read('a')).rejects.toThrow('read failed');
    await expect(buffer.touch('a', IDLE, storageNow())).rejects.toThrow('touch failed');
  });

  it('an exchange that hangs is not waited for for ever', async () => {
    const { world, buffer, connection } = await aWarmProcess();
    await pass(100);
    const at = storageNow();
    await buffer.touch('a', IDLE, at);
    connection.fails.sync = 'hangs';
    await pass(SECOND);
    connection.fails = {};
    await pass(3 * SECOND);
    expect(storedActivity(world)).toBe(at);
  });

  it('the partitions that answer go on', async () => {
    const { world, buffer, connection } = await aWarmProcess(['a', 'b']);
    const sync = connection.sync.bind(connection);
    jest.spyOn(connection, 'sync').mockImplementation(async (partition, ...rest) => {
      if (partition === 0) throw new Error('a node of the cluster is away');
      return sync(partition, ...rest);
    });
    for (let request = 0; request < 20; request++) {
      await pass(200);
      expect(atOnce(buffer.touch('a', IDLE, storageNow()))).toBe(true);
    }
    await pass(500);
    expect(storedActivity(world, 'a')).toBe(storageNow() - 500);
  });
});

describe('What is remembered', () => {
  it('is no more than was said; the others are read again', async () => {
    const keys = Array.from(
      { length: 100 },
      (_, index) => `${index % 2 === 0 ? 'a' : 'b'}${index}`,
    );
    const { buffer, connection } = await aWarmProcess(keys, { maxSessions: 10 });
    const known = keys.filter((key) => atOnce(buffer.read(key)));
    expect(known.length).toBe(10);
    await pass(100);
    connection.calls.length = 0;
    for (const key of keys) expect((await buffer.read(key)).record).toBeDefined();
    expect(connection.asked.length).toBeGreaterThanOrEqual(90);
  });

  it('is what was used last', async () => {
    const { buffer } = await aWarmProcess(['a', 'c', 'e'], { maxSessions: 4 });
    await buffer.read('c');
    await buffer.read('e');
    await buffer.start('g', IDLE, 'id');
    expect(['c', 'e', 'g'].map((key) => atOnce(buffer.read(key)))).toEqual([false, true, true]);
  });

  it('loses no activity that was collected', async () => {
    const keys = Array.from({ length: 100 }, (_, index) => `a${index}`);
    const { world, buffer, connection } = await aWarmProcess(keys, { maxSessions: 4 });
    await pass(100);
    connection.calls.length = 0;
    const at = storageNow();
    for (const key of keys) {
      await buffer.read(key);
      expect(atOnce(buffer.touch(key, IDLE, at))).toBe(true);
    }
    expect((await buffer.read(keys[0]!)).record?.lastActivityAt).toBe(at);
    await pass(SECOND);
    expect(keys.filter((key) => storedActivity(world, key) !== at)).toEqual([]);
  });
});

describe('flush()', () => {
  it('sends what was collected, and from then on touches are sent at once', async () => {
    const { world, buffer } = await aWarmProcess(['a', 'b']);
    await pass(100);
    const at = storageNow();
    for (const key of ['a', 'b']) await buffer.touch(key, IDLE, at);
    await buffer.flush();
    expect([storedActivity(world, 'a'), storedActivity(world, 'b')]).toEqual([at, at]);
    await pass(100);
    const touched = buffer.touch('a', IDLE, storageNow());
    expect(atOnce(touched)).toBe(false);
    await touched;
    expect(storedActivity(world)).toBe(storageNow());
    expect(jest.getTimerCount()).toBe(0);
  });

  it('sends what came while an exchange was under way', async () => {
    const { world, buffer, connection } = await aWarmProcess();
    connection.latency.sync = { there: 100, back: 100 };
    await buffer.touch('a', IDLE, storageNow() - 1);
    while (connection.sent.length === 0) await pass(10);
    const later = storageNow();
    await buffer.touch('a', IDLE, later);
    const flushed = buffer.flush();
    await pass(SECOND);
    await flushed;
    expect(storedActivity(world)).toBe(later);
  });

  it('asks for nothing when there is nothing to send', async () => {
    const { buffer, connection } = await aWarmProcess();
    await buffer.flush();
    expect(connection.calls).toEqual([]);
  });

  it.each(['rejects', 'hangs'] as const)(
    'says so within two seconds when it could not: the storage %s',
    async (how) => {
      const { buffer, connection } = await aWarmProcess();
      await pass(100);
      await buffer.touch('a', IDLE, storageNow());
      connection.fails.sync = how;
      const flushed = buffer.flush().then(
        () => 'sent',
        () => 'not sent',
      );
      await pass(2 * SECOND);
      expect(await flushed).toBe('not sent');
      expect(jest.getTimerCount()).toBe(0);
    },
  );
});

describe('A syncInterval of 0', () => {
  it('remembers and collects nothing, and does nothing beside', async () => {
    const { world, buffer, connection } = aProcess(new World(), { syncInterval: 0 });
    await buffer.start('a', IDLE, 'id');
    for (let request = 0; request < 3; request++) {
      await pass(100);
      await buffer.read('a');
      await buffer.touch('a', IDLE, storageNow());
      expect(storedActivity(world)).toBe(storageNow());
    }
    expect(connection.calls.slice(1)).toEqual(Array(3).fill(['read a', 'touch a']).flat());
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('The options', () => {
  const create = (options: object) => () =>
    new BufferedActivityStorage(new MemoryActivityStorage(), options);

  it.each(['soon', -1, NaN, null, '', true, Infinity, '-1s'])(
    'name a wrong syncInterval: %p',
    (syncInterval) => {
      expect(create({ syncInterval })).toThrow(IdleSessionOptionsError);
      expect(create({ syncInterval })).toThrow(
        /^Option "syncInterval" got .*; it takes 0 or a dur/,
      );
    },
  );

  it.each([0, -1, 1.5, NaN, Infinity, '10', null])(
    'name a wrong maxSessions: %p',
    (maxSessions) => {
      expect(create({ maxSessions })).toThrow(IdleSessionOptionsError);
      expect(create({ maxSessions })).toThrow(
        /^Option "maxSessions" got .*; it takes a whole number above zero/,
      );
    },
  );

  it.each([{}, { syncInterval: 250, maxSessions: 1 }, { syncInterval: '2s' }, undefined])(
    'take %p',
    (options) => {
      expect(create(options as object)).not.toThrow();
    },
  );
});

describe('In front of a storage that tells no news', () => {
  async function warm() {
    const world = new World();
    const connection = new Connection(world);
    const buffer = new BufferedActivityStorage(connection);
    await buffer.start('a', IDLE, 'id');
    connection.calls.length = 0;
    return { world, connection, buffer };
  }

  it('a reading holds for one interval, and then the session is read again', async () => {
    const { connection, buffer } = await warm();
    for (let request = 0; request < 9; request++) {
      await pass(100);
      expect(atOnce(buffer.read('a'))).toBe(true);
    }
    await pass(100);
    expect(atOnce(buffer.read('a'))).toBe(false);
    expect(connection.calls).toEqual(['read a']);
  });

  it('activity here does not make it hold for longer', async () => {
    const { world, buffer } = await warm();
    world.memory.end('a', 'signed-out');
    let passed = 0;
    while ((await buffer.read('a')).record?.ended === undefined) {
      await buffer.touch('a', IDLE, storageNow());
      await pass(50);
      passed += 50;
    }
    expect(passed).toBeLessThanOrEqual(SECOND);
  });

  it('nor does that of others', async () => {
    const { world, buffer } = await warm();
    await buffer.start('b', IDLE, 'id');
    world.memory.end('a', 'signed-out');
    let passed = 0;
    while ((await buffer.read('a')).record?.ended === undefined) {
      await buffer.touch('b', IDLE, storageNow());
      await pass(50);
      passed += 50;
    }
    expect(passed).toBeLessThanOrEqual(SECOND);
  });

  it('an end is known as soon as a touch is refused', async () => {
    const { world, buffer } = await warm();
    await pass(100);
    world.memory.end('a', 'signed-out');
    await buffer.touch('a', IDLE, storageNow());
    await pass(500);
    expect((await buffer.read('a')).record?.ended).toBe('signed-out');
  });

  it('touches are collected, and sent one by one', async () => {
    const { world, connection, buffer } = await warm();
    await buffer.start('b', IDLE, 'id');
    connection.calls.length = 0;
    for (let request = 0; request < 4; request++) {
      await pass(100);
      for (const key of ['a', 'b'])
        expect(atOnce(buffer.touch(key, IDLE, storageNow()))).toBe(true);
    }
    const newest = storageNow();
    await pass(SECOND);
    expect(connection.calls.sort()).toEqual(['touch a', 'touch b']);
    expect([storedActivity(world, 'a'), storedActivity(world, 'b')]).toEqual([newest, newest]);
  });

  it('touches that fail are sent again', async () => {
    const { world, connection, buffer } = await warm();
    await pass(100);
    const at = storageNow();
    await buffer.touch('a', IDLE, at);
    connection.fails.touch = 'rejects';
    await pass(3 * SECOND);
    connection.fails = {};
    await pass(SECOND);
    expect(storedActivity(world)).toBe(at);
  });

  it('expiry is left to the next request if the storage cannot expire', async () => {
    const { world, buffer } = await warm();
    await pass(IDLE);
    expect(await buffer.expire(false, 100)).toEqual({ expired: [], more: false });
    expect(world.memory.read('a').record?.ended).toBeUndefined();
  });

  it('answers that are here at once stay so', () => {
    const buffer = new BufferedActivityStorage(new MemoryActivityStorage({ now: storageNow }), {
      syncInterval: 0,
    });
    const answers = [
      buffer.start('a', IDLE, 'id'),
      buffer.read('a'),
      buffer.touch('a', IDLE, storageNow()),
      buffer.end('a', 'revoked'),
      buffer.expire(false, 10),
    ];
    expect(answers.map(atOnce)).toEqual(Array(5).fill(true));
  });
});
