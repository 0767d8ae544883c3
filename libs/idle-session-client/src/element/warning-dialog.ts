import type { IdleSession } from '../idle-session.js';
import type { IdleSessionState } from '../state.js';
import { isLogin, loginAddress } from './login-address.js';
import { CONCEALMENT, STYLES } from './styles.js';
import { duration, hasWords, languageOf, wordsOf, type Key } from './words.js';

export type ShownSession = Pick<IdleSession, 'getState' | 'subscribe' | 'extend' | 'signOut'>;

/**
 * `final`: the absolute limit is what is near, and staying cannot help. `asking`: covers the page, and says nothing for
 * the moment that the server takes to answer.
 */
type View = 'warning' | 'final' | 'asking' | 'unreachable' | 'ended' | 'signed-out';

type Contents = readonly [heading: Key | '', text: Key | '', note: Key | '', button: Key | ''];

const CONTENTS: Readonly<Record<View, Contents>> = {
  warning: ['heading', 'text', '', 'stay'],
  final: ['heading', 'text', 'fixed', 'continue'],
  asking: ['', '', '', ''],
  unreachable: ['unreachable', 'kept', '', 'retry'],
  ended: ['ended', '', '', 'continue'],
  'signed-out': ['signed-out', '', '', 'continue'],
};

const SECOND_MS = 1000;

/** Timers aim so far past the full second, so as not to find it still to come. */
const PAST_MS = 20;

/** How long the page may be covered without an answer before the server is said to be out of reach. */
const ANSWER_MS = 1500;

/** Puts the dialog into a shadow root of its host. What it shows follows the session; returns how to stop. */
export function createWarningDialog(host: HTMLElement): (session: ShownSession) => () => void {
  const heading = slotted('h2', 'heading');
  const text = slotted('p', 'text');
  const note = slotted('p', 'note');
  const stay = slotted('button', 'stay');
  const signOut = slotted('button', 'sign-out');
  const counter = element('p', 'counter');
  counter.ariaHidden = 'true';
  const message = slotted('p', 'message');
  message.role = 'alert';
  message.hidden = true;
  /** Read out at a few times only; the counter, which changes every second, is not. */
  const spoken = element('p', 'spoken');
  spoken.role = 'status';
  const buttons = document.createElement('div');
  buttons.append(stay, signOut);
  const dialog = element('dialog', 'dialog');
  dialog.role = 'alertdialog';
  dialog.setAttribute('aria-labelledby', 'heading');
  dialog.setAttribute('aria-describedby', 'text note');
  dialog.append(heading, text, note, counter, message, spoken, buttons);
  stay.autofocus = true;

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLES);
  const concealment = new CSSStyleSheet();
  concealment.replaceSync(CONCEALMENT);
  concealment.disabled = true;
  document.adoptedStyleSheets.push(concealment);
  const root = host.attachShadow({ mode: 'open' });
  root.adoptedStyleSheets = [sheet];
  root.append(dialog);

  let session: ShownSession | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let view: View | undefined;
  let language = 'en';
  let warned = false;
  /** The person has read that nothing can be extended. */
  let dismissed = false;
  let over = false;
  let coveredAt: number | undefined;
  let step = 0;
  let hadFocus = false;

  stay.onclick = () => (over ? leave() : remain());
  signOut.onclick = () => void session?.signOut();
  // Escape. Where the browser closes nevertheless, as for the second one in a row, only `close` tells.
  dialog.oncancel = (event) => {
    event.preventDefault();
    remain();
  };
  // Or a click beside the buttons would take the focus off them.
  dialog.onmousedown = (event) => {
    if (event.target === dialog) event.preventDefault();
  };
  dialog.onclose = () => {
    // Closed by us, or open again.
    if (!view || dialog.open) return;
    open();
    remain();
  };

  function render(): void {
    clearTimeout(timer);
    if (!session) return;
    if (isSpare()) {
      view = undefined;
      return close();
    }
    const state = session.getState();
    const warns = isWarning(state);
    dismissed &&= warns;
    coveredAt = state.covered ? (coveredAt ?? Date.now()) : undefined;
    show(nextView(state), state);

    if (view && !isOver(state)) {
      const untilNextSecond = ((remainingMs(state) % SECOND_MS) + SECOND_MS) % SECOND_MS;
      timer = setTimeout(render, untilNextSecond + PAST_MS);
    }
    // Last, since who hears of it may change the state again.
    if (warns !== warned) {
      warned = warns;
      if (warns) tell('warning');
      else if (state.state === 'active') tell('extended');
    }
    if (isOver(state) && !over) {
      over = true;
      const unprevented = tell('expired', { reason: state.reason });
      if (unprevented && view && state.loginUrl !== null) leave();
    }
  }

  /** Whether another shows the same session: a page may add its own after the script has added one. */
  function isSpare(): boolean {
    const first = document.querySelector('idle-session-dialog');
    return first !== host && first?.session === session;
  }

  function nextView(state: IdleSessionState): View | undefined {
    const { loginUrl, sessionRef, expiresAt, absoluteExpiresAt, online } = state;
    if (isOver(state)) {
      // Never alive in this page, and already there: nothing to cover, and nowhere to go.
      if (sessionRef === null && loginUrl !== null && isLogin(loginUrl, location.href)) return;
      return state.state === 'signed-out' ? 'signed-out' : 'ended';
    }
    if (coveredAt !== undefined) {
      const isLate = Date.now() - coveredAt > ANSWER_MS;
      return online && !isLate ? (view ?? 'asking') : 'unreachable';
    }
    if (!isWarning(state) || dismissed) return;
    const isFinal = absoluteExpiresAt !== null && absoluteExpiresAt <= expiresAt! + SECOND_MS;
    return isFinal ? 'final' : 'warning';
  }

  function show(next: View | undefined, state: IdleSessionState): void {
    const changed = next !== view;
    view = next;
    if (!view) return close();

    const [headingKey, textKey, noteKey, buttonKey] = CONTENTS[view];
    const counts = textKey === 'text';
    const seconds = Math.max(0, Math.ceil(remainingMs(state) / SECOND_MS));
    if (changed) {
      setLanguage();
      write(heading, headingKey);
      write(note, noteKey);
      write(stay, buttonKey);
      write(signOut, 'sign-out');
      counter.hidden = signOut.hidden = !counts;
    }
    // Not "in 0 seconds" while the server is being asked.
    if (changed || (counts && stepOf(seconds) !== step && seconds > 0)) {
      step = stepOf(seconds);
      write(text, textKey, roundedOf(seconds));
      const parts = changed ? [heading, text, note] : [text];
      // What is there when it opens is read out without.
      spoken.textContent = dialog.open ? parts.map((part) => part.textContent).join('\n') : '';
    }
    counter.textContent = clockOf(seconds);
    if (state.failed === message.hidden) {
      write(message, 'unreachable');
      message.hidden = !state.failed;
    }
    stay.ariaDisabled = String(state.state === 'extending');
    const covers = state.covered || !counts;
    dialog.classList.toggle('cover', covers);
    dialog.classList.toggle('asking', view === 'asking');
    concealment.disabled = !covers;
    open();
    // The button that had the focus may have gone.
    if (changed) stay.focus();
  }

  function write(target: HTMLElement, key: Key | '', seconds = 0): void {
    const slot = target.firstElementChild as HTMLSlotElement;
    const own = key && host.getAttribute(key);
    const used = own || hasWords(language) ? language : 'en';
    slot.name = key;
    slot.textContent =
      key && (own ?? wordsOf(used, key)).replace('{time}', () => duration(used, seconds));
  }

  function setLanguage(): void {
    const { lang } = host.closest<HTMLElement>('[lang]') ?? document.documentElement;
    language = languageOf(lang);
    // English in a page of another language has to say that it is, and which way it is read.
    const foreign = !hasWords(language) && !host.matches('[heading], :not(:empty)');
    dialog.lang = foreign ? 'en' : lang;
    dialog.dir = foreign ? 'ltr' : '';
  }

  function open(): void {
    if (!dialog.open) hadFocus = document.activeElement !== document.body;
    else if (!isBuried(host)) return;
    // Below a dialog that the app opened later: to open again puts it on top.
    else dialog.close();
    // Left by dialogs that hide all else from assistive technology.
    host.removeAttribute('aria-hidden');
    dialog.showModal();
  }

  function close(): void {
    concealment.disabled = true;
    if (!dialog.open) return;
    // The browser gives the focus back, unless what had it is gone.
    dialog.close();
    const lost = root.activeElement !== null || document.activeElement === document.body;
    if (hadFocus && lost) focusMain();
  }

  /** What Escape means, and the first button as long as the end has not come. */
  function remain(): void {
    if (view === 'final') {
      dismissed = true;
      render();
    } else if (!over) void session?.extend();
  }

  function leave(): void {
    const { loginUrl, reason } = session!.getState();
    if (loginUrl === null) location.reload();
    else location.replace(loginAddress(loginUrl, reason, location.href));
  }

  function tell(type: string, detail?: object): boolean {
    const cancelable = type === 'expired';
    return host.dispatchEvent(
      new CustomEvent(type, { bubbles: true, composed: true, cancelable, detail }),
    );
  }

  return (shown) => {
    const unsubscribe = shown.subscribe(render);
    session = shown;
    warned = dismissed = over = false;
    render();
    return () => {
      unsubscribe();
      clearTimeout(timer);
      session = view = undefined;
      close();
    };
  };
}

