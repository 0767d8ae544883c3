import { describe, expect, it, jest } from '@jest/globals';
import { MemoryActivityStorage } from '../memory-activity-storage.js';
import { IdleSessionOptionsError } from '../../utils/option-error.js';
import { BufferedActivityStorage } from './buffered-activity-storage.js';
import {
  aProcess,
  aWarmProcess,
  Connection,
  IDLE,
  isFromMemory,
  pass,
  SECOND,
  session,
  storageNow,
  storedActivity,
  useMovedClock,
  World,
} from './buffered-activity-storage.spec-support.js';

useMovedClock();

describe('What is remembered', () => {
  it('is no more than was said; the others are read again', async () => {
    const keys = Array.from(
      { length: 100 },
      (_, index) => `${index % 2 === 0 ? 'a' : 'b'}${index}`,
    );
    const { buffer, connection } = await aWarmProcess(keys, { rememberedSessions: 10 });
    await Promise.all(keys.map((key) => buffer.read(key)));
    expect(connection.asked.length).toBe(90);
    await pass(100);
    connection.calls.length = 0;
    for (const key of keys) expect((await buffer.read(key)).record).toBeDefined();
    expect(connection.asked.length).toBeGreaterThanOrEqual(90);
  });

  it('is what was used last', async () => {
    const { buffer, connection } = await aWarmProcess(['a', 'c', 'e'], { rememberedSessions: 4 });
    await buffer.read('c');
    await buffer.read('e');
    await buffer.start('g', session());
    connection.calls.length = 0;
    await Promise.all(['c', 'e', 'g'].map((key) => buffer.read(key)));
    expect(connection.asked).toEqual(['read c']);
  });

  it('loses no activity that was collected', async () => {
    const keys = Array.from({ length: 100 }, (_, index) => `a${index}`);
    const { world, buffer, connection } = await aWarmProcess(keys, { rememberedSessions: 4 });
    await pass(100);
    connection.calls.length = 0;
    const at = storageNow();
    for (const key of keys) {
      await buffer.read(key);
      expect(await isFromMemory(() => buffer.touch(key, IDLE, at))).toBe(true);
    }
    expect((await buffer.read(keys[0]!)).record?.lastActivityAt).toBe(at);
    await pass(SECOND);
    for (const key of keys) expect(await storedActivity(world, key)).toBe(at);
  });
});

describe('flush()', () => {
  it('sends what was collected, and from then on touches are sent at once', async () => {
    const { world, buffer } = await aWarmProcess(['a', 'b']);
    await pass(100);
    const at = storageNow();
    for (const key of ['a', 'b']) await buffer.touch(key, IDLE, at);
    await buffer.flush();
    for (const key of ['a', 'b']) expect(await storedActivity(world, key)).toBe(at);
    await pass(100);
    let touched: ReturnType<typeof buffer.touch> | undefined;
    expect(await isFromMemory(() => (touched = buffer.touch('a', IDLE, storageNow())))).toBe(false);
    await touched;
    expect(await storedActivity(world)).toBe(storageNow());
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
    expect(await storedActivity(world)).toBe(later);
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
    await buffer.start('a', session());
    for (let request = 0; request < 3; request++) {
      await pass(100);
      await buffer.read('a');
      await buffer.touch('a', IDLE, storageNow());
      expect(await storedActivity(world)).toBe(storageNow());
    }
    expect(connection.calls.slice(1)).toEqual(Array(3).fill(['read a', 'touch a']).flat());
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('The options', () => {
  const create = (options: object) => () =>
    new BufferedActivityStorage(new MemoryActivityStorage(), options);

  const wrong = ['soon', -1, NaN, null, '', true, Infinity, '-1s'];
  it.each(
    ['syncInterval', 'touchInterval'].flatMap((option) => wrong.map((value) => [option, value])),
  )('name a wrong %s: %p', (option, value) => {
    const options = { [String(option)]: value };
    expect(create(options)).toThrow(IdleSessionOptionsError);
    expect(create(options)).toThrow(new RegExp(`^Option "${option}" got .*; it takes 0 or a dur`));
  });

  it.each([0, -1, 1.5, NaN, Infinity, '10', null])(
    'name a wrong rememberedSessions: %p',
    (rememberedSessions) => {
      expect(create({ rememberedSessions })).toThrow(IdleSessionOptionsError);
      expect(create({ rememberedSessions })).toThrow(
        /^Option "rememberedSessions" got .*; it takes a whole number above zero/,
      );
    },
  );

  it.each([{}, { syncInterval: 250, rememberedSessions: 1 }, { syncInterval: '2s' }, undefined])(
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
    const buffer = new BufferedActivityStorage(connection, { touchInterval: 0 });
    await buffer.start('a', session());
    connection.calls.length = 0;
    return { world, connection, buffer };
  }

  it('a reading holds for one interval, and then the session is read again', async () => {
    const { connection, buffer } = await warm();
    for (let request = 0; request < 9; request++) {
      await pass(100);
      expect(await isFromMemory(() => buffer.read('a'))).toBe(true);
    }
    await pass(100);
    expect(await isFromMemory(() => buffer.read('a'))).toBe(false);
    expect(connection.calls).toEqual(['read a']);
  });

  it('activity here does not make it hold for longer', async () => {
    const { world, buffer } = await warm();
    await world.memory.end('a', 'signed-out');
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
    await buffer.start('b', session());
    await world.memory.end('a', 'signed-out');
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
    await world.memory.end('a', 'signed-out');
    await buffer.touch('a', IDLE, storageNow());
    await pass(800);
    expect((await buffer.read('a')).record?.ended).toBe('signed-out');
  });

  it('touches are collected, and sent one by one', async () => {
    const { world, connection, buffer } = await warm();
    await buffer.start('b', session());
    connection.calls.length = 0;
    for (let request = 0; request < 4; request++) {
      await pass(100);
      for (const key of ['a', 'b'])
        expect(await isFromMemory(() => buffer.touch(key, IDLE, storageNow()))).toBe(true);
    }
    const newest = storageNow();
    await pass(SECOND);
    expect(connection.calls.sort()).toEqual(['touch a', 'touch b']);
    for (const key of ['a', 'b']) expect(await storedActivity(world, key)).toBe(newest);
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
    expect(await storedActivity(world)).toBe(at);
  });
});
