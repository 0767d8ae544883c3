import { describe, it } from '@jest/globals';
import {
  FakeWorld,
  HOUR,
  MINUTE,
  SECOND,
  type FakeTab,
  type Network,
} from '../../testing/fake-world.js';
import { randomOf } from '../../testing/random.js';
import { TOLERANCE, expectSound, messageOf, signedIn } from '../../testing/scenario.js';
import '../../testing/quiet-console.js';

describe('IdleSession', () => {
  describe('on random walks', () => {
    const SEEDS = 30;
    const WALKS_PER_SEED = 10;
    it.each(Array.from({ length: SEEDS }, (_, n) => n + 1))(
      'ends where the server is, and signs out nobody whom it holds (walks of seed %d)',
      async (seed) => {
        for (let n = 0; n < WALKS_PER_SEED; n++) await walk(seed * 1000 + n);
      },
    );
  });
});

/** A walk through 200 things that happen, to one to three tabs of one browser. */
async function walk(seed: number) {
  const random = randomOf(seed);
  const upTo = (limit: number) => Math.floor(random() * limit);
  const oneOf = <One>(...all: One[]) => all[upTo(all.length)] as One;
  const policy = {
    idleTimeoutMs: oneOf(2 * MINUTE, 15 * MINUTE),
    warnBeforeMs: oneOf<number | false>(30 * SECOND, 100 * SECOND, false),
    absoluteTimeoutMs: oneOf<number | false>(false, 20 * MINUTE),
    lockAfterMs: oneOf<number | false>(false, 45 * SECOND, 90 * SECOND),
  };
  const options = { extendOnActivity: oneOf(true, false, false) };
  const count = 1 + upTo(3);
  const { world, tabs } = await signedIn({ policy, options, tabs: count });
  world.observersFirst = oneOf(true, false);
  world.hasLocks = oneOf(true, true, true, false);
  const releases: (() => void)[] = [];
  const tab = () => tabs[upTo(tabs.length)] as FakeTab;
  const awake = (act: (tab: FakeTab) => unknown) => {
    const one = tab();
    if (!one.isFrozen) void act(one);
  };
  /** The same four times a second, for up to ten seconds. */
  const awakeFor = async (act: (tab: FakeTab) => unknown) => {
    const one = tab();
    for (let n = upTo(40); n > 0 && !one.isFrozen; n--) {
      void act(one);
      await world.advance(250);
    }
  };
  const network = (): Network =>
    oneOf('down', 'hanging', 'deaf', 'failing', 'redirecting', 'refusing', 'lying');

  // How often each of them happens, among a hundred.
  const happenings: Record<string, [number, () => unknown]> = {
    act: [24, () => awake((one) => one.act())],
    work: [2, () => awakeFor((one) => one.act())],
    wait: [21, () => world.advance(upTo(20 * SECOND))],
    'wait long': [2, () => world.advance(upTo(2 * MINUTE))],
    fetch: [5, () => awake((one) => one.fetch())],
    poll: [6, () => awake((one) => one.fetch('passive'))],
    'poll often': [1, () => awakeFor((one) => one.fetch('passive'))],
    hide: [4, () => awake((one) => one.page('hidden'))],
    show: [4, () => awake((one) => one.page('visible'))],
    freeze: [2, () => awake((one) => one.freeze())],
    leave: [1, () => awake((one) => one.leave())],
    thaw: [
      5,
      () =>
        tabs
          .filter(({ isFrozen }) => isFrozen)
          .at(0)
          ?.comeBack(),
    ],
    unlock: [4, () => awake((one) => one.fetch(oneOf('right password', 'wrong password')))],
    'unlock elsewhere': [
      1,
      () => {
        world.server.unlock();
        awake((one) => one.session.check());
      },
    ],
    extend: [4, () => awake((one) => one.session.extend())],
    hold: [1, () => awake((one) => releases.push(one.session.hold('a video plays')))],
    release: [2, () => releases.pop()?.()],
    fault: [3, () => (world.network = network())],
    mend: [5, () => (world.network = 'up')],
    lag: [2, () => (world.latencyMs = oneOf(20, 300, 2500))],
    sleep: [2, () => world.sleep(upTo(MINUTE))],
    jump: [1, () => world.jump(upTo(2 * HOUR) - HOUR)],
    'sign out': [1, () => upTo(8) === 0 && awake((one) => one.session.signOut())],
    lie: [
      1,
      () =>
        awake((one) => {
          const sessionRef = one.state.sessionRef ?? '';
          one.receiveMessage({ ...messageOf(world), sessionRef, ended: 'idle' });
        }),
    ],
    revoke: [1, () => upTo(20) === 0 && world.server.end('revoked')],
  };
  const names = Object.entries(happenings).flatMap(([name, [times]]) =>
    Array<string>(times).fill(name),
  );

  const done: string[] = [];
  let outage: Outage = { firstSent: 0, asks: 0 };
  for (let step = 0; step < 200; step++) {
    const name = oneOf(...names);
    done.push(name);
    if (world.network === 'up') outage = { firstSent: world.sent.length, asks: 0 };
    if (!WITHOUT_ASKING.has(name)) outage.asks++;
    await happenings[name]?.[1]();
    await world.advance(0);
    const after = `walk ${seed}, after ${done.join(', ')}`;
    expectNobodyLost(world, after);
    if (world.network !== 'up') expectPatient(world, outage, after);
    if (step % 40 !== 39) continue;
    await expectSettled(world, after);
    if (world.server.isAlive()) continue;
    // The person signs in again, which loads each page anew.
    for (const old of tabs.splice(0)) old.session.destroy();
    world.server.signIn();
    for (let n = 0; n < count; n++) world.open(options);
    done.push('sign in');
    await world.advance(SECOND);
  }
  expectSound(world);
}

