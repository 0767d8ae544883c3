import { describe, expect, it } from '@jest/globals';
import { FakeWorld, HOUR, MINUTE, SECOND, type FakeTab } from '../../testing/fake-world.js';
import {
  END,
  TOLERANCE,
  WARNING,
  expectNear,
  expectSound,
  signedIn,
  timeUntil,
  type,
  warned,
} from '../../testing/scenario.js';

describe('IdleSession', () => {
  describe('with sleep and clocks that are set', () => {
    it.each([10 * SECOND, 5 * MINUTE, 13.5 * MINUTE, 14.9 * MINUTE, 15.1 * MINUTE, 8 * HOUR])(
      'is where the server is five seconds after %d ms of sleep, with the page on screen (react-idle-timer 172, 281, 388; django-session-security 113)',
      async (slept) => {
        const { world, tab } = await signedIn();
        world.sleep(slept);
        await world.advance(6 * SECOND);
        expect(tab.state.state).toBe(world.server.evaluation()?.state);
        if (world.server.isAlive()) {
          expectNear((tab.state.expiresAt ?? 0) - world.wall, world.server.deadline() - world.time);
        }
        expectSound(world);
      },
    );

    it('keeps a person who comes back from sleep in time, and goes on typing', async () => {
      const { world, tab } = await signedIn();
      await type(world, tab, 90 * SECOND);
      world.sleep(12 * MINUTE);
      await type(world, tab, 5 * MINUTE);
      expect(world.server.isAlive()).toBe(true);
      expect(tab.state.state).toBe('active');
      expect(tab.states.map(({ state }) => state)).not.toContain('expired');
    });

    it('does not take what happened before sleep for what happened after', async () => {
      const { world, tab } = await signedIn();
      await type(world, tab, 90 * SECOND);
      const last = world.time;
      world.sleep(10 * MINUTE);
      await world.advance(2 * MINUTE);
      expect(world.server.lastActivityAt()).toBeLessThanOrEqual(last + 100);
    });

    it('does not take the answer to a request from before sleep for a new one', async () => {
      const { world, tab } = await signedIn();
      await world.advance(MINUTE);
      void tab.fetch('passive');
      await world.advance(30);
      world.sleep(10 * MINUTE);
      await world.advance(6 * SECOND);
      expectNear((tab.state.expiresAt ?? 0) - world.wall, world.server.deadline() - world.time);
    });

    it('does not even where it has asked before it hears that answer', async () => {
      const world = new FakeWorld();
      world.server.signIn();
      const tab = world.open();
      await world.advance(5 * SECOND - 50);
      world.tardyMs = 200;
      void tab.fetch('passive');
      world.tardyMs = 0;
      // The server has answered, and the answer is on its way.
      await world.advance(25);
      world.sleep(10 * MINUTE);
      await world.advance(6 * SECOND);
      expect(world.sentTo('status').length).toBe(2);
      expectNear((tab.state.expiresAt ?? 0) - world.wall, world.server.deadline() - world.time);
    });

    it('covers the page on waking after the end, while it asks', async () => {
      const { world, tab } = await signedIn();
      world.sleep(HOUR);
      world.network = 'hanging';
      await world.advance(5 * SECOND);
      expect(tab.state).toMatchObject({ covered: true, reason: null });
      world.network = 'up';
      await world.advance(41 * SECOND);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'idle' });
    });

    it.each([-10 * HOUR, -HOUR, -10 * MINUTE, -MINUTE, MINUTE, 10 * MINUTE, HOUR, 10 * HOUR])(
      'keeps a person who types while the clock is set by %d ms',
      async (jump) => {
        const { world, tab } = await signedIn();
        await type(world, tab, 90 * SECOND);
        world.jump(jump);
        await type(world, tab, HOUR);
        expect(world.server.isAlive()).toBe(true);
        expect(tab.state.state).toBe('active');
        const states = new Set(tab.states.map(({ state }) => state));
        expect(states).toEqual(new Set(['active']));
        expect(world.time - world.server.lastActivityAt()).toBeLessThan(66 * SECOND);
        expect(world.sentTo('heartbeat').length).toBeLessThan(68);
        expectSound(world);
      },
    );

    it.each([-10 * HOUR, -HOUR, -10 * MINUTE, -MINUTE, MINUTE, 10 * MINUTE, HOUR, 10 * HOUR])(
      'warns and ends at the right second, and shows the right time, though the clock is set by %d ms',
      async (jump) => {
        const { world, tab } = await signedIn();
        await world.advance(MINUTE);
        world.jump(jump);
        await world.advance(6 * SECOND);
        expectNear((tab.state.expiresAt ?? 0) - world.wall, world.server.deadline() - world.time);
        await timeUntil(world, () => tab.state.state === 'warning');
        expectNear(world.time, WARNING);
        expectNear((tab.state.expiresAt ?? 0) - world.wall, world.server.deadline() - world.time);
        await timeUntil(world, () => tab.state.state === 'expired');
        expectNear(world.time, END);
      },
    );

    it.each([-10 * HOUR, -2 * HOUR, -MINUTE, MINUTE, 2 * HOUR, 10 * HOUR])(
      'warns and ends at the right second in a browser whose clock is wrong by %d ms (verify-frontend 695)',
      async (wrong) => {
        const world = new FakeWorld();
        world.jump(wrong);
        world.server.signIn();
        const tab = world.open();
        await timeUntil(world, () => tab.state.state === 'warning');
        expectNear(world.time, WARNING);
        expectNear((tab.state.expiresAt ?? 0) - world.wall, world.server.deadline() - world.time);
        await timeUntil(world, () => tab.state.state === 'expired');
        expectNear(world.time, END);
      },
    );

    it.each([
      ['status', 100],
      ['status', 10 * SECOND],
      ['extend', 100],
      ['extend', 10 * SECOND],
      ['fetch', 100],
      ['fetch', 10 * SECOND],
    ])(
      'is not misled by the answer to a %s from before 40 seconds of sleep that a clock set back has hidden, heard after %d ms',
      async (asked, heardAfter) => {
        const { world, tabs } = await signedIn({ tabs: 2 });
        const [frozen] = tabs as [FakeTab];
        await world.advance(MINUTE);
        if (asked === 'status') frozen.page('online');
        else if (asked === 'extend') void frozen.session.extend();
        else void frozen.fetch();
        await world.advance(25);
        frozen.freeze();
        world.sleep(40 * SECOND);
        world.jump(-HOUR);
        await world.advance(heardAfter);
        frozen.thaw();
        await world.advance(SECOND);
        for (const { state } of tabs) {
          expectNear((state.expiresAt ?? 0) - world.wall, world.server.deadline() - world.time);
        }
      },
    );

    it('is not misled by such an answer either while nobody can be asked', async () => {
      const { world, tab } = await signedIn();
      await world.advance(MINUTE);
      void tab.session.extend();
      await world.advance(25);
      tab.freeze();
      world.sleep(40 * SECOND);
      world.jump(-HOUR);
      world.network = 'down';
      tab.thaw();
      await world.advance(SECOND);
      const left = (tab.state.expiresAt ?? 0) - world.wall;
      expect(left).toBeLessThan(world.server.deadline() - world.time + TOLERANCE);
      world.network = 'up';
      await world.advance(5 * SECOND);
      expectNear((tab.state.expiresAt ?? 0) - world.wall, world.server.deadline() - world.time);
    });

    it('does not take late words for newer than they are when the clock was set back since', async () => {
      const { world, tabs } = await signedIn({ tabs: 2 });
      const [frozen, other] = tabs as [FakeTab, FakeTab];
      frozen.freeze();
      await type(world, other, 10 * MINUTE);
      await world.advance(10 * MINUTE);
      world.jump(-8 * MINUTE);
      world.network = 'down';
      frozen.thaw();
      await world.advance(SECOND);
      const left = (frozen.state.expiresAt ?? 0) - world.wall;
      expect(left).toBeLessThan(world.server.deadline() - world.time + TOLERANCE);
    });

    it.each([-HOUR, HOUR])(
      'counts on and can be extended when the clock is set by %d ms while it warns',
      async (jump) => {
        const { world, tab } = await warned();
        world.jump(jump);
        await world.advance(2 * SECOND);
        expect(tab.state).toMatchObject({ state: 'warning', covered: false });
        expectNear((tab.state.expiresAt ?? 0) - world.wall, world.server.deadline() - world.time);
        void tab.session.extend();
        await world.advance(SECOND);
        expect(tab.state.state).toBe('active');
        expectNear((tab.state.expiresAt ?? 0) - world.wall, END);
      },
    );

    it.each([-HOUR, HOUR])(
      'reaches the other tabs as before after the clock was set by %d ms',
      async (jump) => {
        const { world, tabs } = await warned({ tabs: 2 });
        world.jump(jump);
        await world.advance(SECOND);
        void tabs[0]?.session.extend();
        await world.advance(SECOND);
        for (const { state } of tabs) {
          expect(state.state).toBe('active');
          expectNear((state.expiresAt ?? 0) - world.wall, END);
        }
      },
    );

    it.each([-HOUR, HOUR])(
      'hears responses as before after the clock was set by %d ms',
      async (jump) => {
        const { world, tab } = await warned();
        world.jump(jump);
        await world.advance(SECOND);
        void tab.fetch();
        await world.advance(SECOND);
        expect(tab.state.state).toBe('active');
      },
    );

    it.each([-HOUR, HOUR])(
      'is not misled by words from before the clock was set by %d ms, heard late',
      async (jump) => {
        const { world, tabs } = await signedIn({ tabs: 2 });
        const [frozen, other] = tabs as [FakeTab, FakeTab];
        frozen.freeze();
        await world.advance(MINUTE);
        void other.fetch();
        await world.advance(SECOND);
        world.jump(jump);
        await world.advance(SECOND);
        world.network = 'down';
        frozen.thaw();
        await world.advance(SECOND);
        // Later than that, the server would not let it be.
        expect((frozen.state.expiresAt ?? 0) - world.wall).toBeLessThan(END);
        world.network = 'up';
        await world.advance(5 * SECOND);
        expect(frozen.state.state).toBe('active');
        expectNear(
          (frozen.state.expiresAt ?? 0) - world.wall,
          world.server.deadline() - world.time,
        );
      },
    );
  });
});
