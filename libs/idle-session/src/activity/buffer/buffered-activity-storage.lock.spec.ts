import { describe, expect, it } from '@jest/globals';
import { evaluate } from '../evaluate.js';
import { ActivityStorage } from '../activity-storage.js';
import { MemoryActivityStorage } from '../memory-activity-storage.js';
import { BufferedActivityStorage } from './buffered-activity-storage.js';
import {
  aProcess,
  IDLE,
  isFromMemory,
  MINUTE,
  now,
  pass,
  SECOND,
  session,
  storageNow,
  storedActivity,
  useMovedClock,
  World,
} from './buffered-activity-storage.spec-support.js';

useMovedClock();

const LOCK = 4 * MINUTE;

async function aLockingProcess(options = {}, world = new World()) {
  const it = aProcess(world, options);
  await it.buffer.start('a', { ...session(), lockAfterMs: LOCK });
  // From its first news on it knows where to go on.
  await pass(SECOND);
  await it.buffer.read('a');
  it.connection.calls.length = 0;
  return it;
}

const stateOf = async (buffer: BufferedActivityStorage) => {
  const { record, now: at } = await buffer.read('a');
  return record && evaluate(record, { warnBeforeMs: false }, at).state;
};

describe('A session that locks', () => {
  it('is answered for from memory while more than half of the time to the lock is left', async () => {
    const { buffer } = await aLockingProcess();
    for (let waited = SECOND; waited < LOCK / 2 - 2 * SECOND; waited += SECOND) {
      await pass(SECOND);
      await buffer.read('a');
    }
    expect(await isFromMemory(() => buffer.read('a'))).toBe(true);
    await pass(2 * SECOND);
    expect(await isFromMemory(() => buffer.read('a'))).toBe(false);
  });

  it('lets the storage lag by no more than a twentieth of the time to the lock', async () => {
    const { world, buffer } = await aLockingProcess({ touchInterval: '5m' });
    await pass(SECOND);
    const at = storageNow();
    expect(await isFromMemory(() => buffer.touch('a', IDLE, at))).toBe(true);
    await pass(LOCK / 20 + SECOND);
    expect(await storedActivity(world)).toBe(at);
  });

  it('is not taken for locked on account of what this process remembers', async () => {
    const one = await aLockingProcess();
    const other = aProcess(one.world);
    await pass(LOCK);
    expect(await stateOf(one.buffer)).toBe('locked');
    await other.buffer.unlock!('a', IDLE);
    expect(await stateOf(one.buffer)).toBe('active');
  });

  it('is not taken for locked early, since a question that requests share was long on its way', async () => {
    const { world } = await aLockingProcess();
    await pass(LOCK - 2 * SECOND);
    const { buffer, connection } = aProcess(world);
    connection.latency = { read: { there: 800 } };
    const first = stateOf(buffer);
    await pass(400);
    const second = stateOf(buffer);
    await pass(300);
    connection.latency = {};
    await pass(200);
    expect(await Promise.all([first, second])).toEqual(['active', 'active']);
    expect(connection.asked).toEqual(['read a', 'read a']);
  });

  it('counts no activity that comes after the lock', async () => {
    const { world, buffer } = await aLockingProcess();
    const before = await storedActivity(world);
    await pass(LOCK);
    const { record } = await buffer.touch('a', IDLE, now());
    expect(record?.lastActivityAt).toBe(before);
    await pass(2 * SECOND);
    expect(await storedActivity(world)).toBe(before);
  });
});

describe('An unlock', () => {
  it('is known in this process at once', async () => {
    const { buffer } = await aLockingProcess();
    await pass(LOCK);
    await buffer.unlock!('a', IDLE);
    expect(await stateOf(buffer)).toBe('active');
  });

  it('is not hidden by a read that began before it', async () => {
    const { buffer, connection } = await aLockingProcess();
    await pass(LOCK);
    connection.latency = { read: { back: 500 } };
    const early = buffer.read('a');
    await pass(0);
    await buffer.unlock!('a', IDLE);
    connection.latency = {};
    expect(await stateOf(buffer)).toBe('active');
    await pass(500);
    expect((await early).record).toBeDefined();
    expect(await stateOf(buffer)).toBe('active');
  });

  it('elsewhere counts for a request that shares a question from before it', async () => {
    const { world, buffer } = await aLockingProcess();
    const other = aProcess(world);
    await pass(LOCK);
    other.connection.latency = { read: { back: 500 } };
    const before = stateOf(other.buffer);
    await pass(100);
    await buffer.unlock!('a', IDLE);
    const after = stateOf(other.buffer);
    await pass(SECOND);
    expect(await Promise.all([before, after])).toEqual(['locked', 'active']);
  });

  it('comes after the activity that was collected', async () => {
    const { buffer, connection } = await aLockingProcess({ touchInterval: '5m' });
    await pass(SECOND);
    await buffer.touch('a', IDLE, storageNow());
    connection.calls.length = 0;
    await buffer.unlock!('a', IDLE);
    expect(connection.asked).toEqual(['touch a', 'unlock a']);
  });

  it('is told to those who watch, in this process and in another', async () => {
    const one = await aLockingProcess();
    const other = await aLockingProcess({}, one.world);
    const told: string[] = [];
    const stops = [one, other].map(({ buffer }, index) =>
      buffer.watch((keys) => {
        if (keys === 'all' || keys.includes('a')) told.push(String(index));
      }),
    );
    await pass(LOCK);
    told.length = 0;
    await one.buffer.unlock!('a', IDLE);
    expect(told).toContain('0');
    await pass(SECOND);
    expect(told).toContain('1');
    for (const stop of stops) stop?.();
  });

  it('is there only if the storage behind has it', () => {
    class Plain extends MemoryActivityStorage {
      override unlock = undefined as never;
    }
    const behind: ActivityStorage = new Plain();
    expect(new BufferedActivityStorage(behind).unlock).toBeUndefined();
    expect(new BufferedActivityStorage(new MemoryActivityStorage()).unlock).toBeDefined();
  });
});
