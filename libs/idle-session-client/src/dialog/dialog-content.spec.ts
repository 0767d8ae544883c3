import { describe, expect, it } from '@jest/globals';
import { STARTING, type IdleSessionState } from '../session/state.js';
import { dialogContent, type DialogContent, type DialogSituation } from './dialog-content.js';

const NOW = 1_750_000_000_000;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

function stateWith(changes: Partial<IdleSessionState>): IdleSessionState {
  return {
    ...STARTING,
    state: 'active',
    expiresAt: NOW + 10 * MINUTE,
    absoluteExpiresAt: NOW + 12 * HOUR,
    idleTimeoutMs: 15 * MINUTE,
    warnBeforeMs: 2 * MINUTE,
    loginUrl: '/login',
    sessionRef: 'session-1',
    ...changes,
  };
}

const NO_TEXTS = { heading: undefined, text: undefined, note: undefined, button: undefined };

/** What is shown of a session that is active, but for these changes; what it does not say is undefined. */
function contentOf(
  changes: Partial<IdleSessionState>,
  situation: Partial<DialogSituation> = {},
): DialogContent | undefined {
  const content = dialogContent({
    state: stateWith(changes),
    now: NOW,
    coveredAt: undefined,
    isDismissed: false,
    hasUnlockForm: true,
    page: 'https://app.example/claims',
    previous: undefined,
    ...situation,
  });
  return content && { ...NO_TEXTS, ...content };
}

const warning = (leftMs = 2 * MINUTE) =>
  ({ state: 'warning', expiresAt: NOW + leftMs }) satisfies Partial<IdleSessionState>;

/** What is shown in a warning at each of these seconds before the end, one after the other. */
function countdown(...secondsLeft: number[]): (DialogContent | undefined)[] {
  let previous: DialogContent | undefined;
  return secondsLeft.map((seconds) => {
    previous = contentOf(warning(seconds * SECOND), { previous });
    return previous;
  });
}

