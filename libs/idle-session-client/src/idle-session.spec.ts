import { describe, expect, it, jest } from '@jest/globals';
import type { FakePolicy } from './fake-server.js';
import {
  FakeWorld,
  HOUR,
  MINUTE,
  randomOf,
  SECOND,
  type FakeTab,
  type Network,
} from './fake-world.js';
import type { IdleSessionOptions } from './idle-session.js';
import type { EndReason } from './state.js';
import type { IdleSessionWord } from './tabs.js';

/** The default policy's warning and end, counted from the last activity. */
const WARNING = 13 * MINUTE;
const END = 15 * MINUTE;

/** How far from the server's own time a tab may be. */
const TOLERANCE = 2 * SECOND;

interface Given {
  readonly policy?: Partial<FakePolicy>;
  readonly options?: IdleSessionOptions;
  readonly tabs?: number;
}

/** A person who has just signed in, with one tab or more that know. */
async function signedIn({ policy, options, tabs = 1 }: Given = {}) {
  const world = new FakeWorld(policy);
  world.server.signIn();
  for (let n = 0; n < tabs; n++) world.open(options);
  await world.advance(SECOND);
  const [tab] = world.tabs as [FakeTab];
  return { world, tab, tabs: world.tabs };
}

/** The same, with the warning on screen. */
async function warned(given: Given = {}) {
  const all = await signedIn(given);
  await all.world.advance(WARNING);
  for (const { state } of all.tabs) expect(state.state).toBe('warning');
  return all;
}

/** Somebody types, now and again and again; the last key is at the very end. */
async function type(world: FakeWorld, tab: FakeTab, milliseconds: number, every = 5 * SECOND) {
  tab.act();
  for (let passed = 0; passed < milliseconds; passed += every) {
    await world.advance(every);
    tab.act();
  }
}

/** How long until the tab says so, in steps of a tenth of a second. */
async function timeUntil(world: FakeWorld, happened: () => boolean, within = HOUR) {
  const from = world.time;
  while (!happened()) {
    if (world.time - from > within) return Infinity;
    await world.advance(100);
  }
  return world.time - from;
}

/** What another tab says that the server has just said of the session. */
function wordOf(world: FakeWorld): IdleSessionWord {
  return {
    sessionRef: 'session-1',
    saidAt: world.wall,
    expiresAt: world.wall + SECOND,
    absoluteExpiresAt: null,
    beatAt: world.wall,
  };
}

function expectNear(actual: number, expected: number, tolerance = TOLERANCE) {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance);
}

/** What is true whatever a test does to the world. */
function expectSound(world: FakeWorld) {
  expect(world.server.malformed).toEqual([]);
  for (const { told } of world.tabs) {
    // Called once per change, and never for none.
    told.slice(1).forEach((state, n) => expect(state).not.toEqual(told[n]));
  }
}