function isWarning({ state }: IdleSessionState): boolean {
  return state === 'warning' || state === 'extending';
}

function isOver({ state }: IdleSessionState): boolean {
  return state === 'expired' || state === 'signed-out';
}

function remainingMs({ expiresAt }: IdleSessionState): number {
  return (expiresAt ?? 0) - Date.now();
}

/** Each full minute, and then 60, 40 and 20 seconds: what is left is said when this changes. */
function stepOf(seconds: number): number {
  const size = seconds > 60 ? 60 : 20;
  return Math.ceil(seconds / size) * size;
}

function roundedOf(seconds: number): number {
  return seconds < 20 ? seconds : Math.round(seconds / 10) * 10;
}

function clockOf(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Whether another dialog lies over all of it: what is below a modal dialog cannot be hit. */
function isBuried(host: HTMLElement): boolean {
  const [x, y] = [innerWidth / 2, innerHeight / 2];
  const root = host.getRootNode() as Document | ShadowRoot;
  return !host.contains(root.elementFromPoint(x, y)) && document.elementFromPoint(x, y) !== null;
}

function focusMain(): void {
  const main = document.querySelector<HTMLElement>('main, h1');
  if (main && !main.hasAttribute('tabindex')) {
    main.tabIndex = -1;
    main.addEventListener('blur', () => main.removeAttribute('tabindex'), { once: true });
  }
  main?.focus({ preventScroll: true });
}

type Tags = HTMLElementTagNameMap;

/** Of that name in its root, and to the page's styles. */
function element<K extends keyof Tags>(tag: K, name: string): Tags[K] {
  const made = document.createElement(tag);
  made.id = name;
  made.setAttribute('part', name);
  return made;
}

/** With a slot in it, for what the page puts there instead. */
function slotted<K extends keyof Tags>(tag: K, name: string): Tags[K] {
  const made = element(tag, name);
  made.append(document.createElement('slot'));
  return made;
}
