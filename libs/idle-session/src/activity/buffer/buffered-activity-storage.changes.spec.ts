import { describe, expect, it, jest } from '@jest/globals';
import { BufferedActivityStorage } from './buffered-activity-storage.js';
import {
  aProcess,
  aWarmProcess,
  FeedConnection,
  IDLE,
  isFromMemory,
  MINUTE,
  pass,
  SECOND,
  session,
  storageNow,
  storedActivity,
  useMovedClock,
  World,
} from './buffered-activity-storage.spec-support.js';

useMovedClock();

/** Lets time pass in which another session is in use, so that the process keeps up with changes. */
async function passInUse(buffer: BufferedActivityStorage, milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= 250) {
    await buffer.read('c');
    await pass(Math.min(250, left));
  }
}

describe('Another idle timeout', () => {
  it('is not taken back by an answer that is older, and comes later', async () => {
    const { world, buffer, connection } = await aWarmProcess();
    connection.latency = { 'read fresh': { back: 500 } };
    const older = buffer.read('a', true);
    await pass(10);
    await buffer.touch('a', 2 * IDLE, storageNow());
    await pass(10);
    await buffer.touch('a', 2 * IDLE, storageNow());
    await pass(5 * SECOND);
    expect((await older).record?.idleTimeoutMs).toBe(2 * IDLE);
    expect((await world.memory.read('a')).record?.idleTimeoutMs).toBe(2 * IDLE);
  });
});

describe('Of two answers that come in another order than they were asked for', () => {
  it('the one that the storage gave last is known', async () => {
    const { buffer, connection } = await aWarmProcess();
    connection.latency = { touch: { there: 300 } };
    const touched = buffer.touch('a', 2 * IDLE, storageNow());
    await pass(10);
    await buffer.read('a', true);
    await pass(300);
    await touched;
    expect((await buffer.read('a')).record?.idleTimeoutMs).toBe(2 * IDLE);
  });

  it('the older one takes no activity away that came since', async () => {
    const { world, buffer, connection } = await aWarmProcess(['a'], { touchInterval: '30s' });
    await pass(IDLE - 2 * SECOND);
    connection.latency = { 'read fresh': { back: 4000 } };
    const older = buffer.read('a', true);
    await pass(10);
    connection.latency = {};
    await buffer.touch('a', IDLE, storageNow());
    await pass(3000);
    await buffer.read('a');
    const at = storageNow();
    await buffer.touch('a', IDLE, at);
    await pass(1000);
    await older;
    await pass(2 * MINUTE);
    expect(await storedActivity(world)).toBe(at);
  });
});

describe('Of two answers that overlap', () => {
  /** Another idle timeout that is slow to get there, and a read that is slow to come back. */
  async function overlapping(idleTimeoutMs: number, afterMs = SECOND) {
    const it = await aWarmProcess(['a', 'c'], { touchInterval: '30s' });
    await passInUse(it.buffer, afterMs);
    it.connection.latency = { touch: { there: 300 }, 'read fresh': { back: 3000 } };
    const touched = it.buffer.touch('a', idleTimeoutMs, storageNow());
    await pass(10);
    const older = it.buffer.read('a', true);
    await passInUse(it.buffer, 1000);
    await touched;
    it.connection.latency = { 'read fresh': { back: 3000 } };
    return { ...it, older };
  }

  it('the process knows the one that the storage gave last, though it asked for that first', async () => {
    const { buffer, older } = await overlapping(2 * IDLE);
    await passInUse(buffer, 3000);
    await older;
    expect((await buffer.read('a')).record?.idleTimeoutMs).toBe(2 * IDLE);
  });

  it('the other one takes no idle timeout back in the storage', async () => {
    const { world, buffer, older } = await overlapping(2 * IDLE);
    await buffer.touch('a', 2 * IDLE, storageNow());
    await passInUse(buffer, 2 * MINUTE);
    await older;
    expect((await world.memory.read('a')).record?.idleTimeoutMs).toBe(2 * IDLE);
  });

  it('the other one takes no activity away', async () => {
    const { world, buffer, older } = await overlapping(IDLE, IDLE - 2 * SECOND);
    await passInUse(buffer, 1000);
    const at = storageNow();
    await buffer.touch('a', IDLE, at);
    await passInUse(buffer, 2 * MINUTE);
    await older;
    expect(await storedActivity(world)).toBe(at);
  });

  it('the other one takes nothing back that the process sent with others', async () => {
    const { world, buffer, connection } = await aWarmProcess(['a', 'c'], { touchInterval: 0 });
    await passInUse(buffer, 10 * SECOND);
    connection.latency = { 'read fresh': { back: 5000 } };
    const older = buffer.read('a', true);
    await pass(10);
    const at = storageNow();
    await buffer.touch('a', IDLE, at);
    await passInUse(buffer, 3000);
    expect(await storedActivity(world)).toBe(at);
    await passInUse(buffer, 2000);
    await older;
    expect((await buffer.read('a')).record?.lastActivityAt).toBe(at);
  });
});

