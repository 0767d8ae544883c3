import { describe, expect, it } from '@jest/globals';
import { MINUTE, SECOND, type FakeTab, type Network } from '../../testing/fake-world.js';
import { expectNear, signedIn, timeUntil, type, warned } from '../../testing/scenario.js';
import '../../testing/quiet-console.js';

describe('IdleSession', () => {
  describe('with a server that cannot be asked', () => {
    it.each<Network>(['down', 'hanging', 'failing', 'redirecting', 'deaf', 'refusing', 'lying'])(
      'covers the page at the deadline, network %s, but takes nobody for signed out (django-session-security 95)',
      async (network) => {
        const { world, tab } = await signedIn();
        world.network = network;
        await world.advance(20 * MINUTE);
        expect(tab.state).toMatchObject({ state: 'warning', covered: true, reason: null });
        expect(tab.states.map(({ state }) => state)).not.toContain('expired');
        world.network = 'up';
        await world.advance(41 * SECOND);
        expect(tab.state).toMatchObject({ state: 'expired', reason: 'idle', online: true });
      },
    );

    it.each<Network>(['down', 'hanging', 'failing', 'redirecting', 'refusing', 'lying'])(
      'goes on, uncovered, when the server holds the session alive after a network that was %s (django-session-security 94)',
      async (network) => {
        const { world, tab } = await signedIn();
        world.network = network;
        await world.advance(14.9 * MINUTE);
        // Another browser's page of the same session, say, behind a network that works.
        world.server.handle('busy', undefined);
        await world.advance(5 * MINUTE);
        expect(tab.state.covered).toBe(true);
        world.network = 'up';
        await world.advance(41 * SECOND);
        expect(tab.state).toMatchObject({ state: 'active', covered: false, online: true });
        expectNear((tab.state.expiresAt ?? 0) - world.wall, world.server.deadline() - world.time);
      },
    );

    it.each(['hidden', 'leaving'] as const)(
      'tries again to tell what it could not when it was %s',
      async (event) => {
        const { world, tab } = await signedIn();
        await type(world, tab, 90 * SECOND);
        const last = world.time;
        await world.advance(2 * SECOND);
        world.network = 'down';
        tab.page(event);
        await world.advance(SECOND);
        world.network = 'up';
        await world.advance(5 * SECOND);
        expectNear(world.server.lastActivityAt(), last, 100);
        expect(tab.state.online).toBe(true);
      },
    );

    it('tries again to reach the server after it could not sign out', async () => {
      const { world, tab } = await signedIn();
      world.network = 'down';
      void tab.session.signOut();
      await world.advance(SECOND);
      expect(tab.state).toMatchObject({ state: 'active', online: false, failed: true });
      world.network = 'up';
      await world.advance(5 * SECOND);
      expect(tab.state).toMatchObject({ state: 'active', online: true });
    });

    it.each<Network>(['down', 'failing', 'redirecting', 'refusing', 'lying'])(
      'says that it is not online on a network that is %s, and when it is again',
      async (network) => {
        const { world, tab } = await signedIn();
        world.network = network;
        tab.page('online');
        await world.advance(SECOND);
        expect(tab.state).toMatchObject({ state: 'active', online: false });
        world.network = 'up';
        await world.advance(5 * SECOND);
        expect(tab.state).toMatchObject({ state: 'active', online: true });
      },
    );

    it.each<Network>(['down', 'failing', 'redirecting', 'refusing', 'lying'])(
      'says so at the deadline, as soon as it knows, on a network that is %s',
      async (network) => {
        const { world, tab } = await warned();
        world.network = network;
        await timeUntil(world, () => tab.state.covered);
        await world.advance(100);
        expect(tab.state).toMatchObject({ state: 'warning', covered: true, online: false });
      },
    );

    it('is online again when the server is heard through a response or another tab', async () => {
      for (const from of [0, 1]) {
        const { world, tabs } = await signedIn({ tabs: 2 });
        const [tab] = tabs as [FakeTab];
        await world.advance(MINUTE);
        world.network = 'down';
        tab.page('online');
        await world.advance(100);
        world.network = 'up';
        void tabs[from]?.fetch();
        await world.advance(SECOND);
        expect(tab.state.online).toBe(true);
      }
    });

    it('asks less and less often, but at least every 30 seconds', async () => {
      const { world, tab } = await signedIn();
      world.network = 'down';
      tab.page('online');
      await world.advance(10 * MINUTE);
      const times = world.sent.slice(1).map(({ at }) => at);
      const gaps = times.slice(1).map((at, n) => at - (times[n] ?? 0));
      expect(gaps.length).toBeLessThan(25);
      gaps.forEach((gap, n) =>
        expect(gap).toBeGreaterThan(Math.min(29 * SECOND, (gaps[n - 1] ?? 0) - 50)),
      );
      expectNear(gaps[0] ?? NaN, 2 * SECOND, 100);
      gaps.forEach((gap) => expect(gap).toBeLessThan(30 * SECOND + 100));
      expect(gaps.slice(6).every((gap) => gap > 29 * SECOND)).toBe(true);
    });

    it('asks at once when the network is said to be back', async () => {
      const { world, tab } = await signedIn();
      world.network = 'down';
      await world.advance(20 * MINUTE);
      expect(tab.state.covered).toBe(true);
      world.network = 'up';
      tab.page('online');
      await world.advance(100);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'idle' });
    });

    it('keeps a person who typed through an outage over the time of the warning', async () => {
      const { world, tab } = await signedIn();
      await world.advance(MINUTE);
      world.network = 'down';
      await type(world, tab, 12.5 * MINUTE);
      world.network = 'up';
      await world.advance(31 * SECOND);
      expect(tab.state).toMatchObject({ state: 'active', covered: false });
      expectNear(world.server.lastActivityAt(), 13.5 * MINUTE, 80 * SECOND);
    });

    it('does not forget in an outage what the person did before it', async () => {
      const { world, tab } = await signedIn();
      await type(world, tab, 2 * MINUTE);
      const last = world.time;
      world.network = 'failing';
      await world.advance(5 * MINUTE);
      world.network = 'up';
      await world.advance(2 * MINUTE);
      expectNear(world.server.lastActivityAt(), last, 100);
    });

    it.each<Network>(['refusing', 'failing', 'lying'])(
      'does not ask without pause where each answer is of no use: network %s',
      async (network) => {
        for (const observersFirst of [true, false]) {
          const { world, tab } = await signedIn();
          world.observersFirst = observersFirst;
          await type(world, tab, 90 * SECOND);
          const sent = world.sent.length;
          world.network = network;
          await type(world, tab, 5 * MINUTE);
          expect(world.sent.length - sent).toBeLessThan(45);
        }
      },
    );

    it('asks once where the app itself answers 401, for a wrong password say', async () => {
      const { world, tab } = await signedIn();
      world.network = 'refusing';
      void tab.fetch();
      await world.advance(25);
      world.network = 'up';
      await world.advance(MINUTE);
      expect(tab.state.state).toBe('active');
      expect(world.sentTo('status').length).toBe(2);
    });

    it('asks for the status where only heartbeats are refused', async () => {
      for (const status of [401, 403, 404, 500]) {
        const { world, tab } = await signedIn();
        world.network = 'down';
        tab.page('online');
        await world.advance(SECOND);
        world.network = 'up';
        await world.advance(5 * SECOND);
        world.intercept = (path) =>
          path === 'heartbeat' ? { status, body: undefined } : undefined;
        await type(world, tab, 70 * SECOND);
        world.server.end('revoked');
        await type(world, tab, 70 * SECOND);
        expect(tab.state).toMatchObject({ state: 'expired', reason: 'revoked' });
      }
    });

    it('does not ask in two ways at a time where neither reaches anybody', async () => {
      const { world, tab } = await signedIn();
      await type(world, tab, 90 * SECOND);
      world.network = 'down';
      tab.act();
      await world.advance(5 * MINUTE);
      expect(world.sentTo('heartbeat').length).toBeGreaterThan(10);
      expect(world.sentTo('status').length).toBe(1);
    });

    it('is online again when it is told of the end by the answer to a heartbeat', async () => {
      const { world, tab } = await signedIn();
      await type(world, tab, 90 * SECOND);
      world.network = 'down';
      await type(world, tab, MINUTE);
      expect(tab.state.online).toBe(false);
      world.server.end('revoked');
      world.network = 'up';
      await world.advance(31 * SECOND);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'revoked', online: true });
    });

    it('is told by any response of the page that the session ended', async () => {
      const { world, tab } = await signedIn();
      world.server.end('absolute');
      void tab.fetch();
      await world.advance(SECOND);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'absolute' });
    });

    it('does not take the status of something else for an end', async () => {
      const { world, tab } = await signedIn();
      world.intercept = () => ({ status: 200, body: { state: 'active' } });
      tab.page('online');
      await world.advance(SECOND);
      expect(tab.state).toMatchObject({ state: 'active', covered: false });
      world.intercept = undefined;
      await world.advance(31 * SECOND);
      expect(tab.state.state).toBe('active');
      expectNear((tab.state.expiresAt ?? 0) - world.wall, world.server.deadline() - world.time);
    });
  });
});
