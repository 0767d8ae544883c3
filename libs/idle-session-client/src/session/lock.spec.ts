import { describe, expect, it } from '@jest/globals';
import type { FakePolicy } from '../../testing/fake-server.js';
import {
  FakeWorld,
  HOUR,
  MINUTE,
  SECOND,
  type FakeTab,
  type Network,
} from '../../testing/fake-world.js';
import {
  expectNear,
  expectSound,
  messageOf,
  signedIn,
  timeUntil,
  type,
} from '../../testing/scenario.js';
import '../../testing/quiet-console.js';

const LOCK = 15 * MINUTE;
const POLICY = { idleTimeoutMs: HOUR, lockAfterMs: LOCK };

/** A person who has just signed in, where sessions are locked after a quarter of an hour. */
function lockable(policy: Partial<FakePolicy> = {}, tabs = 1) {
  return signedIn({ policy: { ...POLICY, ...policy }, tabs });
}

/** The same, who then left, until the tabs knew of the lock. */
async function locked(policy: Partial<FakePolicy> = {}, tabs = 1) {
  const all = await lockable(policy, tabs);
  await all.world.advance(LOCK + SECOND);
  for (const tab of all.tabs) expectLocked(tab);
  return all;
}

function expectLocked({ state }: FakeTab) {
  expect(state).toMatchObject({ state: 'locked', covered: true, reason: null });
}

function expectOpen({ state }: FakeTab) {
  expect(state).toMatchObject({ state: 'active', covered: false, online: true });
}

