import { describe, expect, it, jest } from '@jest/globals';
import type { ActivityStorage } from '../../activity/activity-storage.js';
import { BufferedActivityStorage } from '../../activity/buffer/buffered-activity-storage.js';
import {
  Connection,
  FeedConnection,
  MINUTE,
  SECOND,
  session,
  storageNow,
  useMovedClock,
  World,
} from '../../activity/buffer/buffered-activity-storage.spec-support.js';
import { passInTurns as pass, Process } from './open-sessions.spec-support.js';

useMovedClock();

const LOCK = MINUTE;
const IDLE = 3 * MINUTE;

/** By when a lock has to be known. */
const BOUND = SECOND;

const kinds: { kind: string; storage: (world: World) => ActivityStorage }[] = [
  { kind: 'a storage that tells at once', storage: ({ memory }) => memory },
  {
    kind: 'a storage with a buffer in front',
    storage: (world) => new BufferedActivityStorage(new FeedConnection(world)),
  },
  { kind: 'a storage that cannot be watched', storage: (world) => new Connection(world) },
];

describe.each(kinds)('What is open for a session that locks, on $kind,', ({ storage }) => {
  async function held() {
    const world = new World();
    const [here, there] = [new Process(storage(world)), new Process(storage(world))];
    await world.memory.start('a', { ...session(IDLE, 'id of a'), lockAfterMs: LOCK });
    return { world, here, there, ...here.hold('a') };
  }

  it('closes at the lock, and no app hears of an end', async () => {
    const { here, there, world, ends } = await held();
    await pass(LOCK - SECOND);
    expect(ends).toEqual([]);
    await pass(SECOND + BOUND);
    expect(ends).toEqual(['locked']);
    await pass(IDLE - LOCK - 2 * SECOND);
    expect((await world.memory.read('a')).record?.ended).toBeUndefined();
    expect([here.told, there.told, here.removed]).toEqual([[], [], []]);
  });

  it('stays open while the person is active in another process', async () => {
    const { here, there, ends } = await held();
    for (let passed = 0; passed < 3 * LOCK; passed += LOCK / 2) {
      await pass(LOCK / 2);
      await there.activity.touch('a', IDLE, storageNow());
    }
    expect(ends).toEqual([]);
    await pass(LOCK + BOUND);
    expect(ends).toEqual(['locked']);
    expect(here.told).toEqual([]);
  });

  it('closes again as long as the session is locked, and stays once another process unlocked it', async () => {
    const { here, there, ends } = await held();
    await pass(LOCK + BOUND);
    const again = here.hold('a');
    await pass(BOUND);
    expect([ends, again.ends]).toEqual([['locked'], ['locked']]);
    await there.activity.unlock('a', IDLE);
    const unlocked = here.hold('a');
    await pass(LOCK - SECOND);
    expect(unlocked.ends).toEqual([]);
    await pass(SECOND + BOUND);
    expect(unlocked.ends).toEqual(['locked']);
  });

  it('closes with the reason where the session ends before its lock', async () => {
    const { there, ends } = await held();
    await pass(LOCK / 2);
    await there.signOut('a');
    await pass(2 * SECOND);
    expect(ends).toEqual(['signed-out']);
  });
});

describe('What opens after an unlock', () => {
  async function held() {
    const world = new World();
    const connection = new FeedConnection(world);
    const here = new Process(new BufferedActivityStorage(connection));
    await world.memory.start('a', { ...session(IDLE, 'id of a'), lockAfterMs: LOCK });
    const { release } = here.hold('a');
    await pass(LOCK - SECOND);
    return { world, connection, here, release };
  }

  describe.each([
    ['was closed', true],
    ['is still open', false],
  ])('stays open, where something older %s,', (_, isClosed) => {
    it.each([
      ['this process', (_: World, here: Process) => here],
      [
        'another process, of which the storage tells nothing yet',
        (world: World) => new Process(new BufferedActivityStorage(new FeedConnection(world))),
      ],
    ])(
      'though the storage answers a question that this process asked before the person unlocked in %s',
      async (_, unlocking) => {
        const { world, connection, here, release } = await held();
        const unlocks = unlocking(world, here);
        await pass(900);
        connection.latency['read fresh'] = { back: 700 };
        await pass(300);
        if (isClosed) release();
        expect((await unlocks.activity.unlock('a', IDLE)).unlocked).toBe(true);
        const { ends } = here.hold('a');
        await pass(2 * SECOND);
        expect(ends).toEqual([]);
      },
    );

    it('though the storage answers to an end that this process wrote before the person unlocked', async () => {
      const { world, connection, here, release } = await held();
      connection.fails = { expire: 'rejects' };
      connection.latency.end = { there: 50, back: 700 };
      // By a clock that goes back after that, as in a failover.
      const { record } = await world.memory.read('a');
      const over = { record, now: storageNow() + IDLE };
      jest.spyOn(world.memory, 'read').mockResolvedValueOnce(over);
      await pass(1500);
      expect(connection.calls.filter((call) => call.startsWith('end'))).toHaveLength(1);
      if (isClosed) release();
      expect((await here.activity.unlock('a', IDLE)).unlocked).toBe(true);
      const { ends } = here.hold('a');
      await pass(3 * SECOND);
      expect(ends).toEqual([]);
    });
  });
});

describe.each(['rejects', 'hangs'] as const)('While the storage %s', (fails) => {
  async function heldOn(onStorageError: 'reject' | 'allow') {
    const world = new World();
    const connection = new FeedConnection(world);
    const here = new Process(new BufferedActivityStorage(connection), onStorageError);
    await world.memory.start('a', { ...session(IDLE, 'id of a'), lockAfterMs: LOCK });
    const it = here.hold('a');
    await pass(LOCK / 2);
    connection.fails = { 'read fresh': fails, read: fails, sync: fails, end: fails, expire: fails };
    return { ...it, connection };
  }

  it('what is open closes as unclear once the lock that was known has passed', async () => {
    const { ends } = await heldOn('reject');
    await pass(LOCK / 2);
    expect(ends).toEqual([]);
    await pass(4 * SECOND);
    expect(ends).toEqual(['unavailable']);
  });

  it('what is open stays so where the options allow it, and closes as locked when it is back', async () => {
    const { ends, connection } = await heldOn('allow');
    await pass(LOCK);
    expect(ends).toEqual([]);
    connection.fails = {};
    await pass(20 * SECOND);
    expect(ends).toEqual(['locked']);
  });
});
