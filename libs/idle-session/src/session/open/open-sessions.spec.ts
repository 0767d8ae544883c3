import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { ActivityStorage } from '../../activity/activity-storage.js';
import { BufferedActivityStorage } from '../../activity/buffer/buffered-activity-storage.js';
import {
  Connection,
  FeedConnection,
  MINUTE,
  SECOND,
  session,
  setAhead,
  storageNow,
  useMovedClock,
  World,
} from '../../activity/buffer/buffered-activity-storage.spec-support.js';
import { passInTurns as pass, Process } from './open-sessions.spec-support.js';

useMovedClock();

/** By how much the storage's clock is ahead, unless a test sets it. */
const AHEAD = 5_000_000;

/** By when an end has to be told. */
const BOUND = 2 * SECOND;

const kinds: { kind: string; storage: (world: World) => ActivityStorage }[] = [
  { kind: 'a storage that tells at once', storage: ({ memory }) => memory },
  {
    kind: 'a storage with a buffer in front',
    storage: (world) => new BufferedActivityStorage(new FeedConnection(world)),
  },
  {
    kind: 'a buffer that remembers nothing',
    storage: (world) => new BufferedActivityStorage(new FeedConnection(world), { syncInterval: 0 }),
  },
  { kind: 'a storage that cannot be watched', storage: (world) => new Connection(world) },
  {
    kind: 'a storage whose watch gives no way to stop it',
    storage: (world) =>
      Object.assign(new Connection(world), { watch: async () => {} }) as unknown as Connection,
  },
];

