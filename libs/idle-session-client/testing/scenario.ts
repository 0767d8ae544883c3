import { expect } from '@jest/globals';
import type { TabMessage } from '../src/protocol/tab-message.js';
import type { IdleSessionOptions } from '../src/session/idle-session-options.js';
import type { FakePolicy } from './fake-server.js';
import { FakeWorld, HOUR, MINUTE, SECOND, type FakeTab } from './fake-world.js';

/** The default policy's warning and end, counted from the last activity. */
export const WARNING = 13 * MINUTE;
export const END = 15 * MINUTE;

/** How far from the server's own time a tab may be. */
export const TOLERANCE = 2 * SECOND;

interface Given {
  readonly policy?: Partial<FakePolicy>;
  readonly options?: IdleSessionOptions;
  readonly tabs?: number;
}

/** A person who has just signed in, with one tab or more that know. */
export async function signedIn({ policy, options, tabs = 1 }: Given = {}) {
  const world = new FakeWorld(policy);
  world.server.signIn();
  for (let n = 0; n < tabs; n++) world.open(options);
  await world.advance(SECOND);
  const [tab] = world.tabs as [FakeTab];
  return { world, tab, tabs: world.tabs };
}

/** The same, with the warning on screen. */
export async function warned(given: Given = {}) {
  const all = await signedIn(given);
  await all.world.advance(WARNING);
  for (const { state } of all.tabs) expect(state.state).toBe('warning');
  return all;
}

/** The person types, again and again; the last key is at the very end. */
export async function type(
  world: FakeWorld,
  tab: FakeTab,
  milliseconds: number,
  every = 5 * SECOND,
) {
  tab.act();
  for (let passed = 0; passed < milliseconds; passed += every) {
    await world.advance(every);
    tab.act();
  }
}

/** How long until it happens, in steps of a tenth of a second. */
export async function timeUntil(world: FakeWorld, happened: () => boolean, within = HOUR) {
  const from = world.time;
  while (!happened()) {
    if (world.time - from > within) return Infinity;
    await world.advance(100);
  }
  return world.time - from;
}

/** What another tab says that the server has just said of the session. */
export function messageOf(world: FakeWorld): TabMessage {
  return {
    sessionRef: 'session-1',
    requestedAt: world.wall,
    expiresAt: world.wall + SECOND,
    locksAt: Infinity,
    lastHeartbeatAt: world.wall,
  };
}

export function expectNear(actual: number, expected: number, tolerance = TOLERANCE) {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance);
}

/** What is true whatever a test does to the world. */
export function expectSound(world: FakeWorld) {
  expect(world.server.malformed).toEqual([]);
  for (const { states } of world.tabs) {
    // Called once per change, and never for none.
    states.slice(1).forEach((state, n) => expect(state).not.toEqual(states[n]));
  }
}
