import { describe, expect, it } from '@jest/globals';
import { FakeWorld, MINUTE, SECOND, type Network } from '../../testing/fake-world.js';
import { END, expectNear, signedIn, timeUntil, type, warned } from '../../testing/scenario.js';
import '../../testing/quiet-console.js';

describe('IdleSession', () => {
  describe('extend()', () => {
    it('goes through extending to active', async () => {
      const { world, tab } = await warned();
      const told = tab.states.length;
      const extended = tab.session.extend();
      expect(tab.state).toMatchObject({ state: 'extending', failed: false });
      await world.advance(SECOND);
      await expect(extended).resolves.toBe(true);
      expect(tab.state).toMatchObject({ state: 'active', failed: false, covered: false });
      const states = tab.states.slice(told).map(({ state }) => state);
      expect(states[0]).toBe('extending');
      expect(states).not.toContain('warning');
      expectNear(world.server.deadline(), world.time + END);
      expectNear((tab.state.expiresAt ?? 0) - world.wall, END);
      expect(world.sentTo('heartbeat').map(({ idleForMs }) => idleForMs)).toEqual([0]);
    });

    it('can be done ten times and more, each with its warning', async () => {
      const { world, tab } = await signedIn();
      for (let n = 0; n < 12; n++) {
        await timeUntil(world, () => tab.state.state === 'warning');
        expect(world.server.evaluation()?.state).toBe('warning');
        void tab.session.extend();
        await world.advance(SECOND);
        expect(tab.state.state).toBe('active');
      }
    });

    it.each<Network>(['down', 'hanging', 'failing', 'redirecting', 'deaf', 'refusing', 'lying'])(
      'says that it failed on a network that is %s, counts on and can be tried again (umbraco 22986)',
      async (network) => {
        const { world, tab } = await warned();
        const { expiresAt } = tab.state;
        world.network = network;
        const extended = tab.session.extend();
        await world.advance(11 * SECOND);
        await expect(extended).resolves.toBe(false);
        expect(tab.state).toMatchObject({ state: 'warning', failed: true, covered: false });
        expectNear(tab.state.expiresAt ?? 0, expiresAt ?? NaN, 100);
        world.network = 'up';
        const again = tab.session.extend();
        expect(tab.state).toMatchObject({ state: 'extending', failed: false });
        await world.advance(SECOND);
        await expect(again).resolves.toBe(true);
        expect(tab.state).toMatchObject({ state: 'active', failed: false, online: true });
      },
    );

    it('still shows that it failed after the server has been asked again', async () => {
      const { world, tab } = await warned();
      world.network = 'failing';
      void tab.session.extend();
      await world.advance(SECOND);
      world.network = 'up';
      await world.advance(15 * SECOND);
      expect(tab.state).toMatchObject({ state: 'warning', failed: true });
    });

    it('ends where the server says that it is too late', async () => {
      const { world, tab } = await warned();
      world.server.end('revoked');
      const extended = tab.session.extend();
      await world.advance(SECOND);
      await expect(extended).resolves.toBe(false);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'revoked', failed: false });
    });

    it('is not taken for done where there is no session any more', async () => {
      const { world, tab } = await warned();
      world.server.cookie = null;
      const extended = tab.session.extend();
      await world.advance(SECOND);
      await expect(extended).resolves.toBe(false);
      expect(tab.state.state).toMatch(/expired|signed-out/);
    });

    it('resolves true near the absolute limit, and the warning stays without a failure', async () => {
      const policy = { absoluteTimeoutMs: 20 * MINUTE };
      const { world, tab } = await signedIn({ policy });
      await type(world, tab, 17 * MINUTE);
      await world.advance(90 * SECOND);
      expect(tab.state.state).toBe('warning');
      const extended = tab.session.extend();
      await world.advance(SECOND);
      await expect(extended).resolves.toBe(true);
      expect(tab.state).toMatchObject({ state: 'warning', failed: false });
      await world.advance(2 * MINUTE);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'absolute' });
    });

    it('done twice at once is done, and sent once', async () => {
      const { world, tab } = await warned();
      const both = [tab.session.extend(), tab.session.extend()];
      await world.advance(SECOND);
      await expect(Promise.all(both)).resolves.toEqual([true, true]);
      expect(world.sentTo('heartbeat').length).toBe(1);
    });

    it('does something before the warning, too', async () => {
      const { world, tab } = await signedIn();
      await world.advance(5 * MINUTE);
      const extended = tab.session.extend();
      await world.advance(SECOND);
      await expect(extended).resolves.toBe(true);
      expectNear(world.server.deadline(), world.time + END);
      expect(tab.states.map(({ state }) => state)).not.toContain('extending');
    });

    it('does nothing where there is no session', async () => {
      const world = new FakeWorld();
      const tab = world.open();
      await world.advance(SECOND);
      await expect(tab.session.extend()).resolves.toBe(false);
      expect(world.sentTo('heartbeat').length).toBe(0);
    });

    it('that is not answered by the deadline neither hides the end nor invents one', async () => {
      const { world, tab } = await warned();
      await world.advance(115 * SECOND);
      world.network = 'hanging';
      void tab.session.extend();
      await world.advance(30 * SECOND);
      expect(tab.state).toMatchObject({ state: 'warning', covered: true, failed: true });
      world.network = 'up';
      await world.advance(40 * SECOND);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'idle' });
    });
  });

  describe('signOut()', () => {
    it('ends the session', async () => {
      const { world, tab } = await signedIn();
      const done = tab.session.signOut();
      await world.advance(SECOND);
      await expect(done).resolves.toBe(true);
      expect(tab.state).toMatchObject({ state: 'signed-out', reason: 'signed-out', covered: true });
      expect(world.server.isAlive()).toBe(false);
    });

    it('is the reason of the end also where the time is up before the server answers', async () => {
      const { world, tab } = await signedIn();
      await world.advance(END - 2 * SECOND);
      world.network = 'hanging';
      const done = tab.session.signOut();
      world.network = 'up';
      await world.advance(5 * SECOND);
      expect(tab.state).toMatchObject({ state: 'signed-out', reason: 'signed-out' });
      await world.advance(20 * SECOND);
      await done;
      expect(tab.state).toMatchObject({ state: 'signed-out', failed: false });
    });

    it.each<Network>(['down', 'hanging', 'failing', 'redirecting', 'refusing', 'lying'])(
      'says that it failed on a network that is %s, and changes nothing',
      async (network) => {
        for (const { world, tab } of [await signedIn(), await warned()]) {
          const before = tab.state.state;
          world.network = network;
          const done = tab.session.signOut();
          await world.advance(11 * SECOND);
          await expect(done).resolves.toBe(false);
          expect(tab.state).toMatchObject({ state: before, failed: true, reason: null });
          world.network = 'up';
          const again = tab.session.signOut();
          await world.advance(SECOND);
          await expect(again).resolves.toBe(true);
          expect(tab.state).toMatchObject({ state: 'signed-out', failed: false });
        }
      },
    );
  });
});
