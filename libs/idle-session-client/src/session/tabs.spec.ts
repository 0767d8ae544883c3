import { describe, expect, it } from '@jest/globals';
import { HOUR, MINUTE, SECOND, type FakeTab, type Network } from '../../testing/fake-world.js';
import {
  END,
  WARNING,
  expectNear,
  expectSound,
  messageOf,
  signedIn,
  timeUntil,
  type,
  warned,
} from '../../testing/scenario.js';
import { LOCK_TIMEOUT_MS } from '../browser/environment.js';
import type { EndReason } from '../protocol/end-reason.js';
import type { TabMessage } from '../protocol/tab-message.js';
import '../../testing/quiet-console.js';

describe('IdleSession', () => {
  describe('in several tabs', () => {
    it('sends as many heartbeats from ten tabs as from one', async () => {
      const { world, tabs } = await signedIn({ tabs: 10 });
      for (let passed = 0; passed < 10 * MINUTE; passed += SECOND) {
        for (const tab of tabs) tab.act();
        await world.advance(SECOND);
      }
      const beats = world.sentTo('heartbeat');
      expect(beats.length).toBeGreaterThanOrEqual(10);
      expect(beats.length).toBeLessThanOrEqual(11);
      beats
        .slice(1)
        .forEach(({ at }, n) => expect(at - (beats[n]?.at ?? 0)).toBeGreaterThan(59 * SECOND));
    });

    it('sends no more from a person who types in one and then another, with slow answers', async () => {
      const { world, tabs } = await signedIn({ tabs: 3 });
      world.latencyMs = 700;
      for (let n = 0; n < 600; n++) {
        tabs[n % 3]?.act();
        await world.advance(SECOND);
      }
      const beats = world.sentTo('heartbeat');
      expect(beats.length).toBeLessThanOrEqual(11);
      expect(world.time - world.server.lastActivityAt()).toBeLessThan(62 * SECOND);
    });

    it('sends no more where one polls and another is typed in', async () => {
      const { world, tabs } = await signedIn({ tabs: 2 });
      const [typing, polling] = tabs as [FakeTab, FakeTab];
      world.latencyMs = 600;
      for (let n = 0; n < 600; n++) {
        typing.act();
        polling.act();
        void polling.fetch('passive');
        await world.advance(SECOND);
      }
      expect(world.sentTo('heartbeat').length).toBeLessThanOrEqual(11);
      expect(world.sentTo('heartbeat').length).toBeGreaterThanOrEqual(8);
    });

    it('keeps all active with what happens in one, also those in the background (react-idle-timer 289, 293)', async () => {
      const { world, tabs } = await signedIn({ tabs: 3 });
      for (const tab of tabs.slice(1)) tab.page('hidden');
      await type(world, tabs[0] as FakeTab, HOUR);
      for (const { state, states } of tabs) {
        expect(state.state).toBe('active');
        expect(states.map((one) => one.state)).not.toContain('warning');
      }
    });

    it('closes the warning in all within a second after one extends', async () => {
      const { world, tabs } = await warned({ tabs: 3 });
      void tabs[0]?.session.extend();
      await world.advance(SECOND);
      for (const { state } of tabs) {
        expect(state).toMatchObject({ state: 'active', covered: false, failed: false });
        expectNear((state.expiresAt ?? 0) - world.wall, END);
      }
      const sent = world.sent.length;
      await world.advance(WARNING - 5 * SECOND);
      expect(world.sent.length).toBe(sent);
    });

    it.each(['quick', 'slow'] as const)(
      'are all signed out within a second after one is, on a network that was %s (hmrc-frontend 522)',
      async (network) => {
        const { world, tabs } = await signedIn({ tabs: 3 });
        const [first, second] = tabs as [FakeTab, FakeTab];
        if (network === 'slow') {
          world.latencyMs = 2000;
          // Asked before the session ended, and not answered yet.
          second.page('online');
          await world.advance(2100);
          world.latencyMs = 20;
        }
        void first.session.signOut();
        await world.advance(SECOND);
        for (const { state } of tabs) {
          expect(state).toMatchObject({ state: 'signed-out', reason: 'signed-out', covered: true });
        }
      },
    );

    it.each<Network>(['down', 'hanging', 'failing', 'redirecting', 'refusing', 'lying'])(
      'are all covered within a second after one is signed out, though for the others the network is %s',
      async (network) => {
        const { world, tabs } = await signedIn({ tabs: 3 });
        void tabs[0]?.session.signOut();
        await world.advance(30);
        world.network = network;
        await world.advance(970);
        for (const { state } of tabs) expect(state.covered).toBe(true);
        await world.advance(5 * MINUTE);
        for (const { state } of tabs) expect(state.covered).toBe(true);
        world.network = 'up';
        await world.advance(41 * SECOND);
        for (const { state } of tabs) {
          expect(state).toMatchObject({ state: 'signed-out', reason: 'signed-out' });
        }
      },
    );

    it('ask no more than once each when one is told of the end', async () => {
      const { world, tabs } = await signedIn({ tabs: 10 });
      world.server.end('revoked');
      const sent = world.sent.length;
      void tabs[0]?.fetch();
      await world.advance(SECOND);
      for (const { state } of tabs) expect(state.state).toBe('expired');
      expect(world.sent.length - sent).toBe(10);
    });

    it('ask once, however many tell them of the end', async () => {
      const { world, tab } = await signedIn();
      world.latencyMs = 200;
      const sent = world.sent.length;
      for (let n = 0; n < 10; n++) {
        tab.receiveMessage({ ...messageOf(world), ended: 'idle' });
        await world.advance(10);
      }
      await world.advance(SECOND);
      expect(world.sent.length - sent).toBe(1);
    });

    it.each<EndReason>(['idle', 'signed-out'])(
      'cover the page but sign out nobody who is told to be %s and whom the server holds alive',
      async (ended) => {
        const { world, tab } = await signedIn();
        await world.advance(MINUTE);
        for (let n = 0; n < 2; n++) {
          tab.receiveMessage({ ...messageOf(world), ended });
          expect(tab.state).toMatchObject({ state: 'active', covered: true, reason: null });
          await world.advance(SECOND);
          expect(tab.state).toMatchObject({ state: 'active', covered: false, online: true });
        }
        await timeUntil(world, () => tab.state.state === 'warning');
        expectNear(world.time, WARNING);
      },
    );

    it.each<Network>(['down', 'hanging', 'failing', 'redirecting', 'refusing', 'lying'])(
      'stay covered until they can ask whether it ended, network %s',
      async (network) => {
        for (const alive of [true, false]) {
          const { world, tab } = await signedIn();
          world.network = network;
          tab.receiveMessage({ ...messageOf(world), ended: 'idle' });
          await world.advance(MINUTE);
          expect(tab.state).toMatchObject({ covered: true, online: false, reason: null });
          if (!alive) world.server.end('idle');
          world.network = 'up';
          await world.advance(41 * SECOND);
          if (alive) expect(tab.state).toMatchObject({ state: 'active', covered: false });
          else expect(tab.state).toMatchObject({ state: 'expired', reason: 'idle' });
        }
      },
    );

    it('do not go by what the server said before another was told of the end', async () => {
      const { world, tabs } = await signedIn({ tabs: 2 });
      const [told, asking] = tabs as [FakeTab, FakeTab];
      world.tardyMs = 300;
      asking.page('online');
      void asking.fetch('passive');
      await world.advance(100);
      world.tardyMs = 0;
      world.server.end('revoked');
      void told.fetch();
      await timeUntil(world, () => asking.state.covered);
      for (let waited = 0; waited < SECOND; waited += 10) {
        await world.advance(10);
        expect(asking.state.covered).toBe(true);
      }
      expect(asking.state).toMatchObject({ state: 'expired', reason: 'revoked' });
    });

    it('all expire within a second, with the reason', async () => {
      const { world, tabs } = await signedIn({ tabs: 3 });
      tabs[1]?.page('hidden');
      await world.advance(6 * MINUTE);
      world.server.end('revoked');
      void tabs[0]?.fetch();
      await world.advance(SECOND);
      for (const { state } of tabs)
        expect(state).toMatchObject({ state: 'expired', reason: 'revoked' });
    });

    it('do not mind words about another session', async () => {
      const { world, tab } = await signedIn();
      const before = tab.state;
      const sent = world.sent.length;
      const message = { ...messageOf(world), sessionRef: 'session-of-another-person' };
      tab.receiveMessage(message);
      tab.receiveMessage({ ...message, ended: 'signed-out' });
      await world.advance(MINUTE);
      expect(tab.state).toBe(before);
      expect(world.sent.length).toBe(sent);
    });

    it('do not mind words that are older than what they know', async () => {
      const { world, tab } = await signedIn();
      await world.advance(5 * MINUTE);
      void tab.fetch();
      await world.advance(SECOND);
      const before = tab.state;
      for (const expiresAt of [world.wall, world.wall + HOUR]) {
        tab.receiveMessage({
          sessionRef: 'session-1',
          requestedAt: world.wall - MINUTE,
          expiresAt,
          locksAt: Infinity,
          lastHeartbeatAt: world.wall - MINUTE,
        });
      }
      await world.advance(SECOND);
      expect(tab.state).toBe(before);
    });

    it.each<[string, Partial<TabMessage>]>([
      ['heartbeat', { lastHeartbeatAt: 1e15 }],
      ['heartbeat', { lastHeartbeatAt: Infinity }],
      ['end', { expiresAt: 1e15 }],
    ])(
      'keep a person who types though one tells of a %s that is in the future: %j',
      async (_, wrong) => {
        const { world, tab } = await signedIn();
        await world.advance(MINUTE);
        tab.receiveMessage({ ...messageOf(world), expiresAt: world.wall + END, ...wrong });
        await type(world, tab, 20 * MINUTE);
        expect(world.time - world.server.lastActivityAt()).toBeLessThan(66 * SECOND);
      },
    );

    it('go on sending while another is frozen with the lock in its hands (react-idle-timer 405)', async () => {
      const { world, tabs } = await signedIn({ tabs: 2 });
      const [frozen, typing] = tabs as [FakeTab, FakeTab];
      await world.advance(2 * MINUTE);
      frozen.act();
      await world.advance(5);
      frozen.freeze();
      expect(frozen.sentTo('heartbeat').length).toBeGreaterThan(0);
      await type(world, typing, 20 * MINUTE);
      // Each waits for the lock before it is sent without.
      expect(typing.sentTo('heartbeat').length).toBeGreaterThanOrEqual(16);
      expect(typing.sentTo('heartbeat').length).toBeLessThanOrEqual(21);
      expect(world.time - world.server.lastActivityAt()).toBeLessThan(
        MINUTE + LOCK_TIMEOUT_MS + 4 * SECOND,
      );
      expect(typing.state.state).toBe('active');
    });

    it('go on sending where there are no locks', async () => {
      const { world, tab } = await signedIn({ tabs: 2 });
      world.hasLocks = false;
      await type(world, tab, 20 * MINUTE);
      expect(world.sentTo('heartbeat').length).toBeLessThanOrEqual(21);
      expect(tab.state.state).toBe('active');
    });

    it('warn though one of them is frozen (react-idle-timer 405)', async () => {
      const { world, tabs } = await signedIn({ tabs: 3 });
      tabs[0]?.freeze();
      await world.advance(WARNING);
      expect(tabs.map(({ state }) => state.state)).toEqual(['active', 'warning', 'warning']);
    });

    it('are not misled by a frozen one that goes on, nor is that one by what it missed', async () => {
      const { world, tabs } = await signedIn({ tabs: 2 });
      const [frozen, typing] = tabs as [FakeTab, FakeTab];
      frozen.freeze();
      await type(world, typing, 40 * MINUTE);
      frozen.thaw();
      await world.advance(SECOND);
      const { state } = typing;
      for (const tab of tabs) {
        expect(tab.state.state).toBe('active');
        expectNear((tab.state.expiresAt ?? 0) - world.wall, world.server.deadline() - world.time);
        expect(tab.states.map((one) => one.state)).not.toContain('expired');
      }
      expectNear(typing.state.expiresAt ?? 0, state.expiresAt ?? 0, MINUTE);
      expectSound(world);
    });

    it('hear late of an end from a frozen one, and know it then', async () => {
      const { world, tabs } = await signedIn({ tabs: 2 });
      const [frozen, other] = tabs as [FakeTab, FakeTab];
      frozen.freeze();
      void other.session.signOut();
      await world.advance(5 * MINUTE);
      expect(frozen.state.state).toBe('active');
      frozen.thaw();
      await world.advance(SECOND);
      expect(frozen.state.state).toBe('signed-out');
    });

    it('learn of an end in one, though its answer about it was lost', async () => {
      const { world, tabs } = await signedIn({ tabs: 2 });
      world.network = 'deaf';
      void tabs[0]?.session.signOut();
      await world.advance(SECOND);
      world.network = 'up';
      expect(tabs[0]?.state).toMatchObject({ state: 'active', failed: true });
      tabs[1]?.page('online');
      await world.advance(SECOND);
      for (const { state } of tabs) expect(state.state).toBe('signed-out');
    });
  });
});
