import { describe, expect, it, jest } from '@jest/globals';
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
  describe('with a person there', () => {
    it('keeps a person who types for an hour in a page that sends no requests (auto_session_timeout 37, dotnet/aspnetcore 31346)', async () => {
      const { world, tab } = await signedIn();
      await type(world, tab, HOUR);
      expect(new Set(tab.states.map(({ state }) => state))).toEqual(new Set(['active']));
      expect(world.server.isAlive()).toBe(true);
      expect(world.time - world.server.lastActivityAt()).toBeLessThan(66 * SECOND);
      expect(world.sentTo('heartbeat').length).toBeLessThanOrEqual(61);
      expect(world.sentTo('status').length).toBe(1);
      expectSound(world);
    });

    it('keeps a person who types, though a response tells of an end in a thousand years', async () => {
      const { world, tab } = await signedIn();
      await world.advance(MINUTE);
      tab.observe({ status: 200, expiresInMs: 1000 * 365 * 24 * HOUR, requestedAgoMs: 5 });
      await type(world, tab, 20 * MINUTE);
      expect(world.time - world.server.lastActivityAt()).toBeLessThan(66 * SECOND);
    });

    it('warns that person at the right second after the last key, and ends', async () => {
      const { world, tab } = await signedIn();
      await type(world, tab, 20 * MINUTE);
      const left = world.time;
      await timeUntil(world, () => tab.state.state === 'warning');
      expectNear(world.time, left + WARNING);
      await timeUntil(world, () => tab.state.state === 'expired');
      expectNear(world.time, left + END);
    });

    it('sends at most one heartbeat in the minute, the last key too', async () => {
      const { world, tab } = await signedIn();
      await type(world, tab, 10 * MINUTE, SECOND);
      const left = world.time;
      await world.advance(2 * MINUTE);
      const beats = world.sentTo('heartbeat');
      expect(beats.length).toBeGreaterThanOrEqual(10);
      beats
        .slice(1)
        .forEach(({ at }, n) => expect(at - (beats[n]?.at ?? 0)).toBeGreaterThan(59 * SECOND));
      expectNear(world.server.lastActivityAt(), left, 100);
    });

    it('sends four heartbeats in a short idle timeout', async () => {
      const policy = { idleTimeoutMs: 40 * SECOND, warnBeforeMs: 20 * SECOND };
      const { world, tab } = await signedIn({ policy });
      await type(world, tab, 10 * MINUTE, SECOND);
      const beats = world.sentTo('heartbeat');
      expectNear(beats.length, 60, 3);
      beats.slice(1).forEach(({ at }, n) => expect(at - (beats[n]?.at ?? 0)).toBeGreaterThan(9900));
      expect(tab.states.map(({ state }) => state)).not.toContain('warning');
    });

    it('says how long ago the last act was', async () => {
      const { world, tab } = await signedIn();
      await world.advance(2 * MINUTE);
      tab.act();
      await world.advance(10 * SECOND);
      tab.act();
      const last = world.time;
      await world.advance(MINUTE);
      for (const { at, idleForMs } of world.sentTo('heartbeat').slice(1)) {
        expectNear(idleForMs ?? NaN, at - last, 5);
      }
      expect(world.sentTo('heartbeat').length).toBe(2);
      expectNear(world.server.lastActivityAt(), last, 100);
    });

    it('never says so with a time in the future or in no time', async () => {
      const { world, tab } = await signedIn();
      tab.act();
      world.jump(-HOUR);
      await world.advance(2 * MINUTE);
      tab.act();
      world.jump(HOUR);
      await world.advance(2 * MINUTE);
      expect(world.server.malformed).toEqual([]);
    });

    it('sends nothing for a person who has done nothing since the server was last heard', async () => {
      const { world, tab } = await signedIn();
      await type(world, tab, 90 * SECOND);
      const beats = world.sentTo('heartbeat').length;
      tab.act();
      void tab.fetch();
      await world.advance(5 * MINUTE);
      expect(world.sentTo('heartbeat').length).toBe(beats);
    });

    it('sends none beside requests that are activity themselves', async () => {
      const { world, tab } = await signedIn();
      for (let n = 0; n < 60; n++) {
        tab.act();
        void tab.fetch();
        await world.advance(20 * SECOND);
      }
      expect(world.sentTo('heartbeat').length).toBeLessThanOrEqual(1);
    });

    it.each([20, 2500])(
      'is not kept from sending by a page that polls, every other time in twice %d ms',
      async (slowMs) => {
        const { world, tab } = await signedIn();
        for (let n = 0; n < 40; n++) {
          world.latencyMs = n % 2 ? slowMs : 20;
          void tab.fetch('passive');
          await type(world, tab, 10 * SECOND, SECOND);
          world.latencyMs = 20;
        }
        expect(world.sentTo('heartbeat').length).toBeGreaterThanOrEqual(6);
        const beats = world.sentTo('heartbeat').map(({ at }) => at);
        beats.slice(1).forEach((at, n) => expect(at - (beats[n] ?? 0)).toBeLessThan(75 * SECOND));
      },
    );

    it('does not take polls for presence', async () => {
      const { world, tab } = await signedIn();
      for (let n = 0; n < 13 * 6; n++) {
        void tab.fetch('passive');
        await world.advance(10 * SECOND);
      }
      expect(tab.state.state).toBe('warning');
      expect(world.sentTo('heartbeat').length).toBe(0);
      for (let n = 0; n < 13; n++) {
        void tab.fetch('passive');
        await world.advance(10 * SECOND);
      }
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'idle' });
    });

    it('counts what touch() tells, as it counts keys', async () => {
      const { world, tab } = await signedIn();
      for (let n = 0; n < 40; n++) {
        tab.session.touch();
        await world.advance(30 * SECOND);
      }
      expect(tab.state.state).toBe('active');
      expect(world.time - world.server.lastActivityAt()).toBeLessThanOrEqual(90 * SECOND);
    });

    it('tells the server of what was done before it had been heard', async () => {
      const world = new FakeWorld();
      world.server.signIn();
      await world.advance(10 * MINUTE);
      world.network = 'down';
      const tab = world.open();
      tab.act();
      await world.advance(MINUTE);
      world.network = 'up';
      await world.advance(2 * MINUTE);
      expectNear(world.server.lastActivityAt(), 10 * MINUTE, SECOND);
    });

    it('asks about a person who is there with a heartbeat, not with a warning', async () => {
      // Unsent activity when the warning is due, since the interval is longer than the time before it.
      const policy = { idleTimeoutMs: 40 * SECOND, warnBeforeMs: 35 * SECOND };
      const { world, tab } = await signedIn({ policy });
      await type(world, tab, 5 * MINUTE, SECOND);
      expect(tab.states.map(({ state }) => state)).not.toContain('warning');
    });

    it('does not warn a person whose last act came while it asked', async () => {
      const { world, tab } = await signedIn();
      await world.advance(WARNING - SECOND);
      expect(world.sentTo('status').length).toBe(2);
      tab.act();
      await world.advance(SECOND);
      expect(tab.state.state).toBe('active');
      expectNear(world.server.deadline(), world.time + END);
    });

    it('does not fill the queue for the lock with every key', async () => {
      const { world, tab } = await signedIn();
      world.latencyMs = 2000;
      const turns = jest.spyOn(tab, 'withLock');
      await type(world, tab, MINUTE, 50);
      expect(turns.mock.calls.length).toBeLessThan(5);
    });
  });

  describe('when the page is hidden or left', () => {
    it.each(['hidden', 'leaving'] as const)(
      'sends at once, when %s, what the server has not heard',
      async (event) => {
        const { world, tab } = await signedIn();
        await type(world, tab, 30 * SECOND);
        const left = world.time;
        const beats = world.sentTo('heartbeat').length;
        await world.advance(10 * SECOND);
        tab.page(event);
        await world.advance(100);
        expect(world.sentTo('heartbeat').length).toBe(beats + 1);
        expectNear(world.sentTo('heartbeat').at(-1)?.idleForMs ?? NaN, 10 * SECOND, 100);
        expectNear(world.server.lastActivityAt(), left, 100);
      },
    );

    it('leaves the server never more than two seconds behind the last act', async () => {
      for (let wait = 0; wait < 5 * SECOND; wait += 200) {
        const { world, tab } = await signedIn();
        await world.advance(2 * MINUTE);
        await type(world, tab, wait, 200);
        const last = world.time;
        tab.page('hidden');
        await world.advance(SECOND);
        expect(last - world.server.lastActivityAt()).toBeLessThan(TOLERANCE);
      }
    });

    it('reports also while it warns what it could not report before', async () => {
      const { world, tab } = await signedIn();
      await world.advance(WARNING - MINUTE);
      world.network = 'down';
      tab.act();
      const last = world.time;
      await world.advance(MINUTE + 10 * SECOND);
      expect(tab.state.state).toBe('warning');
      world.network = 'up';
      tab.page('hidden');
      await world.advance(SECOND);
      expectNear(world.server.lastActivityAt(), last);
    });

    it('sends nothing where there is nothing to tell', async () => {
      const { world, tab } = await signedIn();
      tab.page('hidden');
      tab.page('visible');
      tab.page('leaving');
      await world.advance(2 * MINUTE);
      expect(world.sent.length).toBe(1);
    });

    it('sends once where hiding and leaving come together', async () => {
      const { world, tab } = await signedIn();
      await type(world, tab, 30 * SECOND);
      const beats = world.sentTo('heartbeat').length;
      tab.page('leaving');
      tab.page('hidden');
      await world.advance(SECOND);
      expect(world.sentTo('heartbeat').length).toBe(beats + 1);
    });

    it('asks when it comes back from the back/forward cache', async () => {
      const { world, tab } = await signedIn();
      tab.leave();
      await world.advance(MINUTE);
      world.server.end('revoked');
      tab.comeBack();
      await world.advance(SECOND);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'revoked' });
    });

    it('asks when it comes back even if a request hangs from before', async () => {
      const { world, tab } = await signedIn();
      world.network = 'hanging';
      tab.page('online');
      await world.advance(2 * SECOND);
      world.network = 'up';
      world.server.end('revoked');
      tab.page('returned');
      await world.advance(SECOND);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'revoked' });
    });

    it('asks when it is seen again after the time of the warning', async () => {
      const { world, tab } = await signedIn();
      tab.freeze();
      await world.advance(14 * MINUTE);
      expect(tab.state.state).toBe('active');
      tab.isFrozen = false;
      tab.late = [];
      const sent = tab.sentTo('status').length;
      tab.page('visible');
      await world.advance(SECOND);
      expect(tab.sentTo('status').length).toBe(sent + 1);
      expect(tab.state.state).toBe('warning');
    });

    it('asks nothing when it is seen again before that', async () => {
      const { world, tab } = await signedIn();
      tab.page('hidden');
      await world.advance(MINUTE);
      tab.page('visible');
      await world.advance(SECOND);
      expect(world.sent.length).toBe(1);
    });
  });

  describe('hold()', () => {
    it('counts as a person there, without an event', async () => {
      const { world, tab } = await signedIn();
      const release = tab.session.hold('a video plays');
      await world.advance(3 * HOUR);
      expect(tab.states.map(({ state }) => state)).not.toContain('warning');
      expect(world.server.isAlive()).toBe(true);
      expectNear(world.sentTo('heartbeat').length, 180, 4);
      release();
      const released = world.time;
      await timeUntil(world, () => tab.state.state === 'warning');
      expectNear(world.time, released + WARNING);
      expectSound(world);
    });

    it('taken twice lasts until both are released, however often one is', async () => {
      const { world, tab } = await signedIn();
      const first = tab.session.hold('a video plays');
      const second = tab.session.hold('an upload runs');
      first();
      first();
      await world.advance(HOUR);
      expect(tab.state.state).toBe('active');
      second();
      const released = world.time;
      await world.advance(5 * MINUTE);
      // Released already: says nothing of the person.
      second();
      await timeUntil(world, () => tab.state.state === 'warning');
      expectNear(world.time, released + WARNING);
    });

    it('does not outlast the absolute limit', async () => {
      const { world, tab } = await signedIn({ policy: { absoluteTimeoutMs: HOUR } });
      tab.session.hold('a video plays');
      await timeUntil(world, () => tab.state.state === 'warning');
      expectNear(world.time, HOUR - 2 * MINUTE);
      await timeUntil(world, () => tab.state.state === 'expired');
      expectNear(world.time, HOUR);
      expect(tab.state.reason).toBe('absolute');
    });

    it('taken while it warns closes the warning', async () => {
      const { world, tab } = await warned();
      const release = tab.session.hold('an upload runs');
      await world.advance(SECOND);
      expect(tab.state.state).toBe('active');
      release();
    });

    it('survives an outage over the time of the warning', async () => {
      const { world, tab } = await signedIn();
      tab.session.hold('an upload runs');
      await world.advance(MINUTE);
      world.network = 'down';
      await world.advance(14 * MINUTE);
      expect(tab.state.state).toBe('warning');
      world.network = 'up';
      await world.advance(31 * SECOND);
      expect(tab.state.state).toBe('active');
      expectNear(world.server.deadline(), world.time + END, 40 * SECOND);
    });
  });
});
