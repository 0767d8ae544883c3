import { describe, expect, it } from '@jest/globals';
import { FakeWorld, MINUTE, SECOND } from '../../testing/fake-world.js';
import { END, signedIn, timeUntil } from '../../testing/scenario.js';
import type { EndReason } from '../protocol/end-reason.js';
import { createIdleSession } from './create-idle-session.js';
import '../../testing/quiet-console.js';

describe('IdleSession', () => {
  describe('signal', () => {
    it.each<EndReason>(['idle', 'absolute', 'signed-out', 'revoked', 'lost'])(
      'aborts when the session has ended as %s, with an AbortError that says so',
      async (reason) => {
        const { world, tab } = await signedIn();
        const { signal } = tab.session;
        const seen: unknown[] = [];
        signal.addEventListener('abort', () => seen.push(tab.state.reason));
        world.server.end(reason);
        void tab.fetch();
        await world.advance(SECOND);
        expect(seen).toEqual([reason]);
        expect(signal.reason).toBeInstanceOf(DOMException);
        expect(signal.reason).toMatchObject({ name: 'AbortError', message: reason });
      },
    );

    it('aborts when the idle timeout has passed', async () => {
      const { world, tab } = await signedIn();
      await world.advance(END - 2 * SECOND);
      expect(tab.session.signal.aborted).toBe(false);
      await world.advance(2 * SECOND);
      expect(tab.session.signal.reason).toMatchObject({ message: 'idle' });
    });

    it('aborts in every tab when the person signs out in one', async () => {
      const { world, tabs } = await signedIn({ tabs: 3 });
      void tabs[0]?.session.signOut();
      await world.advance(SECOND);
      for (const { session } of tabs)
        expect(session.signal.reason).toMatchObject({ message: 'signed-out' });
    });

    it('aborts where another tab was left by the form that signed the person out', async () => {
      const { world, tab } = await signedIn();
      world.server.end('signed-out');
      tab.page('posted');
      await world.advance(SECOND);
      expect(tab.session.signal.aborted).toBe(true);
    });

    it('does not abort where a sign-out did not reach the server', async () => {
      const { world, tab } = await signedIn();
      world.network = 'down';
      void tab.session.signOut();
      await world.advance(SECOND);
      expect(tab.session.signal.aborted).toBe(false);
    });

    it('aborts where another person has signed in', async () => {
      const { world, tab } = await signedIn();
      world.server.signIn();
      tab.page('online');
      await world.advance(SECOND);
      expect(tab.session.signal.aborted).toBe(true);
    });

    it('does not abort while the page is covered and the server does not answer', async () => {
      const { world, tab } = await signedIn();
      await world.advance(MINUTE);
      world.network = 'down';
      await world.advance(END);
      expect(tab.state.covered).toBe(true);
      expect(tab.session.signal.aborted).toBe(false);
      world.network = 'up';
      await timeUntil(world, () => tab.session.signal.aborted, MINUTE);
      expect(tab.session.signal.aborted).toBe(true);
    });

    it('is the same when the browser restores a page whose session goes on', async () => {
      const { world, tab } = await signedIn();
      const { signal } = tab.session;
      tab.leave();
      await world.advance(MINUTE);
      tab.comeBack();
      await world.advance(SECOND);
      expect(tab.session.signal).toBe(signal);
      expect(signal.aborted).toBe(false);
    });

    it('aborts when the browser restores a page whose session has ended', async () => {
      const { world, tab } = await signedIn();
      tab.leave();
      world.server.end('signed-out');
      tab.comeBack();
      await world.advance(SECOND);
      expect(tab.session.signal.aborted).toBe(true);
    });

    it('does not abort on a public page that is opened after signing out', async () => {
      const world = new FakeWorld();
      world.server.signIn();
      world.server.end('signed-out');
      const tab = world.open();
      await world.advance(MINUTE);
      expect(tab.session.signal.aborted).toBe(false);
    });

    it('does not abort when the page stops the client', async () => {
      const { world, tab } = await signedIn();
      tab.session.destroy();
      world.server.end('revoked');
      await world.advance(END);
      expect(tab.session.signal.aborted).toBe(false);
    });

    it('never aborts on a server', () => {
      const session = createIdleSession();
      session.check();
      expect(session.signal.aborted).toBe(false);
    });
  });

  describe('check()', () => {
    it('learns of an end at once', async () => {
      const { world, tab } = await signedIn();
      await world.advance(MINUTE);
      world.server.end('revoked');
      tab.session.check();
      await world.advance(100);
      expect(tab.state).toMatchObject({ state: 'expired', reason: 'revoked', covered: true });
    });

    it('extends nothing', async () => {
      const { world, tab } = await signedIn();
      await world.advance(5 * MINUTE);
      const deadline = world.server.deadline();
      tab.session.check();
      await world.advance(SECOND);
      expect(world.server.deadline()).toBe(deadline);
      expect(tab.state.state).toBe('active');
      expect(tab.sentTo('heartbeat')).toEqual([]);
    });

    it('does not go by a request that was sent before the end', async () => {
      const { world, tab } = await signedIn();
      await world.advance(MINUTE);
      world.tardyMs = 300;
      tab.page('online');
      await world.advance(100);
      world.tardyMs = 0;
      world.server.end('revoked');
      tab.session.check();
      await world.advance(SECOND);
      expect(tab.state.state).toBe('expired');
    });

    it('asks once, however many streams are closed at a time', async () => {
      const { world, tab } = await signedIn();
      await world.advance(MINUTE);
      const sent = world.sent.length;
      for (let n = 0; n < 10; n++) tab.session.check();
      await world.advance(SECOND);
      expect(world.sent.length - sent).toBe(1);
    });

    it('asks nothing once the session has ended', async () => {
      const { world, tab } = await signedIn();
      void tab.session.signOut();
      await world.advance(SECOND);
      const sent = world.sent.length;
      tab.session.check();
      await world.advance(SECOND);
      expect(world.sent.length).toBe(sent);
    });
  });
});
