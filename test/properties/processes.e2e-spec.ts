import { afterAll, describe, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { actions, options } from './support/actions.js';
import { runs, TIME_LIMIT_MS } from './support/runs.js';
import { World } from './support/world.js';

afterAll(() => void jest.useRealTimers());

describe('Three processes on one storage, whatever happens to them and to the network', () => {
  it(
    'serve no session that is over, end none before its time, and emit each end once',
    async () => {
      const property = fc.asyncProperty(options, actions, async (rules, happening) => {
        const broken = await new World(rules).run(happening);
        if (broken !== undefined) throw new Error(broken);
      });
      await fc.assert(property, runs(400));
    },
    TIME_LIMIT_MS,
  );
});
