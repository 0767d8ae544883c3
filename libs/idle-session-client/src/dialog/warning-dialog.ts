import { loginAddress } from '../protocol/login-address.js';
import type { IdleSession } from '../session/idle-session.js';
import { dialogContent, isLocked, isWarning, type DialogContent } from './dialog-content.js';
import { DialogView } from './dialog-view.js';

export type ShownSession = Pick<
  IdleSession,
  'getState' | 'subscribe' | 'extend' | 'check' | 'signOut'
>;

const LOOK_AGAIN_MS = 1000;

/** Puts the dialog into a shadow root of its host. What it shows follows the session; returns how to stop. */
export function createWarningDialog(host: HTMLElement): (session: ShownSession) => () => void {
  let session: ShownSession | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let content: DialogContent | undefined;
  let coveredAt: number | undefined;
  let isDismissed = false;
  let hasWarned = false;
  let hasEnded = false;

  const view = new DialogView(host, {
    onStay: () => {
      if (content?.view === 'locked') return goUnlock();
      return hasEnded ? leave() : stay();
    },
    onSignOut: () => void session?.signOut(),
    onEscape: stay,
    onForm: update,
  });

  function show(next: DialogContent | undefined): void {
    content = next;
    view.render(content);
  }

  function update(): void {
    clearTimeout(timer);
    if (!session) return;
    if (isSpare()) return show(undefined);
    const state = session.getState();
    const now = Date.now();
    const warns = isWarning(state);
    isDismissed &&= warns;
    // A session that several components share may start anew.
    hasEnded &&= state.reason !== null;
    coveredAt = state.covered && !isLocked(state, now) ? (coveredAt ?? now) : undefined;
    const page = location.href;
    const hasUnlockForm = host.querySelector(':scope > [slot=unlock]') !== null;
    const previous = content;
    show(dialogContent({ state, now, coveredAt, isDismissed, hasUnlockForm, page, previous }));
    // On the page that unlocks. Where that is a route of a single-page app, not every way out of it causes an event.
    const untilLookMs = state.state === 'locked' ? LOOK_AGAIN_MS : undefined;
    const changesInMs = content ? content.changesInMs : untilLookMs;
    if (changesInMs !== undefined) timer = setTimeout(update, changesInMs);

    // Last, since listeners may change the state again.
    if (warns !== hasWarned) {
      hasWarned = warns;
      if (warns) dispatch('warning');
      else if (state.state === 'active') dispatch('extended');
    }
    if (state.reason && !hasEnded) {
      hasEnded = true;
      const isUnprevented = dispatch('expired', { reason: state.reason });
      if (isUnprevented && content && state.loginUrl !== null) leave();
    }
  }

  /** Whether another shows the same session: a page may add its own after the script has added one. */
  function isSpare(): boolean {
    const first = document.querySelector('idle-session-dialog');
    return first !== host && first?.session === session;
  }

  /** What Escape means, and the first button as long as the end has not come. */
  function stay(): void {
    if (content?.view === 'final') {
      isDismissed = true;
      update();
    } else if (content?.view === 'unreachable' && session?.getState().state === 'locked') {
      // Nothing extends it, and it may have ended.
      session.check();
    } else if (!hasEnded) void session?.extend();
  }

  /** Leaves this page in the history, where the person finds it again. */
  function goUnlock(): void {
    const { unlockUrl } = session!.getState();
    if (unlockUrl !== null) location.assign(addressOf(unlockUrl, 'locked'));
  }

  function leave(): void {
    const { loginUrl, reason } = session!.getState();
    if (loginUrl === null) return location.reload();
    // A person who signed out has nothing to come back to.
    location.replace(addressOf(loginUrl, reason ?? 'idle', reason !== 'signed-out'));
  }

  function dispatch(type: string, detail?: object): boolean {
    const cancelable = type === 'expired';
    return host.dispatchEvent(
      new CustomEvent(type, { bubbles: true, composed: true, cancelable, detail }),
    );
  }

  return (shown) => {
    const unsubscribe = shown.subscribe(update);
    const stopFollowing = view.followLanguage();
    // A way back to a page that is locked covers it before it is seen.
    addEventListener('popstate', update);
    session = shown;
    hasWarned = isDismissed = hasEnded = false;
    // Before the browser paints, and after a framework that adds its listeners only to what is in the page.
    queueMicrotask(update);
    return () => {
      unsubscribe();
      stopFollowing();
      removeEventListener('popstate', update);
      clearTimeout(timer);
      session = undefined;
      show(undefined);
    };
  };
}

/** Where the person gives a proof of who they are, and comes back from. */
function addressOf(url: string, reason: string, comesBack = true): URL {
  const { pathname, search, hash, href } = location;
  return new URL(loginAddress(url, reason, comesBack ? pathname + search + hash : undefined), href);
}
