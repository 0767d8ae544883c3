import { describe, expect, it } from '@jest/globals';
import { FakeWorld, HOUR, MINUTE, SECOND } from '../../testing/fake-world.js';
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
  describe('with nobody there', () => {
    it('sends nothing before the warning but one status right before it', async () => {
      const { world, tab } = await signedIn();
      expect(world.sent.length).toBe(1);
      await world.advance(WARNING - 3 * SECOND);
      expect(world.sent.length).toBe(1);
      expect(tab.state.state).toBe('active');
      await world.advance(4 * SECOND);
      expect(world.sent.map(({ path }) => path)).toEqual(['status', 'status']);
      expect(tab.state.state).toBe('warning');
    });

    it.each([20, 300, 800])(
      'warns and ends at the right second, with answers that take twice %d ms (auto_session_timeout 29)',
      async (latencyMs) => {
        const world = new FakeWorld();
        world.latencyMs = latencyMs;
        world.server.signIn();
        const tab = world.open();
        await timeUntil(world, () => tab.state.state === 'warning');
        expectNear(world.time, WARNING);
        await timeUntil(world, () => tab.state.state === 'expired');
        expectNear(world.time, END);
        expect(tab.state).toMatchObject({ reason: 'idle', covered: true, failed: false });
        expectSound(world);
      },
    );

    it('warns at the right second in a tab that has been hidden all the time', async () => {
      const { world, tab } = await signedIn();
      tab.page('hidden');
      await timeUntil(world, () => tab.state.state === 'warning');
      expectNear(world.time, WARNING);
    });

    it.each(['fetch', 'extend'] as const)(
      'counts the whole time anew from any %s, also from one soon after the last (aspnet/Security 1648, dotnet/aspnetcore 4079)',
      async (kind) => {
        const { world, tab } = await signedIn();
        for (const minutes of [1, 3, 7]) {
          await world.advance(minutes * MINUTE);
          if (kind === 'fetch') void tab.fetch();
          else void tab.session.extend();
          await world.advance(SECOND);
          expectNear((tab.state.expiresAt ?? 0) - world.wall, END);
        }
        const last = world.time;
        await timeUntil(world, () => tab.state.state === 'warning');
        expectNear(world.time, last + WARNING);
        await timeUntil(world, () => tab.state.state === 'expired');
        expectNear(world.time, last + END);
      },
    );

    it('counts down with the server, not from when it heard it', async () => {
      const { world, tab } = await warned();
      expectNear(
        (tab.state.expiresAt ?? 0) - world.wall,
        world.server.deadline() - world.time,
        100,
      );
    });

    it('sends nothing more once the session ended', async () => {
      const { world, tab } = await signedIn();
      await world.advance(END);
      expect(tab.state.state).toBe('expired');
      const sent = world.sent.length;
      tab.act();
      tab.page('hidden');
      tab.page('visible');
      tab.page('online');
      await world.advance(HOUR);
      expect(world.sent.length).toBe(sent);
      await expect(tab.session.extend()).resolves.toBe(false);
    });

    it.each([200, 700, 1400, 2000, 2800])(
      'is not stuck where an answer that takes twice %d ms comes after what it says was left',
      async (latencyMs) => {
        const world = new FakeWorld();
        // What is known is that much too early.
        world.latencyMs = 3000;
        world.server.signIn();
        const tab = world.open();
        await timeUntil(world, () => tab.state.state === 'warning');
        world.latencyMs = latencyMs;
        await timeUntil(world, () => tab.state.state === 'expired');
        expectNear(world.time, END + latencyMs, 2 * latencyMs + SECOND);
      },
    );

    it('does not warn of what is told to come without a warning', async () => {
      const { world, tab } = await signedIn({ policy: { warnBeforeMs: false } });
      await timeUntil(world, () => tab.state.state !== 'active');
      expectNear(world.time, END);
      await world.advance(SECOND);
      expect(tab.states.map(({ state }) => state)).not.toContain('warning');
      expect(tab.state.state).toBe('expired');
    });

    it('counts weeks, longer than any timer of a browser, without asking every moment', async () => {
      const idleTimeoutMs = 26 * 24 * HOUR;
      const { world, tab } = await signedIn({
        policy: { idleTimeoutMs, absoluteTimeoutMs: false },
      });
      await world.advance(HOUR);
      expect(world.sent.length).toBe(1);
      // A machine that sleeps for most of it: second by second, weeks take this test long.
      world.sleep(idleTimeoutMs - HOUR - 3 * MINUTE);
      await world.advance(10 * SECOND);
      expect(tab.state).toMatchObject({ state: 'active', absoluteExpiresAt: null });
      await world.advance(2 * MINUTE);
      expect(tab.state.state).toBe('warning');
      expect(world.sent.length).toBeLessThan(5);
    });
  });

  describe('while it warns', () => {
    it('is neither dismissed nor put off by activity', async () => {
      const { world, tab } = await warned();
      const deadline = world.server.deadline();
      await type(world, tab, 30 * SECOND, 500);
      tab.page('hidden');
      tab.page('visible');
      await world.advance(SECOND);
      expect(tab.state.state).toBe('warning');
      expect(world.sentTo('heartbeat').length).toBe(0);
      expect(world.server.deadline()).toBe(deadline);
      await world.advance(2 * MINUTE);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'idle' });
    });

    it('is put off by activity where that is asked for', async () => {
      const { world, tab } = await warned({ options: { extendOnActivity: true } });
      tab.act();
      expect(tab.state.state).toBe('extending');
      await world.advance(SECOND);
      expect(tab.state.state).toBe('active');
      expect(world.sentTo('heartbeat').length).toBe(1);
    });

    it('does not hammer the server with activity that cannot put off the absolute limit', async () => {
      const { world, tab } = await signedIn({
        policy: { absoluteTimeoutMs: 10 * MINUTE },
        options: { extendOnActivity: true },
      });
      await world.advance(8 * MINUTE);
      expect(tab.state.state).toBe('warning');
      const sent = world.sent.length;
      await type(world, tab, MINUTE, 200);
      expect(world.sent.length - sent).toBeLessThanOrEqual(2);
    });

    it('does not ask every second', async () => {
      const { world } = await warned();
      const sent = world.sent.length;
      await world.advance(90 * SECOND);
      expect(world.sent.length).toBe(sent);
    });

    it('closes when the server is heard to be of another mind', async () => {
      const { world, tab } = await warned();
      void tab.fetch();
      await world.advance(SECOND);
      expect(tab.state.state).toBe('active');
      expectNear((tab.state.expiresAt ?? 0) - world.wall, END, TOLERANCE);
    });
  });
});
