import { describe, expect, it, jest } from '@jest/globals';
import type { ChangedKeys } from '../watchers.js';
import { BufferedActivityStorage } from './buffered-activity-storage.js';
import {
  aProcess,
  aWarmProcess,
  Connection,
  IDLE,
  MINUTE,
  pass,
  SECOND,
  session,
  storageNow,
  useMovedClock,
  World,
} from './buffered-activity-storage.spec-support.js';

useMovedClock();

/** What a watcher is told from now on, without what it is told at first. */
async function watched(buffer: BufferedActivityStorage) {
  const told: ChangedKeys[] = [];
  const stop = buffer.watch((keys) => told.push(keys))!;
  await pass(SECOND);
  told.length = 0;
  return { told, stop };
}

const syncsOf = ({ calls }: Connection) => calls.filter((call) => call.startsWith('sync')).length;

describe('Those who watch a buffered storage', () => {
  it('are told at first that anything may have changed, while the buffer does not know what did', async () => {
    const { buffer } = aProcess();
    const told: ChangedKeys[] = [];
    buffer.watch((keys) => told.push(keys));
    await pass(SECOND);
    expect(told).toEqual(['all', 'all']);
  });

  it.each(['1s', '300ms', 0, '5s'] as const)(
    'are told of an end elsewhere within a syncInterval of %p, without any request',
    async (syncInterval) => {
      const world = new World();
      const [here, there] = [aProcess(world, { syncInterval }), aProcess(world)];
      await there.buffer.start('a', session());
      const { told } = await watched(here.buffer);
      await pass(20 * SECOND);
      told.length = 0;
      await there.buffer.end('a', 'revoked');
      await pass({ '1s': 1000, '300ms': 300, 0: 1000, '5s': 5000 }[syncInterval]);
      expect(told).toEqual([['a']]);
    },
  );

  it.each(['1s', 0] as const)(
    'are told of it also after flush(), when they began before and when they begin then (syncInterval %p)',
    async (syncInterval) => {
      const world = new World();
      const [here, there] = [aProcess(world, { syncInterval }), aProcess(world)];
      for (const key of ['a', 'b']) await there.buffer.start(key, session());
      const before = await watched(here.buffer);
      await here.buffer.flush();
      await there.buffer.end('a', 'revoked');
      await pass(SECOND);
      expect(before.told).toEqual([['a']]);
      before.stop();
      await pass(SECOND);
      expect(jest.getTimerCount()).toBe(0);
      const after = await watched(here.buffer);
      await there.buffer.end('b', 'revoked');
      await pass(SECOND);
      expect(after.told).toEqual([['b']]);
      after.stop();
      await pass(SECOND);
      expect(jest.getTimerCount()).toBe(0);
    },
  );

  it('are told of an end that was decided here, and of a record that is not there', async () => {
    const { buffer } = await aWarmProcess(['a']);
    const { told } = await watched(buffer);
    await buffer.end('a', 'signed-out');
    expect(told).toEqual([['a']]);
    await buffer.read('b');
    expect(told).toEqual([['a'], ['b']]);
  });

  it('are told of a shorter idle timeout', async () => {
    const world = new World();
    const [here, there] = [await aWarmProcess(['a'], {}, IDLE, world), aProcess(world)];
    const { told } = await watched(here.buffer);
    await there.buffer.touch('a', 2 * MINUTE, storageNow());
    await pass(SECOND);
    expect(told).toEqual([['a']]);
  });

  it('are told at once what a message tells of', async () => {
    class Told extends BufferedActivityStorage {
      override forget(key: string): void {
        super.forget(key);
      }
    }
    const buffer = new Told(aProcess().connection, { syncInterval: '1m' });
    const told: ChangedKeys[] = [];
    buffer.watch((keys) => told.push(keys));
    buffer.forget('a');
    expect(told).toEqual([['a']]);
  });

  it('are told everything may have changed when the storage has lost what it could tell', async () => {
    const { buffer, connection } = await aWarmProcess(['a']);
    const { told } = await watched(buffer);
    connection.forgetful = true;
    await pass(SECOND);
    expect(told).toContain('all');
  });

  it('are told after an outage what changed meanwhile', async () => {
    const world = new World();
    const [here, there] = [await aWarmProcess(['a'], {}, IDLE, world), aProcess(world)];
    const { told } = await watched(here.buffer);
    here.connection.fails.sync = 'rejects';
    await there.buffer.end('a', 'revoked');
    await pass(30 * SECOND);
    expect(told).toEqual([]);
    here.connection.fails = {};
    await pass(SECOND);
    expect(told).toEqual([['a']]);
  });

  it('cost an exchange for each partition and interval, and nothing once they have stopped', async () => {
    const { buffer, connection } = aProcess(new World(), { syncInterval: 0 });
    const { stop } = await watched(buffer);
    connection.calls.length = 0;
    await pass(8 * SECOND);
    expect(syncsOf(connection)).toBe(20);
    stop();
    await pass(SECOND);
    connection.calls.length = 0;
    await pass(MINUTE);
    expect(connection.calls).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('are told by the storage itself where it keeps no history', async () => {
    const world = new World();
    const { told } = await watched(new BufferedActivityStorage(world.memory));
    await world.memory.start('a', session());
    await world.memory.end('a', 'revoked');
    expect(told).toEqual([['a']]);
  });

  it('are none where the storage can tell nothing', () => {
    const buffer = new BufferedActivityStorage(new Connection(new World()));
    expect(buffer.watch(() => {})).toBeUndefined();
  });
});
