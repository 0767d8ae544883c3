import { describe, expect, it } from '@jest/globals';
import { FakeWorld, HOUR, MINUTE, SECOND, type FakeTab } from '../../testing/fake-world.js';
import {
  END,
  expectNear,
  expectSound,
  messageOf,
  signedIn,
  timeUntil,
  type,
  warned,
} from '../../testing/scenario.js';
import type { EndReason } from '../protocol/end-reason.js';

describe('IdleSession', () => {
  describe('when the session is not there any more', () => {
    it('ends after the server was started without its memory', async () => {
      const { world, tab } = await signedIn();
      world.server.forget();
      tab.page('online');
      await world.advance(SECOND);
      expect(['expired', 'signed-out']).toContain(tab.state.state);
      expect(tab.state.covered).toBe(true);
    });

    it('is idle if the time was up, though the server knows nothing any more', async () => {
      const { world, tab } = await signedIn();
      await world.advance(14 * MINUTE);
      world.server.forget();
      await world.advance(2 * MINUTE);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'idle' });
    });

    it('ends soon after a response says so, also where the browser tells no status of it', async () => {
      const { world, tab } = await signedIn();
      world.server.end('revoked');
      tab.observe({ status: undefined, expiresInMs: 0, requestedAgoMs: 5 });
      await world.advance(SECOND);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'revoked' });
    });

    it('ends, where another tab ended it, with the reason which that one was told', async () => {
      const { world, tabs } = await signedIn({ tabs: 2 });
      world.server.end('revoked');
      void tabs[0]?.fetch();
      await world.advance(70);
      // The first tab goes to the sign-in page, and the cookie with it.
      world.server.cookie = null;
      await world.advance(SECOND);
      for (const { state } of tabs)
        expect(state).toMatchObject({ state: 'expired', reason: 'revoked' });
    });

    it.each<EndReason>(['idle', 'absolute', 'signed-out', 'revoked', 'lost'])(
      'ends as %s, if the server says so, where the browser lost the cookie while the page was away',
      async (reason) => {
        const { world, tab } = await signedIn();
        tab.leave();
        world.server.end(reason);
        world.server.cookie = null;
        await world.advance(HOUR);
        tab.comeBack();
        await world.advance(SECOND);
        expect(tab.state.reason).toBe(reason);
        await world.advance(MINUTE);
        expect(tab.sentTo('status?of=session-1')).toHaveLength(1);
      },
    );

    it('is covered at once where the browser lost the cookie, also if the server does not say why', async () => {
      const { world, tab } = await signedIn();
      world.server.cookie = null;
      tab.page('returned');
      world.intercept = (path) =>
        path.startsWith('status?of=') ? { status: 503, body: {} } : undefined;
      await world.advance(50);
      expect(tab.state).toMatchObject({ state: 'active', covered: true });
      await world.advance(SECOND);
      expect(tab.state).toMatchObject({ state: 'signed-out', covered: true });
    });

    it('ends when another person has signed in', async () => {
      const { world, tab } = await signedIn();
      world.server.signIn();
      tab.page('returned');
      await world.advance(SECOND);
      expect(['expired', 'signed-out']).toContain(tab.state.state);
      const { state } = tab;
      await world.advance(HOUR);
      expect(tab.state).toBe(state);
    });

    it('has nothing to do with what is still said of the one before', async () => {
      const world = new FakeWorld();
      world.server.signIn();
      await world.advance(SECOND);
      const late = { ...messageOf(world), ended: 'idle' as const };
      world.server.signIn();
      const tab = world.open();
      await world.advance(SECOND);
      const { state } = tab;
      const sent = world.sent.length;
      tab.receiveMessage(late);
      await world.advance(SECOND);
      expect(tab.state).toBe(state);
      expect(world.sent.length).toBe(sent);
    });

    it('tells the tabs of that one nothing', async () => {
      const { world, tab } = await signedIn();
      world.server.signIn();
      const other = world.open();
      await world.advance(SECOND);
      tab.page('returned');
      await world.advance(SECOND);
      expect(other.state).toMatchObject({ state: 'active', sessionRef: 'session-2' });
    });
  });

  describe('with answers that may be out of a cache, as behind a service worker', () => {
    const answer = { status: 200, expiresInMs: 15 * MINUTE, requestedAgoMs: 5, mayBeOld: true };

    it('believes the server that it has asked already', async () => {
      const world = new FakeWorld();
      world.server.signIn();
      world.server.end('idle');
      world.tardyMs = 800;
      const tab = world.open();
      await world.advance(200);
      tab.observe(answer);
      await world.advance(700);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'idle' });
      expect(world.sent.length).toBe(1);
    });

    it('asks the server while it warns, for the person may have worked on', async () => {
      const { world, tab } = await warned();
      world.server.handle('busy', undefined);
      tab.observe(answer);
      await world.advance(SECOND);
      expect(tab.state.state).toBe('active');
    });

    it('believes none of them', async () => {
      const { world, tab } = await warned();
      tab.observe(answer);
      await world.advance(SECOND);
      expect(tab.state.state).toBe('warning');
    });

    it('asks for none of them as long as it does not warn', async () => {
      const { world, tab } = await signedIn();
      await world.advance(5 * MINUTE);
      const before = world.sent.length;
      const { state } = tab;
      tab.observe(answer);
      await world.advance(MINUTE);
      expect(world.sent.length).toBe(before);
      expect(tab.state).toBe(state);
    });

    it('finds the session of a person who signs in without leaving the page', async () => {
      const world = new FakeWorld();
      const tab = world.open();
      await world.advance(MINUTE);
      world.server.signIn();
      tab.observe(answer);
      await world.advance(SECOND);
      expect(tab.state.state).toBe('active');
    });
  });

  describe('with answers out of order', () => {
    it('keeps the newer of two', async () => {
      const { world, tab } = await signedIn();
      await world.advance(5 * MINUTE);
      world.latencyMs = 3000;
      tab.page('online');
      await world.advance(3001);
      world.latencyMs = 20;
      void tab.session.extend();
      await world.advance(SECOND);
      const { expiresAt } = tab.state;
      await world.advance(5 * SECOND);
      expect(tab.state.expiresAt).toBe(expiresAt);
    });

    it('does not take an older answer for less than a newer header said', async () => {
      const { world, tab } = await signedIn();
      await world.advance(5 * MINUTE);
      world.latencyMs = 3000;
      tab.page('online');
      await world.advance(3001);
      world.latencyMs = 20;
      void tab.fetch();
      await world.advance(SECOND);
      const { expiresAt } = tab.state;
      await world.advance(5 * SECOND);
      expect(tab.state.expiresAt).toBe(expiresAt);
    });

    it('does not mind the header of a response that was sent before', async () => {
      const { world, tab } = await signedIn();
      await world.advance(5 * MINUTE);
      void tab.session.extend();
      await world.advance(SECOND);
      const before = tab.state;
      tab.observe({ status: 200, expiresInMs: 10 * MINUTE, requestedAgoMs: 2 * MINUTE });
      await world.advance(SECOND);
      expect(tab.state).toBe(before);
    });

    it('is extended though a poll overtakes the answer, before or after', async () => {
      for (const [first, second] of [
        [1500, 20],
        [20, 1500],
      ] as const) {
        const { world, tabs } = await warned({ tabs: 2 });
        const [tab, other] = tabs as [FakeTab, FakeTab];
        world.latencyMs = first;
        const extended = tab.session.extend();
        world.latencyMs = second;
        if (second > first) world.tardyMs = 1500;
        void tab.fetch('passive');
        void other.fetch('passive');
        world.latencyMs = 20;
        await world.advance(5 * SECOND);
        await expect(extended).resolves.toBe(true);
        for (const { state } of tabs) {
          expect(state.state).toBe('active');
          expectNear((state.expiresAt ?? 0) - world.wall, world.server.deadline() - world.time);
        }
      }
    });

    it('stays extended when a question from the same tick of the clock is answered later', async () => {
      const { world, tab } = await warned();
      world.observersFirst = true;
      world.latencyMs = 0;
      world.tardyMs = SECOND;
      tab.page('online');
      world.tardyMs = 0;
      await expect(Promise.all([tab.session.extend(), world.advance(0)])).resolves.toContain(true);
      expect(tab.state.state).toBe('active');
      const { expiresAt } = tab.state;
      await world.advance(5 * SECOND);
      expect(tab.state).toMatchObject({ state: 'active', expiresAt });
    });

    it('is uncovered when the server says, in the tick of the message about an end, that there is none', async () => {
      const { world, tab } = await signedIn();
      world.observersFirst = true;
      world.latencyMs = 0;
      tab.page('online');
      await world.advance(0);
      tab.receiveMessage({ ...messageOf(world), ended: 'idle' });
      expect(tab.state.covered).toBe(true);
      await world.advance(0);
      expect(tab.state).toMatchObject({ state: 'active', covered: false });
    });

    it('is not ended by an answer from before signing in', async () => {
      const world = new FakeWorld();
      world.tardyMs = 3000;
      const tab = world.open();
      await world.advance(1500);
      world.tardyMs = 0;
      world.server.signIn();
      void tab.fetch();
      await world.advance(SECOND);
      expect(tab.state.state).toBe('active');
      await world.advance(5 * SECOND);
      expect(tab.state).toMatchObject({ state: 'active', sessionRef: 'session-1' });
    });

    it.each([
      ['has no session', 'has not asked since'],
      ['has no session', 'is about to ask again'],
      ['has a session that ended', 'has not asked since'],
    ])(
      'starts where a person signs in while it asks, in a browser that %s, and %s',
      async (browser, tabDoes) => {
        const world = new FakeWorld();
        if (browser === 'has a session that ended') {
          world.server.signIn();
          world.server.end('idle');
        }
        world.tardyMs = 800;
        const tab = world.open();
        await world.advance(200);
        if (tabDoes === 'is about to ask again')
          tab.observe({ status: 401, expiresInMs: undefined, requestedAgoMs: 5 });
        await world.advance(300);
        world.tardyMs = 0;
        world.server.signIn();
        void tab.fetch();
        await world.advance(3 * SECOND);
        expect(tab.state).toMatchObject({ state: 'active', sessionRef: world.server.cookie });
        await world.advance(MINUTE);
        expect(world.sent.length).toBe(2);
      },
    );

    it('ends though an answer from before the end comes after a response that told of it', async () => {
      const { world, tab } = await signedIn();
      await world.advance(MINUTE);
      world.tardyMs = 800;
      tab.page('online');
      await world.advance(500);
      world.tardyMs = 0;
      world.server.end('revoked');
      tab.observe({ status: 401, expiresInMs: 0, requestedAgoMs: 5 });
      await world.advance(3 * SECOND);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'revoked' });
    });

    it('is the same whether observers or senders hear of an answer first', async () => {
      for (const observersFirst of [true, false]) {
        const { world, tab } = await signedIn();
        world.observersFirst = observersFirst;
        await type(world, tab, 10 * MINUTE);
        await timeUntil(world, () => tab.state.state === 'warning');
        void tab.session.extend();
        await world.advance(SECOND);
        expect(tab.state).toMatchObject({ state: 'active', failed: false });
        await timeUntil(world, () => tab.state.state === 'expired');
        expectNear(world.time, world.server.lastActivityAt() + END);
        expect(world.sentTo('heartbeat').length).toBeLessThanOrEqual(12);
        expectSound(world);
      }
    });
  });
});