describe('dialogContent', () => {
  it.each(['starting', 'active'] as const)('is closed while the session is %s', (state) => {
    expect(contentOf({ state })).toBeUndefined();
  });

  describe('in the warning', () => {
    it('offers to stay or to sign out, with the time that is left', () => {
      expect(contentOf(warning())).toEqual({
        view: 'warning',
        heading: 'heading',
        text: 'text',
        note: undefined,
        button: 'stay',
        countsDown: true,
        canSignOut: true,
        counter: '2:00',
        textSeconds: 120,
        step: 120,
        failed: false,
        busy: false,
        covers: false,
        changesInMs: 20,
      });
    });

    it('is busy while the server is asked to extend', () => {
      expect(contentOf({ ...warning(), state: 'extending' })).toMatchObject({
        view: 'warning',
        busy: true,
      });
    });

    it('says that an attempt has failed', () => {
      expect(contentOf({ ...warning(), failed: true })?.failed).toBe(true);
    });

    it('says that nothing can be extended where the absolute limit is what is near', () => {
      const expiresAt = NOW + MINUTE;
      expect(
        contentOf({ state: 'warning', expiresAt, absoluteExpiresAt: expiresAt }),
      ).toMatchObject({ view: 'final', note: 'fixed', button: 'continue', countsDown: true });
      expect(
        contentOf({ state: 'warning', expiresAt, absoluteExpiresAt: expiresAt + 2 * SECOND }),
      ).toMatchObject({ view: 'warning', note: undefined, button: 'stay' });
      expect(contentOf({ state: 'warning', expiresAt, absoluteExpiresAt: null })?.view).toBe(
        'warning',
      );
    });

    it('goes on counting in a corner once the person has read that', () => {
      const expiresAt = NOW + MINUTE;
      const state = { state: 'warning', expiresAt, absoluteExpiresAt: expiresAt } as const;
      const content = contentOf(state, { isDismissed: true });
      expect(content).toMatchObject({ view: 'reminder', counter: '1:00', covers: false });
      const covered = { coveredAt: NOW, isDismissed: true, previous: content };
      expect(contentOf({ ...state, covered: true }, covered)?.view).toBe('asking');
    });

    it('warns all the same once the session could be extended again', () => {
      expect(contentOf(warning(), { isDismissed: true })?.view).toBe('warning');
    });

    it.each([
      [125.2, '2:06'],
      [60, '1:00'],
      [59.1, '1:00'],
      [9, '0:09'],
      [0.4, '0:01'],
      [-3, '0:00'],
    ])('counts %d seconds down as %s', (seconds, counter) => {
      expect(contentOf(warning(seconds * SECOND))?.counter).toBe(counter);
    });

    it('changes again just after the next full second', () => {
      expect(contentOf(warning(90_300))?.changesInMs).toBe(320);
      expect(contentOf(warning(-300))?.changesInMs).toBe(720);
    });

    it('names the time anew at each full minute, and then at 60, 40 and 20 seconds', () => {
      const named = countdown(170, 121, 120, 119, 61, 60, 59, 41, 40, 21, 20, 19, 1).map(
        (content) => [content?.step, content?.textSeconds],
      );
      expect(named).toEqual([
        [180, 170],
        [180, 170],
        [120, 120],
        [120, 120],
        [120, 120],
        [60, 60],
        [60, 60],
        [60, 60],
        [40, 40],
        [40, 40],
        [20, 20],
        [20, 20],
        [20, 20],
      ]);
    });

    it('names no time of 0 seconds while the server is being asked', () => {
      expect(countdown(20, 0).at(-1)).toMatchObject({ textSeconds: 20, counter: '0:00' });
    });

    it.each([
      [118, 120],
      [94, 90],
      [20, 20],
      [17, 17],
    ])('rounds %d seconds to %d when it opens', (seconds, named) => {
      expect(contentOf(warning(seconds * SECOND))?.textSeconds).toBe(named);
    });
  });

  describe('on a page that is covered', () => {
    const covered = { ...warning(0), covered: true };

    it('covers it without a word at first, where nothing was shown before', () => {
      expect(contentOf({ covered: true }, { coveredAt: NOW })).toMatchObject({
        view: 'asking',
        heading: undefined,
        button: undefined,
        covers: true,
        countsDown: false,
      });
    });

    it('goes on with what was shown before', () => {
      const previous = contentOf(warning(SECOND));
      expect(contentOf(covered, { coveredAt: NOW, previous })).toMatchObject({
        view: 'warning',
        covers: true,
        counter: '0:00',
      });
    });

    it('says that the server cannot be reached once an answer is late', () => {
      expect(contentOf(covered, { coveredAt: NOW - 1500 })?.view).toBe('asking');
      expect(contentOf(covered, { coveredAt: NOW - 1501 })).toMatchObject({
        view: 'unreachable',
        heading: 'unreachable',
        text: 'kept',
        button: 'retry',
        covers: true,
        countsDown: false,
      });
    });

    it('says so at once where that is known already', () => {
      expect(contentOf({ ...covered, online: false }, { coveredAt: NOW })?.view).toBe(
        'unreachable',
      );
    });

    it('covers it also where the person has dismissed the warning', () => {
      const situation = { coveredAt: NOW, isDismissed: true };
      expect(contentOf(covered, situation)?.covers).toBe(true);
    });
  });

  describe('while the session is locked', () => {
    const locked = { state: 'locked', covered: true, unlockUrl: '/unlock' } as const;
    const contentWhile = (
      changes: Partial<IdleSessionState>,
      situation: Partial<DialogSituation> = {},
    ) => contentOf({ ...locked, ...changes }, situation);

    it('covers the page, and has the form of the page and a way to sign out', () => {
      expect(contentWhile({})).toMatchObject({
        view: 'locked',
        heading: 'locked',
        text: 'kept',
        note: undefined,
        button: undefined,
        countsDown: false,
        canSignOut: true,
        covers: true,
      });
    });

    it('leads to another page where this one has no form, and does not say that the work stays', () => {
      expect(contentWhile({}, { hasUnlockForm: false })).toMatchObject({
        text: undefined,
        button: 'unlock-page',
        canSignOut: true,
      });
      expect(contentWhile({ unlockUrl: null }, { hasUnlockForm: false })).toMatchObject({
        button: undefined,
        canSignOut: true,
      });
    });

    it('says when the session ends as soon as it would warn of it, and again later', () => {
      let previous: DialogContent | undefined;
      const said = [121, 120, 119, 61, 60, 40, 39].map((seconds) => {
        const expiresAt = NOW + seconds * SECOND;
        previous = contentWhile({ expiresAt }, { previous });
        return previous?.note && previous.textSeconds;
      });
      expect(said).toEqual([undefined, 120, 120, 120, 60, 40, 40]);
    });

    it('stays while the server does not answer', () => {
      expect(contentWhile({ online: false })?.view).toBe('locked');
      expect(contentWhile({ failed: true })).toMatchObject({ view: 'locked', failed: true });
    });

    it('says nothing of the lock once the end is due and the server is known not to answer', () => {
      const known = contentWhile({ expiresAt: NOW, online: false }, { coveredAt: NOW });
      expect(known?.view).toBe('unreachable');
    });

    it('goes on for the moment that the server is asked at the end, and then says that it does not answer', () => {
      const previous = contentWhile({ expiresAt: NOW + SECOND });
      const atEnd = (waitedMs: number) =>
        contentWhile({ expiresAt: NOW }, { coveredAt: NOW - waitedMs, previous });
      expect(atEnd(0)).toMatchObject({ view: 'locked', note: 'text', textSeconds: 1 });
      expect(atEnd(1501)?.view).toBe('unreachable');
    });

    it('is closed on the page that unlocks', () => {
      const page = 'https://app.example/unlock?returnTo=%2Fclaims';
      expect(contentWhile({}, { page })).toBeUndefined();
      expect(contentWhile({ unlockUrl: null }, { page })?.view).toBe('locked');
    });
  });

  describe('after the end', () => {
    const ended = { state: 'expired', reason: 'idle', covered: true } as const;
    const signedOut = { state: 'signed-out', reason: 'signed-out', covered: true } as const;

    it('says that the person was signed out, and covers the page', () => {
      expect(contentOf(ended, { coveredAt: NOW })).toMatchObject({
        view: 'ended',
        heading: 'ended',
        text: undefined,
        button: 'continue',
        covers: true,
        countsDown: false,
        changesInMs: undefined,
      });
    });

    it('says that the person is signed out after they did it themselves', () => {
      expect(contentOf(signedOut, { coveredAt: NOW })).toMatchObject({
        view: 'signed-out',
        heading: 'signed-out',
        covers: true,
      });
    });

    it('is closed on the login page, where no session was alive', () => {
      const page = 'https://app.example/login?reason=idle';
      expect(contentOf({ ...ended, sessionRef: null }, { page })).toBeUndefined();
      expect(contentOf({ ...ended, sessionRef: null })?.view).toBe('ended');
      expect(contentOf(ended, { page })?.view).toBe('ended');
      expect(contentOf({ ...ended, sessionRef: null, loginUrl: null }, { page })?.view).toBe(
        'ended',
      );
    });
  });
});
