import type { IdleSessionState } from '../session/state.js';
import { isSamePage } from './same-page.js';
import type { TextKey } from './words/words.js';

/**
 * `final`: the absolute limit is what is near, and staying cannot help. `asking`: covers the page, and says nothing for
 * the moment that the server takes to answer. `reminder`: the person has read `final`, and sees in a corner what is left.
 */
type View =
  'warning' | 'final' | 'reminder' | 'locked' | 'asking' | 'unreachable' | 'ended' | 'signed-out';

interface Texts {
  readonly heading?: TextKey;
  readonly text?: TextKey;
  readonly note?: TextKey;
  readonly button?: TextKey;
}

/** Everything that the dialog shows at one moment. */
export interface DialogContent extends Texts {
  readonly view: View;
  /** Whether the time left is shown. */
  readonly countsDown: boolean;
  readonly canSignOut: boolean;
  /** Such as '1:59'. */
  readonly counter: string;
  /** The time that the text names. It changes only where the dialog is to be read out again. */
  readonly textSeconds: number;
  readonly step: number;
  /** The last attempt to stay or to sign out did not reach the server. */
  readonly failed: boolean;
  /** The server has been asked to extend, and has not answered yet. */
  readonly busy: boolean;
  /** Nothing of the page is to be seen. */
  readonly covers: boolean;
  /** When something changes by itself; undefined: nothing will. */
  readonly changesInMs: number | undefined;
}

export interface DialogSituation {
  readonly state: IdleSessionState;
  /** Of `Date.now()`. */
  readonly now: number;
  /** Since when the page has been covered for want of an answer, and not by a lock. */
  readonly coveredAt: number | undefined;
  /** The person has read that nothing can be extended. */
  readonly isDismissed: boolean;
  /** The page has put its own form to unlock the session into the dialog. */
  readonly hasUnlockForm: boolean;
  /** The address of the page. */
  readonly page: string;
  /** What is shown already. */
  readonly previous: DialogContent | undefined;
}

const TEXTS: Readonly<Record<View, Texts>> = {
  warning: { heading: 'heading', text: 'text', button: 'stay' },
  final: { heading: 'heading', text: 'text', note: 'fixed', button: 'continue' },
  reminder: {},
  locked: { heading: 'locked', text: 'kept' },
  asking: {},
  unreachable: { heading: 'unreachable', text: 'kept', button: 'retry' },
  ended: { heading: 'ended', button: 'continue' },
  'signed-out': { heading: 'signed-out', button: 'continue' },
};

const SECOND_MS = 1000;

/** Timers aim so far past the full second, so as not to find it still to come. */
const PAST_MS = 20;

/** How long the page may be covered without an answer before the dialog says that the server cannot be reached. */
const ANSWER_MS = 1500;

/** What the dialog shows; undefined: it is closed. */
export function dialogContent(situation: DialogSituation): DialogContent | undefined {
  const { state, now, previous } = situation;
  const view = viewOf(situation);
  if (!view) return undefined;
  const countsDown = view === 'warning' || view === 'final' || view === 'reminder';
  const remainingMs = (state.expiresAt ?? 0) - now;
  const seconds = Math.max(0, Math.ceil(remainingMs / SECOND_MS));
  const untilSecondMs = remainingMs - Math.floor(remainingMs / SECOND_MS) * SECOND_MS;
  const texts = { ...TEXTS[view], ...(view === 'locked' && lockedTexts(situation, remainingMs)) };
  const isSame = previous?.view === view && previous.note === texts.note;
  return {
    view,
    ...texts,
    ...announcement(seconds, isSame ? previous : undefined),
    countsDown,
    canSignOut: countsDown || view === 'locked',
    counter: `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`,
    // Its heading says so already.
    failed: state.failed && view !== 'unreachable',
    busy: state.state === 'extending',
    covers: state.covered || !countsDown,
    changesInMs: state.reason ? undefined : untilSecondMs + PAST_MS,
  };
}

/** Where the way to unlock leads to another page, the work in this one may be lost. */
function lockedTexts({ state, hasUnlockForm }: DialogSituation, remainingMs: number): Texts {
  const endsSoon = remainingMs <= (state.warnBeforeMs ?? 0);
  return {
    ...(endsSoon && { note: 'text' }),
    ...(!hasUnlockForm && {
      text: undefined,
      button: state.unlockUrl === null ? undefined : 'unlock-page',
    }),
  };
}

export function isWarning({ state }: IdleSessionState): boolean {
  return state === 'warning' || state === 'extending';
}

/** Whether the session is locked and goes on: once its end is due, the page waits for the server. */
export function isLocked({ state, expiresAt }: IdleSessionState, now: number): boolean {
  return state === 'locked' && (expiresAt ?? 0) > now;
}

function viewOf(situation: DialogSituation): View | undefined {
  const { state, now, coveredAt, isDismissed, page, previous } = situation;
  const { loginUrl, unlockUrl, sessionRef, expiresAt, absoluteExpiresAt, online } = state;
  if (state.reason) {
    // Never alive in this page, and already there: nothing to cover, and nowhere to go.
    if (sessionRef === null && loginUrl !== null && isSamePage(loginUrl, page)) return undefined;
    return state.state === 'signed-out' ? 'signed-out' : 'ended';
  }
  if (isLocked(state, now)) {
    return unlockUrl !== null && isSamePage(unlockUrl, page) ? undefined : 'locked';
  }
  if (coveredAt !== undefined) {
    const isLate = now - coveredAt > ANSWER_MS;
    const isShown = previous !== undefined && previous.view !== 'reminder';
    if (!online || isLate) return 'unreachable';
    return isShown ? previous.view : 'asking';
  }
  if (!isWarning(state)) return undefined;
  const isFinal = absoluteExpiresAt !== null && absoluteExpiresAt <= (expiresAt ?? 0) + SECOND_MS;
  if (!isFinal) return 'warning';
  return isDismissed ? 'reminder' : 'final';
}

/** The time left is named anew at each full minute, and then at 60, 40 and 20 seconds. */
function announcement(
  seconds: number,
  previous: DialogContent | undefined,
): Pick<DialogContent, 'step' | 'textSeconds'> {
  const size = seconds > 60 ? 60 : 20;
  const step = Math.ceil(seconds / size) * size;
  // Not "in 0 seconds" while the server is being asked.
  if (previous && (step === previous.step || seconds === 0)) {
    return { step: previous.step, textSeconds: previous.textSeconds };
  }
  return { step, textSeconds: seconds < 20 ? seconds : Math.round(seconds / 10) * 10 };
}