/** No tab takes a session for ended that the server holds alive. */
function expectNobodyLost({ server, tabs }: FakeWorld, after: string) {
  for (const { state } of tabs) {
    const over = state.state === 'expired' || state.state === 'signed-out';
    if (over && server.isAlive(state.sessionRef)) throw new Error(`ended a live session: ${after}`);
  }
}

/** What happens while no server answers. */
interface Outage {
  readonly firstSent: number;
  /** How often something happened that is a reason of its own to ask. */
  asks: number;
}

/** Of these none is a reason to ask before the back-off is over. */
const WITHOUT_ASKING = new Set('act,work,wait,wait long,fetch,poll,poll often,lag'.split(','));

/** In a minute without answers each tab asks by its back-off, with a heartbeat and for the status. */
function expectPatient({ sent, tabs }: FakeWorld, outage: Outage, after: string) {
  const most = 2 * (7 + outage.asks);
  for (const tab of tabs) {
    const times = sent.slice(outage.firstSent).flatMap((one) => (one.tab === tab ? one.at : []));
    if (times.some((at, n) => (times[n + most] ?? Infinity) - at < MINUTE))
      throw new Error(`asked more than ${most} times in a minute without an answer: ${after}`);
  }
}

/** With a network that works and pages that run, each tab says what the server says, give or take two seconds. */
async function expectSettled(world: FakeWorld, after: string) {
  const { server, tabs } = world;
  world.network = 'up';
  world.latencyMs = 20;
  for (const tab of tabs) if (tab.isFrozen) tab.comeBack();
  // What the server ends by itself is heard of with the next request.
  if (!server.isAlive()) void tabs[0]?.fetch('passive');
  // The longest that an answer is waited for, then the longest pause before asking again, since the server last changed.
  for (let waitedMs = 0; waitedMs < 41 * SECOND; waitedMs += SECOND) {
    const before = server.evaluation()?.state;
    await world.advance(SECOND);
    if (server.evaluation()?.state !== before) waitedMs = 0;
  }
  const allowed = [-TOLERANCE, 0, TOLERANCE].map((inMs) => server.evaluation(null, inMs)?.state);
  const leftMs = server.deadline() - world.time;
  for (const { state } of tabs) {
    const says = state.state === 'signed-out' ? 'expired' : state.state;
    const wrong =
      !allowed.some((one) => one === says) ||
      (state.covered && !allowed.includes('expired') && !allowed.includes('locked')) ||
      (says !== 'expired' && !state.online) ||
      // Less is possible, where an answer was lost; never more.
      (says !== 'expired' && (state.expiresAt ?? 0) - world.wall > leftMs + TOLERANCE);
    if (!wrong) continue;
    throw new Error(`${JSON.stringify(state)} where the server says ${allowed.join()}: ${after}`);
  }
}
