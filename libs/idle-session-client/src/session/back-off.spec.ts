import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeWorld, HOUR, MINUTE, SECOND } from '../../testing/fake-world.js';
import type { FakeResponse } from '../../testing/fake-server.js';
import { expectNear, messageOf, signedIn, type, warned } from '../../testing/scenario.js';

/** Each of these comes with the `Server-Timing` of a live session, as a response of the app does. */
const remainingMs = 5 * MINUTE;

/** What a page may get in the place of the server's own answer. */
const WRONG_ANSWERS: [string, Omit<FakeResponse, 'remainingMs'>][] = [
  ['200 with an envelope', { status: 200, body: { success: true, data: { state: 'active' } } }],
  ['200 with another status', { status: 200, body: { state: 'fine' } }],
  ['200 without JSON', { status: 200, body: undefined }],
  ['204', { status: 204, body: undefined }],
  ['302 of a proxy', { status: 302, body: undefined }],
  ['304', { status: 304, body: undefined }],
  ['400', { status: 400, body: { statusCode: 400 } }],
  ['401 of another guard', { status: 401, body: { statusCode: 401 } }],
  ['403 of a CSRF middleware', { status: 403, body: { message: 'invalid csrf token' } }],
  ['404', { status: 404, body: undefined }],
  ['429', { status: 429, body: { statusCode: 429 } }],
  ['500', { status: 500, body: { error: true } }],
  ['502 of a proxy', { status: 502, body: undefined }],
  ['503', { status: 503, body: { status: 503 } }],
  ['an opaque answer', { status: 0, body: undefined }],
];

/** 2, 4, 8, 16 seconds and then every 30: twelve in five minutes; heartbeats may come with a status each. */
const MOST_IN_FIVE_MINUTES = 2 * 14;

