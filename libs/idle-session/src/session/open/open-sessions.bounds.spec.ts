import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { BufferedActivityStorage } from '../../activity/buffer/buffered-activity-storage.js';
import {
  Connection,
  FeedConnection,
  IDLE,
  MINUTE,
  SECOND,
  session,
  storageNow,
  useMovedClock,
  WatchedConnection,
  World,
} from '../../activity/buffer/buffered-activity-storage.spec-support.js';
import type { Duration } from '../../utils/duration.js';
import { passInTurns as pass, Process } from './open-sessions.spec-support.js';

useMovedClock();

const readsOf = ({ calls }: Connection) => calls.filter((call) => call.startsWith('read')).length;

/** As a storage with a subscriber. */
class Told extends BufferedActivityStorage {
  override forget(key: string): void {
    super.forget(key);
  }
}

/** A process that holds sessions open, which end after a minute, on a storage that the test makes fail. */
async function holding(
  keys: readonly string[],
  idleTimeoutMs = MINUTE,
  syncInterval: Duration = '1s',
  onStorageError: 'reject' | 'allow' = 'allow',
  storageTimeoutMs = SECOND,
) {
  const world = new World();
  const connection = new FeedConnection(world);
  const buffer = new Told(connection, { syncInterval });
  const here = new Process(buffer, onStorageError, storageTimeoutMs);
  for (const key of keys) await world.memory.start(key, session(idleTimeoutMs, `id of ${key}`));
  const ends = new Map<string, string>();
  const releases = new Map(
    keys.map((key) => [
      key,
      here.open.hold({ ref: key, hasRecord: true }, (closing) => ends.set(key, closing)),
    ]),
  );
  await pass(2 * SECOND);
  connection.calls.length = 0;
  return { world, connection, buffer, here, ends, releases };
}

const many = (count: number) => Array.from({ length: count }, (_, index) => `session ${index}`);

describe.each(['rejects', 'hangs'] as const)('A storage that %s', (fails) => {
  const outage = { read: fails, sync: fails, end: fails, expire: fails };

  it('ends nothing, is asked little, and what ended meanwhile is told when it is back', async () => {
    const { world, connection, here, ends } = await holding(many(200));
    connection.fails = { ...outage, 'read fresh': fails };
    await world.memory.end('session 7', 'signed-out');
    await pass(2 * MINUTE);
    expect(ends.size).toBe(0);
    connection.calls.length = 0;
    await pass(10 * SECOND);
    expect(readsOf(connection)).toBeLessThanOrEqual(10 * (200 / 16 + 1));
    connection.fails = {};
    // A watched end is told with the next exchange, which one that hangs delays by a second.
    await pass(4 * SECOND);
    expect(ends.size).toBe(200);
    expect(ends.get('session 7')).toBe('signed-out');
    expect(ends.get('session 8')).toBe('idle');
    expect(here.causes.filter((cause) => cause === 'idle clock')).toHaveLength(199);
    expect(here.causes.filter((cause) => cause === 'signed-out elsewhere')).toHaveLength(1);
  });

  it('is asked no more for what messages tell meanwhile', async () => {
    const { connection, buffer, ends } = await holding(many(20), IDLE);
    connection.fails = { ...outage, 'read fresh': fails };
    for (let told = 0; told < 200; told++) {
      buffer.forget(`session ${told % 20}`);
      await pass(0);
      jest.advanceTimersByTime(50);
    }
    expect(readsOf(connection)).toBeLessThanOrEqual(20 + 4 * 10);
    expect(ends.size).toBe(0);
  });

  it('is asked again for the others when what it was asked about is released', async () => {
    const { connection, ends, releases } = await holding(many(65), MINUTE, '10m');
    connection.fails = { ...outage, 'read fresh': fails };
    while (readsOf(connection) === 0) await pass(50);
    for (const [key, release] of releases) if (key !== 'session 64') release();
    connection.fails = {};
    await pass(3 * SECOND);
    expect([...ends]).toEqual([['session 64', 'idle']]);
  });

  it('is no matter for what has not reached its deadline', async () => {
    const { world, connection, ends } = await holding(['a'], 30 * MINUTE);
    connection.fails = { ...outage, 'read fresh': fails };
    await pass(20 * MINUTE);
    connection.fails = {};
    await pass(2 * SECOND);
    expect(ends.size).toBe(0);
    world.changes.push('a');
    await world.memory.end('a', 'revoked');
    await pass(2 * SECOND);
    expect(ends.get('a')).toBe('revoked');
  });
});