describe.each(kinds)('What is open for a session, on $kind,', ({ storage }) => {
  const twoProcesses = () => {
    const world = new World();
    return { world, here: new Process(storage(world)), there: new Process(storage(world)) };
  };

  async function heldHere() {
    const it = twoProcesses();
    await it.there.activity.read('a');
    await it.world.memory.start('a', session(MINUTE, 'id of a'));
    const held = it.here.hold('a');
    await pass(BOUND);
    return { ...it, ...held };
  }

  it('hears of a sign-out in another process, once, and so does the app', async () => {
    const { here, there, ends } = await heldHere();
    await there.signOut('a');
    await pass(BOUND);
    expect(ends).toEqual(['signed-out']);
    expect([here.causes, there.causes]).toEqual([['signed-out elsewhere'], ['signed-out request']]);
    await pass(2 * MINUTE);
    expect([ends, here.told, there.told].map(({ length }) => length)).toEqual([1, 1, 1]);
  });

  it('hears of an end in its own process at once, and the app only once', async () => {
    const { here, ends } = await heldHere();
    await here.signOut('a');
    expect(ends).toHaveLength(1);
    await pass(BOUND);
    expect(here.causes).toEqual(['signed-out request']);
  });

  it('hears that the session goes on under another id', async () => {
    const { there, ends } = await heldHere();
    await there.activity.end('a', 'replaced', { cause: 'request' });
    await pass(BOUND);
    expect(ends).toEqual(['replaced']);
  });

  it('hears of an end that came before it was held', async () => {
    const { world, here } = twoProcesses();
    await world.memory.start('a', session());
    await world.memory.end('a', 'revoked');
    const { ends } = here.hold('a');
    expect(ends).toEqual([]);
    await pass(0);
    expect(ends).toEqual(['revoked']);
    expect(here.causes).toEqual(['revoked elsewhere']);
  });

  it('ends by its own timer when the time is up, and the session’s data with it', async () => {
    const { here, ends } = await heldHere();
    await pass(MINUTE - BOUND - SECOND);
    expect(ends).toEqual([]);
    await pass(BOUND);
    expect(ends).toEqual(['idle']);
    expect(here.causes).toEqual(['idle clock']);
    expect(here.removed).toEqual(['id of a']);
  });

  it('ends by its own timer when another process has swept', async () => {
    const { here, there, ends } = await heldHere();
    await pass(MINUTE - BOUND - SECOND);
    // The timer is due, and the other process is quicker.
    jest.advanceTimersByTime(SECOND + 10);
    await there.sweeper.sweep();
    await pass(BOUND);
    expect(ends).toEqual(['idle']);
    expect([here.causes, there.causes]).toEqual([['idle elsewhere'], ['idle clock']]);
  });

  it('stays open as long as another process notes activity', async () => {
    const { here, there, ends } = await heldHere();
    for (let passed = 0; passed < 5; passed++) {
      await pass(MINUTE / 2);
      await there.activity.touch('a', MINUTE, storageNow());
    }
    expect([ends, here.told]).toEqual([[], []]);
    await pass(MINUTE + BOUND);
    expect(ends).toEqual(['idle']);
  });

  it('goes by the storage’s clock where that is set back and forth, as requests do', async () => {
    const { here, ends } = await heldHere();
    await pass(MINUTE - 2 * BOUND);
    setAhead(AHEAD - MINUTE / 2);
    await pass(4 * BOUND);
    expect([ends, here.told]).toEqual([[], []]);
    setAhead(AHEAD);
    await here.sweeper.sweep();
    await pass(BOUND);
    expect([ends, here.causes]).toEqual([['idle'], ['idle clock']]);
  });

  it('ends in time when another process shortens the idle timeout', async () => {
    const { there, ends } = await heldHere();
    await there.activity.touch('a', 10 * SECOND, storageNow());
    await pass(10 * SECOND + BOUND);
    expect(ends).toEqual(['idle']);
  });

  it('ends as lost with its record, for one of all processes', async () => {
    const { world, here, there, ends } = await heldHere();
    const logged = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
    const other = there.hold('a');
    await pass(BOUND);
    (world.memory as unknown as { entries: Map<string, unknown> }).entries.clear();
    await pass(MINUTE + BOUND);
    expect([...ends, ...other.ends]).toEqual(['lost', 'lost']);
    expect([...here.causes, ...there.causes].sort()).toEqual(['lost clock', 'lost elsewhere']);
    expect(logged.mock.calls).toEqual([[expect.stringContaining('record of session a is gone')]]);
    logged.mockRestore();
  });

  it('closes, and may come back, where the session was not known to have a record and has none', async () => {
    const { here, there } = twoProcesses();
    const { ends } = here.hold('a', false);
    await pass(BOUND);
    expect([ends, here.told, here.open.count]).toEqual([['unavailable'], [], 0]);
    // Nothing has ended: the next request starts the record.
    expect((await there.activity.read('a', true)).record).toBeUndefined();
  });

  it('is looked after where the session was not known to have a record and has one', async () => {
    const { world, here } = twoProcesses();
    await world.memory.start('a', session(MINUTE, 'id of a'));
    const { ends } = here.hold('a', false);
    await pass(MINUTE - BOUND);
    expect(ends).toEqual([]);
    await pass(2 * BOUND);
    expect([ends, here.causes]).toEqual([['idle'], ['idle clock']]);
  });

  it('ends with its data when its time is up while the process stops', async () => {
    const { here, ends } = await heldHere();
    await here.sweeper.beforeApplicationShutdown();
    await pass(MINUTE + BOUND);
    expect([ends, here.removed]).toEqual([['idle'], ['id of a']]);
  });

  it('costs nothing once it is released', async () => {
    const { world, here, there, release, ends } = await heldHere();
    const second = here.hold('b');
    release();
    second.release();
    release();
    await there.signOut('a');
    await pass(BOUND);
    expect(ends).toEqual([]);
    expect([here.open.count, jest.getTimerCount()]).toEqual([0, 0]);
    expect(watchersOf(world)).toBe(0);
  });

  it('is released when the app has stopped, and nothing is held from then on', async () => {
    const { world, here, there, ends } = await heldHere();
    here.open.onApplicationShutdown();
    const late = here.hold('a');
    await there.signOut('a');
    await pass(BOUND);
    expect([ends, late.ends, here.told]).toEqual([[], [], []]);
    expect([here.open.count, jest.getTimerCount(), watchersOf(world)]).toEqual([0, 0, 0]);
  });
});

const watchersOf = ({ memory }: World) =>
  (memory as unknown as { watchers: { size: number } }).watchers.size;
