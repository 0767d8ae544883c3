import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  aWarmProcess,
  IDLE,
  MINUTE,
  pass,
  SECOND,
  storageNow,
  useMovedClock,
  type Connection,
} from './buffered-activity-storage.spec-support.js';

useMovedClock();

const latency = fc.record({ there: fc.nat(450), back: fc.nat(1200) });

const step = fc.record({
  does: fc.constantFrom('touch', 'touch for another time', 'read', 'read fresh'),
  latencies: fc.dictionary(fc.constantFrom('touch', 'read', 'read fresh'), latency),
  thenPass: fc.integer({ min: 1, max: 600 }),
});

it('A process tells the storage of the last activity and knows nothing else in the end, also if the storage answers in another order than it was asked', async () => {
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }),
    async (steps) => {
      const { world, buffer, connection } = await aWarmProcess(['a', 'c']);
      let [idleTimeoutMs, lastActivityAt] = [IDLE, 0];
      const answers: Promise<unknown>[] = [];
      for (const { does, latencies, thenPass } of steps) {
        connection.latency = latencies as Connection['latency'];
        if (does === 'touch for another time') idleTimeoutMs = 2 * IDLE - idleTimeoutMs + MINUTE;
        if (does.startsWith('touch')) {
          lastActivityAt = Math.floor(storageNow());
          answers.push(buffer.touch('a', idleTimeoutMs, lastActivityAt));
        } else {
          answers.push(buffer.read('a', does === 'read fresh'));
        }
        answers.push(buffer.read('c'));
        await pass(thenPass);
      }
      connection.latency = {};
      for (let passed = 0; passed < MINUTE; passed += SECOND / 2) {
        answers.push(buffer.read('c'));
        await pass(SECOND / 2);
      }
      await Promise.all(answers);
      const { record } = await world.memory.read('a');
      if (lastActivityAt > 0) expect(record).toMatchObject({ lastActivityAt, idleTimeoutMs });
      const known = buffer.recall('a')?.record ?? record!;
      expect(known.lastActivityAt).toBeLessThanOrEqual(record!.lastActivityAt);
      if (known.lastActivityAt === record!.lastActivityAt) expect(known).toEqual(record);
    },
  );
  await fc.assert(property, { numRuns: 50 });
});