describe('What is open past the deadline, and unclear,', () => {
  it.each<[string, Connection['fails']]>([
    [
      'is away',
      {
        read: 'rejects',
        'read fresh': 'rejects',
        sync: 'rejects',
        end: 'rejects',
        expire: 'rejects',
      },
    ],
    [
      'hangs',
      { read: 'hangs', 'read fresh': 'hangs', sync: 'hangs', end: 'hangs', expire: 'hangs' },
    ],
    ['takes no end', { end: 'rejects', expire: 'rejects' }],
  ])('closes within two seconds and may come back while the storage %s', async (_, fails) => {
    const { connection, here, ends } = await holding(many(200), MINUTE, '1s', 'reject');
    await pass(30 * SECOND);
    connection.fails = fails;
    await pass(27 * SECOND);
    expect(ends.size).toBe(0);
    await pass(4 * SECOND);
    expect([ends.size, [...new Set(ends.values())]]).toEqual([200, ['unavailable']]);
    expect([here.open.count, here.causes]).toEqual([0, []]);
  });

  it('stays open where only the first question about it had no answer', async () => {
    const connection = new FeedConnection(new World());
    const here = new Process(new BufferedActivityStorage(connection));
    await connection.start('a', session());
    connection.fails = { 'read fresh': 'rejects' };
    const { ends } = here.hold('a');
    await pass(50);
    connection.fails = {};
    await pass(5 * SECOND);
    expect(ends).toEqual([]);
  });

  it('stays open while the storage answers late, but in time', async () => {
    const { connection, ends } = await holding(['a'], MINUTE, '1s', 'reject');
    connection.latency.end = { there: 0, back: 800 };
    await pass(MINUTE);
    expect([...ends.values()]).toEqual(['idle']);
  });
});

describe('Where a question may wait for half a minute, what is open past the deadline', () => {
  const PATIENT = 30 * SECOND;
  const hangs = { read: 'hangs', 'read fresh': 'hangs', end: 'hangs', expire: 'hangs' } as const;

  it.each([
    ['hangs', 3000, hangs],
    ['takes no end', 20, { end: 'hangs', expire: 'hangs' }],
  ] as const)('closes within two seconds while the storage %s', async (_, count, fails) => {
    const { connection, here, ends } = await holding(many(count), MINUTE, '1s', 'reject', PATIENT);
    await pass(MINUTE - 3 * SECOND);
    connection.fails = fails;
    await pass(SECOND);
    expect(ends.size).toBe(0);
    await pass(2 * SECOND + 200);
    expect([...new Set(ends.values())]).toEqual(['unavailable']);
    expect([ends.size, here.open.count]).toEqual([count, 0]);
  });

  it('ends by an answer that comes late, and is asked about once meanwhile', async () => {
    const { connection, here, ends } = await holding(['a'], MINUTE, '1s', 'allow', PATIENT);
    connection.latency.expire = { there: 20 * SECOND };
    connection.latency.end = { there: 20 * SECOND };
    await pass(MINUTE + 10 * SECOND);
    expect(ends.size).toBe(0);
    await pass(15 * SECOND);
    expect([...ends.values()]).toEqual(['idle']);
    expect(here.causes).toEqual(['idle clock']);
    expect(connection.calls.filter((call) => call.startsWith('end'))).toHaveLength(1);
  });
});

describe('A part of the storage that hangs', () => {
  it('delays the end of no session of another part', async () => {
    const { world, connection, here, ends } = await holding(many(4000), 30 * MINUTE);
    const hangs = (key: string) => Number(key.split(' ')[1]) % 4 === 0;
    connection.hangsFor = hangs;
    for (const key of many(4000)) if (!hangs(key)) await world.memory.end(key, 'revoked');
    connection.forgetful = true;
    await pass(3 * SECOND);
    expect([ends.size, here.open.count]).toEqual([3000, 1000]);
  });
});