let warn: jest.SpiedFunction<typeof console.warn>;
beforeEach(() => {
  warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => void jest.restoreAllMocks());

describe('IdleSession', () => {
  it.each(WRONG_ANSWERS)(
    'says once in the console who is in its way, and of no outage: %s',
    async (_, answer) => {
      const { world, tab } = await signedIn();
      world.intercept = (path) => (path === 'heartbeat' ? answer : undefined);
      await type(world, tab, 5 * MINUTE);
      const line = `/idle-session/heartbeat ${answer.status}, see docs/troubleshooting.md`;
      expect(warn.mock.calls).toEqual(answer.status < 500 ? [[line]] : []);
    },
  );

  it('says nothing in the console while the server itself answers, and when it ends the session', async () => {
    const { world, tab } = await signedIn();
    await type(world, tab, 5 * MINUTE);
    await world.advance(16 * MINUTE);
    expect(tab.state.state).toBe('expired');
    expect(warn).not.toHaveBeenCalled();
  });

  it('says in the console that a sign-out was refused', async () => {
    const { world, tab } = await signedIn();
    world.intercept = (path) => (path === 'sign-out' ? { status: 403, body: {} } : undefined);
    void tab.session.signOut();
    await world.advance(SECOND);
    expect(warn.mock.calls).toEqual([['/idle-session/sign-out 403, see docs/troubleshooting.md']]);
  });

  describe.each([true, false])('where observers come first (%p)', (observersFirst) => {
    const answering = (world: FakeWorld, answer: FakeResponse, only?: string) => {
      world.observersFirst = observersFirst;
      world.intercept = (path) =>
        path !== 'busy' && path !== 'passive' && (!only || path === only) ? answer : undefined;
    };

    it.each(WRONG_ANSWERS)('asks by its back-off as it starts: %s', async (_, answer) => {
      for (const timing of [{ remainingMs }, {}]) {
        const world = new FakeWorld();
        world.server.signIn();
        answering(world, { ...answer, ...timing });
        world.open();
        await world.advance(5 * SECOND);
        expect(world.sent.length).toBeLessThanOrEqual(3);
        await world.advance(5 * MINUTE);
        expect(world.sent.length).toBeLessThanOrEqual(15);
        expect(world.sent.length).toBeGreaterThanOrEqual(8);
      }
    });

    it.each(WRONG_ANSWERS)(
      'asks by its back-off in a page that has started: %s',
      async (_, answer) => {
        for (const timing of [{ remainingMs }, { remainingMs: 90 * SECOND }, {}]) {
          for (const only of [undefined, 'heartbeat', 'status']) {
            const { world, tab } = await signedIn();
            const before = world.sent.length;
            answering(world, { ...answer, ...timing }, only);
            await type(world, tab, 5 * MINUTE);
            expect(world.sent.length - before).toBeLessThanOrEqual(MOST_IN_FIVE_MINUTES);
            const typed = world.sent.length;
            await world.advance(5 * MINUTE);
            expect(world.sent.length - typed).toBeLessThanOrEqual(MOST_IN_FIVE_MINUTES);
          }
        }
      },
    );

    it('waits as long as Retry-After says', async () => {
      const world = new FakeWorld();
      world.server.signIn();
      answering(world, { status: 429, body: {}, retryAfterMs: MINUTE, remainingMs });
      const tab = world.open();
      await world.advance(59 * SECOND);
      expect(world.sent.length).toBe(1);
      await world.advance(2 * SECOND);
      expect(world.sent.length).toBe(2);
      world.intercept = undefined;
      await world.advance(MINUTE);
      expect(tab.state.state).toBe('active');
    });

    it('sends no heartbeat before Retry-After is over', async () => {
      const { world, tab } = await signedIn({
        policy: { idleTimeoutMs: 3 * MINUTE, warnBeforeMs: false },
      });
      answering(
        world,
        { status: 429, body: {}, retryAfterMs: 2 * MINUTE, remainingMs },
        'heartbeat',
      );
      await type(world, tab, 50 * SECOND, SECOND);
      const sent = world.sentTo('heartbeat').length;
      expect(sent).toBe(1);
      await type(world, tab, 100 * SECOND, SECOND);
      expect(world.sentTo('heartbeat').length).toBe(1);
    });

    it('asks by its back-off where the app itself answers 401 all the time', async () => {
      const { world, tab } = await signedIn();
      world.observersFirst = observersFirst;
      const before = world.sent.length;
      for (let second = 0; second < 300; second++) {
        tab.observe({ status: 401, expiresInMs: 10 * MINUTE, requestedAgoMs: 5 });
        await world.advance(SECOND);
      }
      expect(world.sent.length - before).toBeLessThanOrEqual(15);
    });

    it('asks by its back-off where another app on the site tells of a session', async () => {
      const world = new FakeWorld();
      world.observersFirst = observersFirst;
      const tab = world.open();
      for (let count = 0; count < 3000; count++) {
        tab.observe({ status: 200, expiresInMs: 10 * MINUTE, requestedAgoMs: 5 });
        await world.advance(100);
      }
      expect(world.sent.length).toBeLessThanOrEqual(16);
    });

    it('asks by its back-off where the server says at the deadline that a moment is left', async () => {
      const { world } = await signedIn();
      answering(world, { status: 200, body: { ...world.server.status(), expiresInMs: 1 } });
      await world.advance(15 * MINUTE);
      const before = world.sent.length;
      await world.advance(5 * MINUTE);
      expect(world.sent.length - before).toBeLessThanOrEqual(15);
    });

    it('asks by its back-off where the server says that the lock is a moment away', async () => {
      for (const warnBeforeMs of [2 * MINUTE, false] as const) {
        const { world } = await signedIn({ policy: { lockAfterMs: 5 * MINUTE, warnBeforeMs } });
        answering(world, { status: 200, body: { ...world.server.status(), locksInMs: 1 } });
        await world.advance(5 * MINUTE);
        const before = world.sent.length;
        await world.advance(5 * MINUTE);
        expect(world.sent.length - before).toBeLessThanOrEqual(15);
      }
    });

    it.each([
      ['end', { warnBeforeMs: null, expiresInMs: 500 }],
      ['warning', { warnBeforeMs: 2 * MINUTE, expiresInMs: 2 * MINUTE + 500 }],
    ])(
      'asks by its back-off where the server says that the %s is a moment away',
      async (_, wrong) => {
        const { world } = await signedIn();
        answering(world, { status: 200, body: { ...world.server.status(), ...wrong } });
        await world.advance(15 * MINUTE);
        const before = world.sent.length;
        await world.advance(5 * MINUTE);
        expect(world.sent.length - before).toBeLessThanOrEqual(15);
      },
    );

    it('asks by its back-off where another tab tells again and again of what is to come', async () => {
      const { world, tab } = await signedIn();
      answering(world, { status: 429, body: {}, retryAfterMs: MINUTE });
      const before = world.sent.length;
      for (let second = 0; second < 60; second++) {
        tab.receiveMessage({ ...messageOf(world), requestedAt: world.wall + HOUR });
        await world.advance(SECOND);
      }
      expect(world.sent.length - before).toBeLessThanOrEqual(2);
    });

    it.each([{ idleTimeoutMs: 1 }, { locksInMs: 1 }])(
      'sends no heartbeat with every key where the server answers %j',
      async (wrong) => {
        const { world, tab } = await signedIn();
        answering(world, { status: 200, body: { ...world.server.status(), ...wrong } });
        await type(world, tab, 5 * MINUTE, 250);
        expect(world.sent.length).toBeLessThanOrEqual(300);
      },
    );

    describe('where activity extends', () => {
      it('extends by its back-off, and then by what was done meanwhile', async () => {
        const { world, tab } = await warned({ options: { extendOnActivity: true } });
        answering(world, { status: 429, body: {}, retryAfterMs: MINUTE }, 'heartbeat');
        await type(world, tab, 59 * SECOND, 250);
        expect(world.sentTo('heartbeat').length).toBe(1);
        expect(tab.state.state).toBe('warning');
        world.intercept = undefined;
        await world.advance(2 * SECOND);
        expect(tab.state.state).toBe('active');
        expectNear(world.server.lastActivityAt(), world.time);
      });

      it('extends by its back-off where the answer puts nothing off', async () => {
        const { world, tab } = await warned({ options: { extendOnActivity: true } });
        const body = { ...world.server.status(), expiresInMs: 90 * SECOND };
        answering(world, { status: 200, body }, 'heartbeat');
        await type(world, tab, MINUTE, 250);
        expect(world.sentTo('heartbeat').length).toBeLessThanOrEqual(7);
      });
    });

    it('warns in time though it may not ask yet', async () => {
      const { world, tab } = await signedIn();
      await world.advance(12 * MINUTE);
      for (let second = 0; second < 63; second++) {
        tab.observe({ status: 401, expiresInMs: undefined, requestedAgoMs: 5 });
        await world.advance(SECOND);
      }
      expect(tab.state.state).toBe('warning');
    });
  });

  describe('after an outage that was shorter than its Retry-After said', () => {
    const out = (status: number): FakeResponse => ({ status, body: {}, retryAfterMs: HOUR });

    it.each(['an answer to this tab', 'a response of the app'])(
      'keeps a person who types once %s has come',
      async (what) => {
        const { world, tab } = await signedIn();
        world.intercept = () => out(503);
        await type(world, tab, 2 * MINUTE);
        expect(tab.state.online).toBe(false);
        world.intercept = undefined;
        if (what === 'a response of the app') void tab.fetch('passive');
        else tab.page('online');
        await world.advance(SECOND);
        expect(tab.state.online).toBe(true);
        await type(world, tab, 20 * MINUTE);
        expect(tab.states.map(({ state }) => state)).not.toContain('warning');
        expect(world.time - world.server.lastActivityAt()).toBeLessThan(62 * SECOND);
      },
    );

    it('still waits as long as a limit of requests says', async () => {
      const { world, tab } = await signedIn();
      world.intercept = (path) => (path === 'heartbeat' ? out(429) : undefined);
      await type(world, tab, 2 * MINUTE);
      void tab.fetch('passive');
      await type(world, tab, 10 * MINUTE);
      expect(world.sentTo('heartbeat').length).toBe(1);
    });
  });

  it("sends the app's headers with every request, and asks a function for them each time", async () => {
    let requests = 0;
    const { world, tab } = await signedIn({
      options: { headers: () => ({ 'X-CSRF-Token': `token-${++requests}` }) },
    });
    void tab.session.signOut();
    await world.advance(SECOND);
    expect(world.sent.map(({ path, headers }) => [path, headers])).toEqual([
      ['status', { 'X-CSRF-Token': 'token-1' }],
      ['sign-out', { 'X-CSRF-Token': 'token-2' }],
    ]);
  });

  it("sends the app's headers of an object", async () => {
    const { world } = await signedIn({ options: { headers: { 'X-Tenant': 'desk' } } });
    expect(world.sent[0]?.headers).toEqual({ 'X-Tenant': 'desk' });
  });
});
