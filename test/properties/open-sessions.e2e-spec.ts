import { expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { BufferedActivityStorage } from '../../libs/idle-session/src/activity/buffer/buffered-activity-storage.js';
import {
  Connection,
  FeedConnection,
  MINUTE,
  SECOND,
  session,
  storageNow,
  useMovedClock,
  WatchedConnection,
  World,
} from '../../libs/idle-session/src/activity/buffer/buffered-activity-storage.spec-support.js';
import {
  passInTurns as pass,
  Process,
} from '../../libs/idle-session/src/session/open/open-sessions.spec-support.js';
import { runs, TIME_LIMIT_MS } from './support/runs.js';

useMovedClock();

const IDLE = 5 * MINUTE;

const operation = fc.constantFrom('read fresh', 'end', 'sync', 'expire');

const step = fc.record({
  does: fc.constantFrom('touch', 'touch for less', 'lose for a while', 'nothing'),
  latencies: fc.dictionary(operation, fc.record({ there: fc.nat(300), back: fc.nat(600) })),
  fails: fc.dictionary(operation, fc.constantFrom('rejects', 'hangs')),
  thenPass: fc.integer({ min: 50, max: 3000 }),
});

const history = fc.record({
  steps: fc.array(step, { minLength: 4, maxLength: 8, size: 'max' }),
  isRevoked: fc.boolean(),
  revokedAfterMs: fc.nat(1800),
});

it.each([
  ['with its history', (world: World) => new FeedConnection(world)],
  ['that tells at once', (world: World) => new WatchedConnection(world)],
  ['that tells nothing', (world: World) => new Connection(world)],
])(
  'What is open closes once its session has ended, and not before, on a storage %s',
  async (_, connect) => {
    const property = fc.asyncProperty(history, async ({ steps, isRevoked, revokedAfterMs }) => {
      const world = new World();
      const connection = connect(world);
      const isFeed = connection instanceof FeedConnection;
      const here = new Process(
        isFeed ? new BufferedActivityStorage(connection) : connection,
        'allow',
      );
      await world.memory.start('a', session(IDLE, 'id of a'));
      const { ends } = here.hold('a');
      await pass(SECOND);

      const read = world.memory.read.bind(world.memory);
      let isLost = false;
      jest
        .spyOn(world.memory, 'read')
        .mockImplementation(async (key) =>
          isLost ? { record: undefined, now: storageNow() } : read(key),
        );
      for (const { does, latencies, fails, thenPass } of steps) {
        connection.latency = latencies as Connection['latency'];
        connection.fails = fails as Connection['fails'];
        isLost = does === 'lose for a while';
        if (does === 'touch') await world.memory.touch('a', IDLE, storageNow());
        if (does === 'touch for less') {
          await world.memory.touch('a', IDLE - SECOND, storageNow());
          world.changes.push('a');
        }
        await pass(thenPass);
      }
      isLost = false;
      connection.fails = {};
      await pass(revokedAfterMs);
      if (isRevoked) {
        await world.memory.end('a', 'revoked');
        world.changes.push('a');
      }
      await pass(SECOND);
      connection.latency = {};
      await pass(25 * SECOND);
      expect(ends).toEqual(isRevoked ? ['revoked'] : []);
      here.open.onApplicationShutdown();
    });
    await fc.assert(property, runs(60));
  },
  TIME_LIMIT_MS,
);