describe('A storage that can be read but takes no end', () => {
  it('is asked little, and what is overdue ends when it takes ends again', async () => {
    const { connection, here, ends } = await holding(many(200));
    connection.fails = { end: 'rejects', expire: 'rejects' };
    await pass(2 * MINUTE);
    expect(ends.size).toBe(0);
    connection.calls.length = 0;
    await pass(10 * SECOND);
    expect(readsOf(connection)).toBe(0);
    const asked = connection.calls.filter((call) => call.startsWith('end'));
    expect(asked.length).toBeLessThanOrEqual(10 * (200 / 16 + 1));
    connection.fails = {};
    await pass(4 * SECOND);
    expect(new Set(ends.values())).toEqual(new Set(['idle']));
    expect(here.causes).toEqual(Array.from({ length: 200 }, () => 'idle clock'));
  });
});

describe('What is open for a session whose end this process itself decides', () => {
  it('hears of it before the storage’s answer, and the app of that answer only', async () => {
    const { connection, here, ends } = await holding(['a']);
    await pass(MINUTE - 3 * SECOND);
    connection.latency.expire = { back: 500 };
    jest.advanceTimersByTime(SECOND + 10);
    const swept = here.sweeper.sweep();
    await pass(100);
    expect([...ends.values()]).toEqual(['idle']);
    expect(here.told).toEqual([]);
    await Promise.all([pass(2 * SECOND), swept]);
    expect(here.causes).toEqual(['idle clock']);
  });

  it('hears of it when it was held just afterwards, and the app is not told again', async () => {
    const { here } = await holding(['a']);
    await here.signOut('a');
    const { ends } = here.hold('a');
    await pass(SECOND);
    expect(ends).toEqual(['signed-out']);
    expect(here.causes).toEqual(['signed-out request']);
  });
});

describe('Many sessions that something is open for', () => {
  const MANY = 10_000;

  it('need one timer, and a question every five minutes each while nothing changes', async () => {
    const memory = new World().memory;
    const here = new Process(memory);
    for (const key of many(100)) await memory.start(key, session(60 * MINUTE));
    const read = jest.spyOn(memory, 'read');
    for (const key of many(100)) here.hold(key);
    await pass(SECOND);
    expect([read.mock.calls.length, jest.getTimerCount()]).toEqual([100, 1]);
    await pass(21 * MINUTE);
    expect([read.mock.calls.length, jest.getTimerCount()]).toEqual([500, 1]);
  });

  it('hear of their ends a few in each turn of the event loop, each once', async () => {
    const { world, connection, here, ends } = await holding(many(MANY), IDLE);
    let [inTurn, mostInTurn, told] = [0, 0, 0];
    here.events.ends.subscribe(() => {
      told += 1;
      inTurn += 1;
      mostInTurn = Math.max(mostInTurn, inTurn);
    });
    const turns = (async () => {
      for (; told < MANY; await nextTurn()) inTurn = 0;
    })();
    for (const key of many(MANY)) await world.memory.end(key, 'revoked');
    connection.forgetful = true;
    await pass(SECOND);
    await turns;
    await pass(SECOND);
    expect(mostInTurn).toBeLessThanOrEqual(2 * 64);
    expect([told, ends.size]).toEqual([MANY, MANY]);
    expect(here.open.count).toBe(0);
  });
});

it('What fails to close keeps nothing else open', async () => {
  const logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue();
  const { here } = await holding(['a']);
  here.open.hold({ ref: 'a', hasRecord: true }, () => {
    throw new Error('does not close');
  });
  const { ends } = here.hold('a');
  await here.signOut('a');
  expect(ends).toHaveLength(1);
  expect(logged.mock.calls).toEqual([
    ['What was open for an ended session could not be closed: Error'],
  ]);
  logged.mockRestore();
});