describe('IdleSession', () => {
  describe('when it starts', () => {
    it('is starting until the server has been heard, and active after one status', async () => {
      const world = new FakeWorld();
      world.server.signIn();
      const tab = world.open();
      expect(tab.state).toMatchObject({ state: 'starting', sessionRef: null, expiresAt: null });
      await world.advance(SECOND);
      expect(tab.state).toMatchObject({
        state: 'active',
        reason: null,
        idleTimeoutMs: 15 * MINUTE,
        warnBeforeMs: 2 * MINUTE,
        loginUrl: '/login',
        sessionRef: 'session-1',
        online: true,
        covered: false,
        failed: false,
      });
      expectNear((tab.state.expiresAt ?? 0) - world.wall, END - SECOND, 100);
      expectNear((tab.state.absoluteExpiresAt ?? 0) - world.wall, 12 * HOUR - SECOND, 100);
      expect(world.sent.map(({ path }) => path)).toEqual(['status']);
    });

    it('asks where the server has its endpoints', async () => {
      const world = new FakeWorld();
      const paths: string[] = [];
      const tab = world.open();
      tab.session.destroy();
      const { IdleSession } = await import('./idle-session.js');
      for (const path of [undefined, '/auth/idle', '/auth/idle/']) {
        const session = new IdleSession(path === undefined ? {} : { path }, {
          now: () => tab.now(),
          elapsed: () => tab.elapsed(),
          after: (milliseconds, run) => tab.after(milliseconds, run),
          request: async (method, asked) => {
            paths.push(`${method} ${asked}`);
            return { status: 200, body: world.server.status() };
          },
          alone: (name, run) => tab.alone(name, run),
          onActivity: () => () => {},
          onServerTiming: () => () => {},
          onRefused: () => () => {},
          onPage: () => () => {},
          onWord: () => () => {},
          tell: () => {},
        });
        await world.advance(0);
        session.destroy();
      }
      expect(paths).toEqual([
        'GET /idle-session/status',
        'GET /auth/idle/status',
        'GET /auth/idle/status',
      ]);
    });

    it('stays starting without a session, and asks no more', async () => {
      const world = new FakeWorld();
      const tab = world.open();
      await world.advance(2 * HOUR);
      expect(tab.state).toMatchObject({ state: 'starting', online: true, sessionRef: null });
      expect(world.sent.length).toBe(1);
    });

    it('starts when a response tells that there is a session now', async () => {
      const world = new FakeWorld();
      const tab = world.open();
      await world.advance(MINUTE);
      world.server.signIn();
      void tab.fetch();
      await world.advance(SECOND);
      expect(tab.state).toMatchObject({ state: 'active', sessionRef: 'session-1' });
    });

    it.each<EndReason>(['idle', 'absolute', 'revoked'])(
      'says that the session had ended, and that it was %s (expressjs/session 299, 882; dotnet/aspnetcore 27788)',
      async (reason) => {
        const world = new FakeWorld();
        world.server.signIn();
        world.server.end(reason);
        const tab = world.open();
        await world.advance(SECOND);
        expect(tab.state).toMatchObject({ state: 'expired', reason, loginUrl: '/login' });
      },
    );

    it('leaves a public page alone that is opened after signing out', async () => {
      const world = new FakeWorld();
      world.server.signIn();
      world.server.end('signed-out');
      const tab = world.open();
      await world.advance(HOUR);
      expect(tab.state).toMatchObject({ state: 'starting', covered: false });
      expect(world.sent.length).toBe(1);
    });

    it('warns at once in a session that is about to end', async () => {
      const world = new FakeWorld();
      world.server.signIn();
      await world.advance(14 * MINUTE);
      const tab = world.open();
      await world.advance(SECOND);
      expect(tab.state.state).toBe('warning');
    });

    it.each<Network>(['down', 'hanging', 'failing', 'redirecting', 'refusing', 'lying'])(
      'asks again until the server answers, from a network that is %s',
      async (network) => {
        const world = new FakeWorld();
        world.server.signIn();
        world.network = network;
        const tab = world.open();
        await world.advance(3 * MINUTE);
        expect(tab.state).toMatchObject({ state: 'starting', covered: false });
        world.network = 'up';
        await world.advance(41 * SECOND);
        expect(tab.state.state).toBe('active');
      },
    );
  });

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
      expect(tab.told.map(({ state }) => state)).not.toContain('warning');
      expect(tab.state.state).toBe('expired');
    });

    it('counts months without asking every moment', async () => {
      const idleTimeoutMs = 40 * 24 * HOUR;
      const { world, tab } = await signedIn({
        policy: { idleTimeoutMs, absoluteTimeoutMs: false },
      });
      await world.advance(idleTimeoutMs - 3 * MINUTE);
      expect(tab.state).toMatchObject({ state: 'active', absoluteExpiresAt: null });
      expect(world.sent.length).toBe(1);
      await world.advance(2 * MINUTE);
      expect(tab.state.state).toBe('warning');
    });
  });

  describe('with somebody there', () => {
    it('keeps a person who types for an hour in a page that sends no requests (auto_session_timeout 37, dotnet/aspnetcore 31346)', async () => {
      const { world, tab } = await signedIn();
      await type(world, tab, HOUR);
      expect(new Set(tab.told.map(({ state }) => state))).toEqual(new Set(['active', 'starting']));
      expect(world.server.isAlive()).toBe(true);
      expect(world.time - world.server.lastActivityAt()).toBeLessThan(66 * SECOND);
      expect(world.sentTo('heartbeat').length).toBeLessThanOrEqual(61);
      expect(world.sentTo('status').length).toBe(1);
      expectSound(world);
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
      expect(tab.told.map(({ state }) => state)).not.toContain('warning');
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
      expect(tab.told.map(({ state }) => state)).not.toContain('warning');
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
      const turns = jest.spyOn(tab, 'alone');
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

  describe('extend()', () => {
    it('goes through extending to active', async () => {
      const { world, tab } = await warned();
      const told = tab.told.length;
      const extended = tab.session.extend();
      expect(tab.state).toMatchObject({ state: 'extending', failed: false });
      await world.advance(SECOND);
      await expect(extended).resolves.toBe(true);
      expect(tab.state).toMatchObject({ state: 'active', failed: false, covered: false });
      const states = tab.told.slice(told).map(({ state }) => state);
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
      expect(tab.told.map(({ state }) => state)).not.toContain('extending');
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

  describe('hold()', () => {
    it('counts as somebody there, without an event', async () => {
      const { world, tab } = await signedIn();
      const release = tab.session.hold('a video plays');
      await world.advance(3 * HOUR);
      expect(tab.told.map(({ state }) => state)).not.toContain('warning');
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

  describe('signOut()', () => {
    it('ends the session', async () => {
      const { world, tab } = await signedIn();
      const done = tab.session.signOut();
      await world.advance(SECOND);
      await expect(done).resolves.toBe(true);
      expect(tab.state).toMatchObject({ state: 'signed-out', reason: 'signed-out', covered: true });
      expect(world.server.isAlive()).toBe(false);
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
      for (const { state, told } of tabs) {
        expect(state.state).toBe('active');
        expect(told.map((one) => one.state)).not.toContain('warning');
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
        tab.hearWord({ ...wordOf(world), ended: 'idle' });
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
          tab.hearWord({ ...wordOf(world), ended });
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
          tab.hearWord({ ...wordOf(world), ended: 'idle' });
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
      const word = { ...wordOf(world), sessionRef: 'session-of-somebody-else' };
      tab.hearWord(word);
      tab.hearWord({ ...word, ended: 'signed-out' });
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
        tab.hearWord({
          sessionRef: 'session-1',
          saidAt: world.wall - MINUTE,
          expiresAt,
          absoluteExpiresAt: null,
          beatAt: world.wall - MINUTE,
        });
      }
      await world.advance(SECOND);
      expect(tab.state).toBe(before);
    });

    it('go on sending while another is frozen with the lock in its hands (react-idle-timer 405)', async () => {
      const { world, tabs } = await signedIn({ tabs: 2 });
      const [frozen, typing] = tabs as [FakeTab, FakeTab];
      await world.advance(2 * MINUTE);
      frozen.act();
      await world.advance(5);
      frozen.freeze();
      expect(frozen.sentTo('heartbeat').length).toBeGreaterThan(0);
      await type(world, typing, 20 * MINUTE);
      expect(typing.sentTo('heartbeat').length).toBeGreaterThanOrEqual(18);
      expect(typing.sentTo('heartbeat').length).toBeLessThanOrEqual(21);
      expect(world.time - world.server.lastActivityAt()).toBeLessThan(65 * SECOND);
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
        expect(tab.told.map((one) => one.state)).not.toContain('expired');
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
      expect(tab.told.map(({ state }) => state)).not.toContain('expired');
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
        const states = new Set(tab.told.map(({ state }) => state));
        expect(states).toEqual(new Set(['starting', 'active']));
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

  describe('with a server that cannot be asked', () => {
    it.each<Network>(['down', 'hanging', 'failing', 'redirecting', 'deaf', 'refusing', 'lying'])(
      'covers the page at the deadline, network %s, but takes nobody for signed out (django-session-security 95)',
      async (network) => {
        const { world, tab } = await signedIn();
        world.network = network;
        await world.advance(20 * MINUTE);
        expect(tab.state).toMatchObject({ state: 'warning', covered: true, reason: null });
        expect(tab.told.map(({ state }) => state)).not.toContain('expired');
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

    it('ends when somebody else has signed in', async () => {
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
      const late = { ...wordOf(world), ended: 'idle' as const };
      world.server.signIn();
      const tab = world.open();
      await world.advance(SECOND);
      const { state } = tab;
      const sent = world.sent.length;
      tab.hearWord(late);
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
      tab.hearTiming({ expiresInMs: 10 * MINUTE, agoMs: 2 * MINUTE });
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

  describe('destroy()', () => {
    it('stops timers and listeners', async () => {
      const { world, tab } = await signedIn();
      tab.act();
      tab.session.destroy();
      expect(tab.listeners).toBe(0);
      const { state } = tab;
      const told = tab.told.length;
      await world.advance(2 * HOUR);
      expect(tab.state).toBe(state);
      expect(tab.told).toHaveLength(told);
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

  describe('whatever happens', () => {
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
  const network = (): Network =>
    oneOf('down', 'hanging', 'deaf', 'failing', 'redirecting', 'refusing', 'lying');

  // How often each of them happens, among a hundred.
  const happenings: Record<string, [number, () => unknown]> = {
    act: [26, () => awake((one) => one.act())],
    wait: [21, () => world.advance(upTo(20 * SECOND))],
    'wait long': [2, () => world.advance(upTo(2 * MINUTE))],
    fetch: [5, () => awake((one) => one.fetch())],
    poll: [7, () => awake((one) => one.fetch('passive'))],
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
          one.hearWord({ ...wordOf(world), sessionRef, ended: 'idle' });
        }),
    ],
    revoke: [1, () => upTo(20) === 0 && world.server.end('revoked')],
  };
  const names = Object.entries(happenings).flatMap(([name, [times]]) =>
    Array<string>(times).fill(name),
  );

  const done: string[] = [];
  for (let step = 0; step < 200; step++) {
    const name = oneOf(...names);
    done.push(name);
    await happenings[name]?.[1]();
    await world.advance(0);
    const after = `walk ${seed}, after ${done.join(', ')}`;
    expectNobodyLost(world, after);
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

/** With a network that works and pages that run, each tab says what the server says, give or take two seconds. */
async function expectSettled(world: FakeWorld, after: string) {
  const { server, tabs } = world;
  world.network = 'up';
  world.latencyMs = 20;
  for (const tab of tabs) if (tab.isFrozen) tab.comeBack();
  // What the server ends by itself is heard of with the next request.
  if (!server.isAlive()) void tabs[0]?.fetch('passive');
  // The longest that an answer is waited for, then the longest pause before asking again.
  await world.advance(41 * SECOND);
  const allowed = [-TOLERANCE, 0, TOLERANCE].map((inMs) => server.evaluation(null, inMs)?.state);
  const leftMs = server.deadline() - world.time;
  for (const { state } of tabs) {
    const says = state.state === 'signed-out' ? 'expired' : state.state;
    const wrong =
      !allowed.some((one) => one === says) ||
      (state.covered && !allowed.includes('expired')) ||
      (says !== 'expired' && !state.online) ||
      // Less is possible, where an answer was lost; never more.
      (says !== 'expired' && (state.expiresAt ?? 0) - world.wall > leftMs + TOLERANCE);
    if (!wrong) continue;
    throw new Error(`${JSON.stringify(state)} where the server says ${allowed.join()}: ${after}`);
  }
}
