import { describe, expect, it, jest } from '@jest/globals';
import { HOUR, MINUTE, SECOND, type FakeTab, type Network } from '../../testing/fake-world.js';
import { END, WARNING, signedIn, type } from '../../testing/scenario.js';
import '../../testing/quiet-console.js';

describe('IdleSession', () => {
  describe('for those who watch', () => {
    it('has the same state until something changed, and a new one then', async () => {
      const { world, tab } = await signedIn();
      const before = tab.state;
      expect(tab.session.getState()).toBe(before);
      await world.advance(MINUTE);
      expect(tab.session.getState()).toBe(before);
      void tab.session.extend();
      await world.advance(SECOND);
      expect(tab.session.getState()).not.toBe(before);
      expect(before.state).toBe('active');
    });

    it('keeps to what useSyncExternalStore asks of a store', async () => {
      const { world, tab } = await signedIn();
      const { subscribe, getState } = tab.session;
      // As React does: read while rendering, read again after subscribing and at each call, render if it is another.
      let rendered = getState();
      let renders = 0;
      const check = () => {
        const snapshot = getState();
        expect(getState()).toBe(snapshot);
        if (Object.is(rendered, snapshot)) return;
        rendered = snapshot;
        renders++;
      };
      const unsubscribe = subscribe(check);
      check();
      let calls = 0;
      subscribe(() => calls++);
      await world.advance(WARNING);
      void tab.session.extend();
      await world.advance(SECOND);
      await type(world, tab, 5 * MINUTE);
      expect(rendered).toBe(getState());
      expect(renders).toBe(calls);
      unsubscribe();
      await world.advance(HOUR);
      expect(renders).toBeLessThan(calls);
      expect(rendered).not.toBe(getState());
    });

    it('tells each of them, and goes on though one of them throws', async () => {
      const { world, tab } = await signedIn();
      const later = jest.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => {});
      let calls = 0;
      tab.session.subscribe(() => {
        throw new Error('of the page');
      });
      tab.session.subscribe(() => calls++);
      await world.advance(END + MINUTE);
      const thrown = later.mock.calls.map(([run]) => run);
      later.mockRestore();
      expect(calls).toBeGreaterThan(0);
      expect(tab.state.state).toBe('expired');
      // The page is told of its mistake as of any other that nobody catches.
      expect(thrown).toHaveLength(calls);
      for (const run of thrown) expect(run).toThrow('of the page');
    });

    it('can be extended or destroyed from within a call', async () => {
      const { world, tab } = await signedIn();
      tab.session.subscribe(() => {
        if (tab.state.state === 'warning') void tab.session.extend();
      });
      await world.advance(HOUR);
      expect(tab.state.state).toBe('active');
      tab.session.subscribe(() => tab.session.destroy());
      await world.advance(WARNING + MINUTE);
      const sent = world.sent.length;
      await world.advance(HOUR);
      expect(world.sent.length).toBe(sent);
    });
  });

  it('listens to nothing any more once it has ended, and is signed out already', async () => {
    const { world, tab } = await signedIn();
    world.server.end('revoked');
    void tab.fetch();
    await world.advance(SECOND);
    expect(tab.state.state).toBe('expired');
    expect(tab.isListenedTo).toBe(false);
    const sent = world.sent.length;
    await expect(tab.session.signOut()).resolves.toBe(true);
    expect(world.sent.length).toBe(sent);
  });

  describe('destroy()', () => {
    it('stops timers and listeners', async () => {
      const { world, tab } = await signedIn();
      tab.act();
      tab.session.destroy();
      expect(tab.isListenedTo).toBe(false);
      const { state } = tab;
      const told = tab.states.length;
      await world.advance(2 * HOUR);
      expect(tab.state).toBe(state);
      expect(tab.states).toHaveLength(told);
      expect(world.sent.length).toBe(1);
    });

    it.each<Network>(['up', 'down', 'failing', 'refusing'])(
      'stops for good while answers, turns and retries are under way, network %s',
      async (network) => {
        for (let wait = 0; wait < 200; wait += 10) {
          const { world, tab } = await signedIn();
          await world.advance(2 * MINUTE);
          world.network = network;
          tab.act();
          void tab.session.extend();
          void tab.session.signOut();
          tab.page('online');
          await world.advance(wait);
          tab.session.destroy();
          const { state } = tab;
          const sent = world.sent.length;
          await world.advance(2 * HOUR);
          expect(tab.state).toBe(state);
          expect(world.sent.length).toBe(sent);
        }
      },
    );

    it('stops a heartbeat that waits for its turn', async () => {
      const { world, tabs } = await signedIn({ tabs: 2 });
      const [first, second] = tabs as [FakeTab, FakeTab];
      await world.advance(2 * MINUTE);
      first.act();
      await world.advance(1);
      first.freeze();
      second.act();
      await world.advance(SECOND);
      second.session.destroy();
      await world.advance(HOUR);
      expect(second.sentTo('heartbeat').length).toBe(0);
    });

    it('leaves nothing that could be done', async () => {
      const { world, tab } = await signedIn();
      await world.advance(2 * MINUTE);
      tab.session.destroy();
      const { state } = tab;
      tab.session.touch();
      tab.session.hold('a video plays')();
      await expect(tab.session.extend()).resolves.toBe(false);
      await expect(tab.session.signOut()).resolves.toBe(false);
      await world.advance(HOUR);
      expect(world.sent.length).toBe(1);
      expect(tab.state).toBe(state);
      tab.session.destroy();
    });

    it('leaves the session and the other tabs as they are', async () => {
      const { world, tabs } = await signedIn({ tabs: 2 });
      tabs[0]?.session.destroy();
      await world.advance(MINUTE);
      expect(tabs[1]?.state.state).toBe('active');
      expect(world.server.isAlive()).toBe(true);
    });
  });
});
