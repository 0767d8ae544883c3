import { afterAll, describe, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { actions, options } from './support/actions.js';
import { runs, TIME_LIMIT_MS } from './support/runs.js';
import type { Action } from './support/action.js';
import { World, type Options } from './support/world.js';

afterAll(() => void jest.useRealTimers());

/** That a session is locked is still on its way while another process unlocks it. */
const overtaken: [Options, Action[]] = [
  {
    syncIntervalMs: 1000,
    touchIntervalMs: 30_000,
    absoluteTimeoutMs: false,
    lockAfterMs: 8000,
    changesRemembered: 0,
  },
  [
    { type: 'sign-in', server: 0, person: 'a', idleTimeoutMs: 20_000 },
    { type: 'network', server: 2, delays: [2] },
    { type: 'network', server: 0, delays: [3] },
    { type: 'pass', ms: 9000 },
    { type: 'visit', server: 2, person: 'a', idleTimeoutMs: 20_000, unlocks: true },
    { type: 'visit', server: 0, person: 'a', idleTimeoutMs: 20_000 },
  ],
];

describe('Three processes on one storage, whatever happens to them and to the network', () => {
  it(
    'serve no session that is over, end none before its time, and emit each end once',
    async () => {
      const property = fc.asyncProperty(options, actions, async (rules, happening) => {
        const broken = await new World(rules).run(happening);
        if (broken !== undefined) throw new Error(broken);
      });
      await fc.assert(property, { ...runs(400), examples: [overtaken] });
    },
    TIME_LIMIT_MS,
  );
});