describe('IdleSession', () => {
  describe('with a lock', () => {
    it('is locked when the server is, and says where to unlock it', async () => {
      const { world, tab } = await lockable();
      await timeUntil(world, () => tab.state.covered);
      expectNear(world.time, world.server.lastActivityAt() + LOCK, SECOND);
      expectLocked(tab);
      expect(tab.state.unlockUrl).toBe('/unlock');
      expectNear((tab.state.expiresAt ?? 0) - world.wall, HOUR - LOCK);
      expect(tab.session.signal.aborted).toBe(false);
    });

    it('asks once, when the lock is due, and nothing while it is locked', async () => {
      const { world, tab } = await lockable();
      const sent = world.sent.length;
      await world.advance(LOCK - 2 * SECOND);
      expect(world.sent.length).toBe(sent);
      await world.advance(2 * SECOND);
      expectLocked(tab);
      await world.advance(30 * MINUTE);
      expect(world.sent.slice(sent).map(({ path }) => path)).toEqual(['status']);
    });

    it('shows the page until the server has answered, which may take a second', async () => {
      const { world, tab } = await lockable();
      await world.advance(LOCK - 2 * SECOND);
      world.latencyMs = 300;
      await timeUntil(world, () => tab.state.covered);
      expectLocked(tab);
      expect(tab.states.filter(({ covered, state }) => covered && state !== 'locked')).toEqual([]);
    });

    it.each<Network>(['down', 'hanging', 'failing', 'redirecting', 'lying'])(
      'covers the page, network %s, until it can ask',
      async (network) => {
        const { world, tab } = await lockable();
        await world.advance(LOCK - 2 * SECOND);
        world.network = network;
        expect(await timeUntil(world, () => tab.state.covered)).toBeLessThan(4 * SECOND);
        expect(tab.state.state).toBe('active');
        await world.advance(5 * MINUTE);
        expect(tab.state).toMatchObject({ covered: true, online: false });
        world.network = 'up';
        await world.advance(41 * SECOND);
        expectLocked(tab);
      },
    );

    it('covers the page as soon as it is seen that the machine has slept', async () => {
      const { world, tab } = await lockable();
      world.latencyMs = 30 * SECOND;
      world.sleep(20 * MINUTE);
      await world.advance(5 * SECOND);
      expect(tab.state).toMatchObject({ state: 'active', covered: true });
      world.latencyMs = 20;
      await world.advance(MINUTE);
      expectLocked(tab);
    });

    it('stays open for a person who types, also where the lock comes before the next heartbeat would', async () => {
      for (const lockAfterMs of [LOCK, 40 * SECOND]) {
        const { world, tab } = await lockable({ lockAfterMs });
        await type(world, tab, 40 * MINUTE);
        expectOpen(tab);
        expect(tab.states.some(({ covered }) => covered)).toBe(false);
        expect(world.server.isLocked()).toBe(false);
        const heartbeats = (40 * MINUTE) / Math.min(MINUTE, lockAfterMs / 4);
        expect(world.sentTo('heartbeat').length).toBeLessThanOrEqual(heartbeats + 2);
      }
    });

    it('stays open while it is held, as by a video', async () => {
      const { world, tab } = await lockable();
      const release = tab.session.hold('a video plays');
      await world.advance(2 * HOUR);
      expectOpen(tab);
      release();
      await world.advance(LOCK + 2 * SECOND);
      expectLocked(tab);
    });

    it('stays open for a person whose requests are all that is done', async () => {
      const { world, tab } = await lockable();
      for (let passed = 0; passed < HOUR; passed += MINUTE) {
        void tab.fetch();
        await world.advance(MINUTE);
        expectOpen(tab);
      }
      expect(tab.states.some(({ covered }) => covered)).toBe(false);
      expect(world.sentTo('status').length).toBeLessThanOrEqual(6);
    });

    it('is not unlocked by what the person does, by extend() or by a hold', async () => {
      const { world, tab } = await locked();
      const sent = world.sent.length;
      await type(world, tab, MINUTE);
      const release = tab.session.hold('a video plays');
      await expect(tab.session.extend()).resolves.toBe(false);
      tab.page('hidden');
      await world.advance(5 * MINUTE);
      release();
      expectLocked(tab);
      expect(world.sent.length).toBe(sent);
    });

    it('can be signed out of', async () => {
      const { world, tab } = await locked();
      void tab.session.signOut();
      await world.advance(SECOND);
      expect(tab.state).toMatchObject({ state: 'signed-out', covered: true });
    });

    it('says that a sign-out did not reach the server', async () => {
      const { world, tab } = await locked();
      world.network = 'down';
      void tab.session.signOut();
      await world.advance(SECOND);
      expect(tab.state).toMatchObject({ state: 'locked', covered: true, failed: true });
    });

    it('ends as it would without', async () => {
      const { world, tab } = await locked();
      await timeUntil(world, () => tab.state.state !== 'locked');
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'idle', covered: true });
      expectNear(world.time, world.server.lastActivityAt() + HOUR);
      expect(tab.session.signal.aborted).toBe(true);
    });

    it('is not locked while the warning shows what cannot be moved, but when the lock comes', async () => {
      const { world, tab } = await lockable({ absoluteTimeoutMs: 16 * MINUTE });
      await world.advance(14 * MINUTE + 2 * SECOND);
      expect(tab.state.state).toBe('warning');
      await world.advance(MINUTE);
      expectLocked(tab);
      await world.advance(MINUTE);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'absolute' });
    });

    it('stays open for a person who works on while the warning shows what cannot be moved', async () => {
      const { world, tab } = await lockable({
        absoluteTimeoutMs: 20 * MINUTE,
        warnBeforeMs: 10 * MINUTE,
        lockAfterMs: 5 * MINUTE,
      });
      await type(world, tab, 19 * MINUTE);
      expect(world.server.isLocked()).toBe(false);
      expect(tab.states.some(({ covered }) => covered)).toBe(false);
      expect(tab.state.state).toBe('warning');
      expect(world.sentTo('heartbeat').length).toBeLessThanOrEqual(20);
    });

    it('hears of the lock from an answer to the page', async () => {
      for (const kind of ['passive', 'wrong password'] as const) {
        const { world, tab } = await lockable();
        world.server.lastActivityWas(LOCK);
        void tab.fetch(kind);
        await world.advance(SECOND);
        expectLocked(tab);
      }
    });

    it('is unlocked by the answer to the right password, with a question', async () => {
      for (const observersFirst of [true, false]) {
        const { world, tab } = await locked();
        world.observersFirst = observersFirst;
        const sent = world.sent.length;
        void tab.fetch('right password');
        await world.advance(SECOND);
        expectOpen(tab);
        expectNear((tab.state.expiresAt ?? 0) - world.wall, HOUR);
        expect(world.sent.length - sent).toBe(1);
        await world.advance(LOCK);
        expectLocked(tab);
      }
    });

    it('is unlocked by it, though an answer from before comes later', async () => {
      const { world, tab } = await locked();
      world.tardyMs = 800;
      tab.page('visible');
      await world.advance(500);
      world.tardyMs = 0;
      void tab.fetch('right password');
      await world.advance(3 * SECOND);
      expectOpen(tab);
    });

    it('is unlocked after an outage though an answer from before comes with it', async () => {
      const { world, tab } = await lockable();
      world.observersFirst = true;
      world.network = 'down';
      await world.advance(LOCK + 2 * MINUTE);
      expect(tab.state).toMatchObject({ state: 'active', covered: true, online: false });
      world.network = 'up';
      world.tardyMs = 5;
      tab.page('visible');
      await world.advance(1);
      world.tardyMs = 0;
      void tab.fetch('right password');
      await world.advance(31 * SECOND);
      expectOpen(tab);
    });

    it('is not kept waiting by the wrong ones before', async () => {
      const { world, tab } = await locked();
      const sent = world.sent.length;
      for (let n = 0; n < 8; n++) {
        void tab.fetch('wrong password');
        await world.advance(2 * SECOND);
        expectLocked(tab);
      }
      expect(world.sent.length).toBe(sent);
      void tab.fetch('right password');
      expect(await timeUntil(world, () => !tab.state.covered)).toBeLessThan(SECOND);
      expectOpen(tab);
    });

    it('is not asked again because of polls that are refused', async () => {
      const { world, tab } = await locked();
      const sent = world.sent.length;
      for (let n = 0; n < 20; n++) {
        void tab.fetch('passive');
        await world.advance(5 * SECOND);
      }
      expect(world.sent.length).toBe(sent);
      expectLocked(tab);
    });

    it('is unlocked by check() where no answer tells', async () => {
      const { world, tab } = await locked();
      world.server.unlock();
      tab.session.check();
      await world.advance(SECOND);
      expectOpen(tab);
    });

    it('is unlocked when the page is looked at again', async () => {
      const { world, tab } = await locked();
      tab.page('hidden');
      world.server.unlock();
      tab.page('visible');
      await world.advance(SECOND);
      expectOpen(tab);
    });

    it('starts locked in a page that is opened then', async () => {
      const { world } = await locked();
      const later = world.open();
      await world.advance(SECOND);
      expectLocked(later);
    });
  });

  describe('with a lock, in several tabs', () => {
    it('is locked in all, and asked by each but once', async () => {
      const { world, tabs } = await lockable({}, 5);
      const sent = world.sent.length;
      await world.advance(LOCK + SECOND);
      for (const tab of tabs) expectLocked(tab);
      expect(world.sent.length - sent).toBeLessThanOrEqual(5);
      await world.advance(30 * MINUTE);
      expect(world.sent.length - sent).toBeLessThanOrEqual(5);
    });

    it('is unlocked in all within a second, and asked by each but once', async () => {
      const { world, tabs } = await locked({}, 5);
      const sent = world.sent.length;
      void tabs[2]?.fetch('right password');
      await world.advance(SECOND);
      for (const tab of tabs) expectOpen(tab);
      await world.advance(MINUTE);
      for (const tab of tabs) expect(tab.sentTo('status').length).toBeGreaterThan(1);
      expect(world.sent.length - sent).toBe(5);
      expectSound(world);
    });

    it('is unlocked in all also where the absolute limit leaves the end where it is', async () => {
      for (const latencyMs of [0, 20, 700]) {
        const { world, tabs } = await locked({ absoluteTimeoutMs: 25 * MINUTE }, 3);
        world.latencyMs = latencyMs;
        void tabs[0]?.fetch('right password');
        await world.advance(10 * SECOND);
        for (const tab of tabs) expectOpen(tab);
      }
    });

    it('is unlocked after an outage though another tab still tells of the lock', async () => {
      const { world, tab } = await locked();
      world.network = 'down';
      tab.page('visible');
      await world.advance(10 * SECOND);
      world.network = 'up';
      void tab.fetch('right password');
      await world.advance(50);
      const expiresAt = tab.state.expiresAt ?? 0;
      tab.receiveMessage({ ...messageOf(world), expiresAt, locksAt: -Infinity });
      await world.advance(31 * SECOND);
      expectOpen(tab);
    });

    it('is unlocked by a page that is opened to unlock it', async () => {
      const { world, tabs } = await locked({}, 2);
      world.server.unlock();
      world.open();
      await world.advance(SECOND);
      for (const tab of tabs) expectOpen(tab);
    });

    it('stays open in all for a person who types in one', async () => {
      const { world, tabs } = await lockable({}, 3);
      await type(world, tabs[1] as FakeTab, 40 * MINUTE);
      for (const tab of tabs) expectOpen(tab);
      expect(tabs.flatMap(({ states }) => states).some(({ covered }) => covered)).toBe(false);
      expect(world.sentTo('status').length).toBe(3);
    });

    it('covers none on the word of another tab for longer than the server takes to answer', async () => {
      const { world, tab } = await lockable();
      await world.advance(MINUTE);
      tab.receiveMessage({
        sessionRef: 'session-1',
        requestedAt: world.wall,
        expiresAt: tab.state.expiresAt ?? 0,
        locksAt: -Infinity,
        lastHeartbeatAt: world.wall,
      });
      expect(tab.state).toMatchObject({ state: 'active', covered: true });
      await world.advance(SECOND);
      expectOpen(tab);
    });

    it('is unlocked in a tab that was frozen meanwhile', async () => {
      const { world, tabs } = await locked({}, 2);
      tabs[1]?.freeze();
      void tabs[0]?.fetch('right password');
      await world.advance(MINUTE);
      tabs[1]?.thaw();
      await world.advance(SECOND);
      for (const tab of tabs) expectOpen(tab);
    });

    it('goes on by what was done before the lock and told after it', async () => {
      const { world, tabs } = await lockable({}, 2);
      const [away, other] = tabs as [FakeTab, FakeTab];
      await world.advance(LOCK - 10 * SECOND);
      away.freeze();
      away.isFrozen = false;
      away.act();
      away.isFrozen = true;
      await world.advance(MINUTE);
      expectLocked(other);
      away.thaw();
      await world.advance(2 * SECOND);
      for (const tab of tabs) expectOpen(tab);
    });
  });

  it('has no lock where the server has none', async () => {
    const world = new FakeWorld();
    world.server.signIn();
    const tab = world.open();
    await world.advance(12 * MINUTE);
    expect(tab.state.state).toBe('active');
    expect(world.sent.length).toBe(1);
  });
});