describe('While a record is gone from a storage that takes no ends, the process', () => {
  async function holdingGone(isBuffered: boolean, onStorageError: 'reject' | 'allow' = 'allow') {
    const world = new World();
    const connection = isBuffered ? new FeedConnection(world) : new Connection(world);
    const storage = isBuffered ? new BufferedActivityStorage(connection) : connection;
    const here = new Process(storage, onStorageError);
    await world.memory.start('a', session(IDLE, 'id of a'));
    const { ends } = here.hold('a');
    await pass(3 * SECOND);
    // Evicted, say, or asked for at a replica without it.
    const gone = jest.spyOn(world.memory, 'read');
    gone.mockImplementation(async () => ({ record: undefined, now: storageNow() }));
    connection.fails = { end: 'rejects', expire: 'rejects' };
    connection.calls.length = 0;
    world.changes.push('a');
    const comeBack = () => {
      gone.mockRestore();
      connection.fails = {};
    };
    return { world, connection, ends, gone, comeBack };
  }

  it.each(['reject', 'allow'] as const)('asks little (%s)', async (onStorageError) => {
    const { connection, comeBack } = await holdingGone(true, onStorageError);
    await pass(10 * SECOND);
    expect(connection.calls.length).toBeLessThanOrEqual(40);
    comeBack();
  });

  it('closes what is open as unclear', async () => {
    const { ends, comeBack } = await holdingGone(true, 'reject');
    await pass(5 * SECOND);
    expect(ends).toEqual(['unavailable']);
    comeBack();
  });

  it('asks nothing more while the end takes its time', async () => {
    const { connection, comeBack } = await holdingGone(true);
    connection.fails = {};
    connection.latency = { end: { there: 700 }, expire: { there: 500 } };
    await pass(3 * SECOND);
    expect(readsOf(connection)).toBeLessThanOrEqual(5);
    comeBack();
  });

  it.each([
    ['with a buffer in front', true],
    ['that cannot be watched', false],
  ])(
    'ends nothing, so that the session goes on once the record is back, on a storage %s',
    async (_, isBuffered) => {
      const { world, ends, comeBack } = await holdingGone(isBuffered);
      await pass(5 * SECOND);
      comeBack();
      await pass(20 * SECOND);
      expect((await world.memory.read('a')).record?.ended).toBeUndefined();
      expect(ends).toEqual([]);
    },
  );

  it('closes what is open once another process has ended the session', async () => {
    const { world, ends, gone } = await holdingGone(true);
    await pass(3 * SECOND);
    gone.mockRestore();
    await world.memory.end('a', 'revoked');
    world.changes.push('a');
    await pass(5 * SECOND);
    expect(ends).toEqual(['revoked']);
  });

  it.each([0, 20, 60, 200])(
    'asks little where only reads, of %d ms each, do not find it',
    async (readTakesMs) => {
      const { connection, ends, comeBack } = await holdingGone(true);
      connection.fails = {};
      connection.latency = { 'read fresh': { there: readTakesMs } };
      await pass(10 * SECOND);
      expect(connection.asked.length).toBeLessThanOrEqual(40);
      expect(ends).toEqual([]);
      comeBack();
    },
  );
});

it.each([
  ['that tells at once', (world: World) => new WatchedConnection(world), 100],
  ['with its history', (world: World) => new FeedConnection(world), 880],
])(
  'An end that the storage tells while the process repeats an unanswered question closes what is open, on a storage %s',
  async (_, connect, back) => {
    const world = new World();
    const connection = connect(world);
    const isFeed = connection instanceof FeedConnection;
    const here = new Process(isFeed ? new BufferedActivityStorage(connection) : connection);
    await world.memory.start('a', session(IDLE, 'id of a'));
    const { ends } = here.hold('a');
    await pass(3 * SECOND);
    const asked = async () => {
      const before = readsOf(connection);
      while (readsOf(connection) === before) await pass(10);
    };
    connection.fails = { 'read fresh': 'rejects' };
    void world.memory.touch('a', IDLE - MINUTE, storageNow());
    world.changes.push('a');
    await asked();
    connection.fails = {};
    connection.latency = { 'read fresh': { back } };
    await asked();
    await world.memory.end('a', 'signed-out');
    world.changes.push('a');
    await pass(5 * SECOND);
    expect(ends).toEqual(['signed-out']);
  },
);