describe('The absolute timeout', () => {
  it('is not over by an estimate of the storage’s clock alone', async () => {
    const world = new World();
    await world.memory.start('a', { ...session(), absoluteTimeoutMs: 10 * MINUTE });
    await pass(5 * MINUTE);
    await world.memory.touch('a', IDLE, storageNow());
    await pass(5 * MINUTE - 1500);
    const { buffer, connection } = aProcess(world);
    connection.latency = { read: { there: 800 }, sync: { there: 800 } };
    const first = buffer.read('a');
    await pass(800);
    await first;
    connection.latency = {};
    const { record, now } = await buffer.read('a');
    expect(now - record!.startedAt).toBeLessThan(10 * MINUTE);
  });

  it('does not pass between two looks at the clock', async () => {
    const { world, buffer } = await aWarmProcess();
    await world.memory.start('b', { ...session(), absoluteTimeoutMs: 10 * SECOND });
    await pass(9900);
    await buffer.read('b');
    await pass(99);
    const time = performance.now();
    let looks = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => time + looks++);
    const recalled = buffer.recall('b');
    clock.mockRestore();
    expect(recalled!.now - recalled!.record!.startedAt).toBeLessThan(10 * SECOND);
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
    expect((await world.memory.read('a')).record?.ended).toBe('signed-out');
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
    await buffer.start('a', session(30 * SECOND));
    await pass(9 * SECOND);
    const at = storageNow();
    expect(await isFromMemory(() => buffer.touch('a', 30 * SECOND, at))).toBe(true);
    connection.fails.sync = 'rejects';
    await pass(22 * SECOND);
    const reading = await buffer.end('a', 'idle');
    expect(reading.won).toBe(false);
    expect(reading.record).toMatchObject({ lastActivityAt: at });
    expect((await world.memory.read('a')).record?.ended).toBeUndefined();
  });

  it('that comes while a reading is on its way is not hidden by it', async () => {
    const { world, buffer, connection } = await aWarmProcess(['c']);
    await world.memory.start('a', session());
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
    await there.buffer.start('a', session());
    here.connection.latency.read = { back: 900 };
    const early = here.buffer.read('a');
    await pass(10);
    await there.buffer.end('a', 'signed-out');
    await pass(990);
    expect((await early).record?.ended).toBeUndefined();
    here.connection.latency = {};
    expect((await here.buffer.read('a')).record?.ended).toBe('signed-out');
  });

  it('of one session, or a question about an unknown one, leaves what is being asked of another', async () => {
    const world = new World();
    const [here, there] = [await aWarmProcess(['a'], {}, IDLE, world), aProcess(world)];
    await there.buffer.start('c', session(IDLE, 'id of c'));
    here.connection.latency.read = { back: 10 };
    const asked = here.buffer.read('c');
    await pass(5);
    await here.buffer.end('a', 'signed-out');
    await here.buffer.read('unknown', true);
    await pass(5);
    await asked;
    expect(await isFromMemory(() => here.buffer.read('c'))).toBe(true);
  });

  it('that a message tells of is known at once', async () => {
    class Told extends BufferedActivityStorage {
      override forget(key: string): void {
        super.forget(key);
      }
    }
    const world = new World();
    const connection = new FeedConnection(world);
    const told = new Told(connection, { syncInterval: '1m' });
    await told.start('a', session());
    await told.start('c', session());
    await pass(10);
    await world.memory.end('a', 'signed-out');
    expect((await told.read('a')).record?.ended).toBeUndefined();
    told.forget('a');
    expect((await told.read('a')).record?.ended).toBe('signed-out');
    expect(await isFromMemory(() => told.read('c'))).toBe(true);
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
    for (const key of ['a', 'd']) await world.memory.end(key, 'revoked');
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
    await pass(800);
    const fromMemory: boolean[] = [];
    for (const key of ['a', 'c', 'd'])
      fromMemory.push(await isFromMemory(() => here.buffer.read(key)));
    expect(fromMemory).toEqual([false, true, true]);
  });

  it('is found out when a touch is refused', async () => {
    const { world, buffer, connection } = await aWarmProcess();
    // Without a trace in the history, as a record that was evicted.
    await world.memory.end('a', 'revoked');
    await pass(10);
    await buffer.touch('a', IDLE, storageNow());
    await pass(800);
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
    expect(await storedActivity(world)).toBeLessThan(at);
    connection.fails = {};
    await pass(2 * SECOND);
    expect(await storedActivity(world)).toBe(at);
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
      expect(await storedActivity(world)).toBe(at);
    },
  );

  it('the buffer says so as soon as what it knows is an interval old', async () => {
    const { buffer, connection } = await aWarmProcess();
    connection.fails = { sync: 'rejects', read: 'rejects', touch: 'rejects' };
    let passed = 0;
    while (await isFromMemory(() => buffer.read('a'))) {
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
    expect(await storedActivity(world)).toBe(at);
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
      expect(await isFromMemory(() => buffer.touch('a', IDLE, storageNow()))).toBe(true);
    }
    await pass(800);
    expect(await storedActivity(world, 'a')).toBe(storageNow() - 800);
  });
});
