import fc from 'fast-check';
import { SERVERS } from '../../model/troubles.js';
import type { Action } from './action.js';
import type { Options } from './world.js';

const IDLE_TIMEOUT_MS = 20_000;

const server = fc.nat(SERVERS - 1);
const servers = fc.uniqueArray(server, { minLength: 1, maxLength: SERVERS });
/** Mostly the same, so that much happens to them. Two of them share a partition. */
const person = fc.constantFrom('a', 'a', 'a', 'a', 'b', 'c');
const by = { server, person };
const idleTimeoutMs = fc.constantFrom(
  ...Array.from({ length: 8 }, () => IDLE_TIMEOUT_MS),
  IDLE_TIMEOUT_MS / 2,
  IDLE_TIMEOUT_MS * 2,
);
const visit = {
  ...by,
  idleTimeoutMs,
  passive: fc.constantFrom(false, false, false, true),
  idleForMs: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.nat(12_000) },
  ),
};

const time = fc.oneof(
  fc.integer({ min: 1, max: 50 }),
  fc.integer({ min: 1, max: 2000 }),
  fc.integer({ min: 2000, max: 12_000 }),
);

const delays = fc.oneof(
  { weight: 1, arbitrary: fc.constant([]) },
  { weight: 4, arbitrary: fc.array(fc.nat(200), { minLength: 1, maxLength: 5 }) },
  { weight: 1, arbitrary: fc.array(fc.nat(1500), { minLength: 1, maxLength: 5 }) },
);

const signIn = fc.record({ type: fc.constant('sign-in' as const), ...by, idleTimeoutMs });
const unlocks = fc.record({
  type: fc.constant('visit' as const),
  ...by,
  idleTimeoutMs,
  unlocks: fc.constant(true),
});
const visits = fc.record({ type: fc.constant('visit' as const), ...visit });
const stays = fc.record({
  type: fc.constant('stay' as const),
  ...visit,
  times: fc.integer({ min: 2, max: 20 }),
  everyMs: fc.integer({ min: 50, max: 1500 }),
});
const ends = fc.record({ type: fc.constantFrom('sign-out' as const, 'revoke' as const), ...by });
const sweeps = fc.record({ type: fc.constant('sweep' as const), servers });
const passes = fc.record({ type: fc.constant('pass' as const), ms: time });
const passesTo = fc.record({
  type: fc.constant('pass-to' as const),
  moment: fc.constantFrom('half' as const, 'lock' as const, 'deadline' as const, 'limit' as const),
  person,
  ms: fc.oneof(fc.constantFrom(-1, 0, 1), fc.integer({ min: -1500, max: 500 })),
});
const leaves = fc.record({ type: fc.constantFrom('crash' as const, 'stop' as const), server });
const networks = fc.record({ type: fc.constant('network' as const), server, delays });
const outages = fc.record({
  type: fc.constant('outage' as const),
  servers,
  fault: fc.constantFrom('refuses' as const, 'hangs' as const, 'forgets' as const),
  ms: fc.oneof(fc.integer({ min: 1, max: 7000 }), fc.integer({ min: 1, max: 30_000 })),
  newestFirst: fc.boolean(),
});
const calms = fc.record({ type: fc.constant('calm' as const) });

const action = fc.oneof(
  { weight: 2, arbitrary: signIn },
  { weight: 6, arbitrary: visits },
  { weight: 1, arbitrary: unlocks },
  { weight: 4, arbitrary: stays },
  { weight: 2, arbitrary: ends },
  { weight: 2, arbitrary: sweeps },
  { weight: 6, arbitrary: passes },
  { weight: 3, arbitrary: passesTo },
  { weight: 1, arbitrary: leaves },
  { weight: 2, arbitrary: networks },
  { weight: 2, arbitrary: outages },
  { weight: 1, arbitrary: calms },
);

export const options: fc.Arbitrary<Options> = fc.record({
  syncIntervalMs: fc.constantFrom(1000, 1000, 1000, 0),
  touchIntervalMs: fc.constantFrom(30_000, 30_000, 0),
  absoluteTimeoutMs: fc.constantFrom(false as const, 30_000, 90_000),
  lockAfterMs: fc.constantFrom(false as const, false as const, 8_000, 15_000),
  changesRemembered: fc.constantFrom(0, 1, 3),
});

const first: Action = {
  type: 'sign-in',
  server: 0,
  person: 'a',
  idleTimeoutMs: IDLE_TIMEOUT_MS,
};

export const actions = fc
  .array(action, { maxLength: 40, size: 'max' })
  .map((later): Action[] => [first, ...later]);
