import { describe, expect, it } from '@jest/globals';
import { FakeWorld, HOUR, MINUTE, SECOND, type Network } from '../../testing/fake-world.js';
import { END, expectNear } from '../../testing/scenario.js';
import type { EndReason } from '../protocol/end-reason.js';
import { IdleSession } from './idle-session.js';
import '../../testing/quiet-console.js';

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
      for (const path of [undefined, '/auth/idle', '/auth/idle/']) {
        const session = new IdleSession(path === undefined ? {} : { path }, {
          now: () => tab.now(),
          elapsed: () => tab.elapsed(),
          createTimer: (signal) => tab.createTimer(signal),
          request: async (asked, _, idleForMs) => {
            paths.push(`${idleForMs === undefined ? 'GET' : 'POST'} ${asked}`);
            return { status: 200, body: world.server.status() };
          },
          withLock: (name, run) => tab.withLock(name, run),
          listen: () => {},
          postToTabs: () => {},
        });
        session.start();
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
});
