import { CONCEALMENT, ROOM, STANDSTILL, STYLES } from './styles.js';

type Tags = HTMLElementTagNameMap;

/** The elements of the dialog, in a shadow root of its host. */
export interface DialogElements {
  readonly root: ShadowRoot;
  readonly dialog: HTMLDialogElement;
  readonly heading: HTMLElement;
  readonly text: HTMLElement;
  readonly note: HTMLElement;
  /** What a person sees of the time that is left. */
  readonly counter: HTMLElement;
  /** The same for assistive technology, rounded. */
  readonly time: HTMLElement;
  readonly message: HTMLElement;
  /** Read out at a few times only; the counter, which changes every second, is not. */
  readonly spoken: HTMLElement;
  /** Where the page's own form is, which no script of ours reads. */
  readonly unlock: HTMLSlotElement;
  readonly stay: HTMLButtonElement;
  readonly signOut: HTMLButtonElement;
  /** What is left, in a corner of the page. */
  readonly reminder: HTMLElement;
  /** For the page: keeps it from being seen and printed. */
  readonly concealment: CSSStyleSheet;
  /** For the page: keeps it from scrolling. */
  readonly standstill: CSSStyleSheet;
  /** For the page: keeps what has the focus from lying below the reminder. */
  readonly room: CSSStyleSheet;
}

export function createElements(host: HTMLElement): DialogElements {
  const heading = withSlot('h2', 'heading');
  const text = withSlot('p', 'text');
  const note = withSlot('p', 'note');
  const stay = withSlot('button', 'stay');
  const signOut = withSlot('button', 'sign-out');
  const counter = element('span', 'counter');
  counter.ariaHidden = 'true';
  const time = element('span', 'time');
  const message = withSlot('p', 'message');
  message.role = 'alert';
  message.hidden = true;
  const spoken = element('p', 'spoken');
  spoken.role = 'status';
  const unlock = element('slot', 'unlock');
  unlock.name = 'unlock';
  const buttons = document.createElement('div');
  buttons.append(stay, signOut);
  const dialog = element('dialog', 'dialog');
  dialog.role = 'alertdialog';
  dialog.setAttribute('aria-labelledby', 'heading');
  dialog.setAttribute('aria-describedby', 'text note');
  dialog.append(heading, text, note, message, spoken, unlock, buttons);
  stay.autofocus = true;
  const reminder = element('p', 'reminder');
  // Assistive technology finds it, and does not read each second out.
  reminder.role = 'timer';
  reminder.hidden = true;

  const root = host.attachShadow({ mode: 'open' });
  root.adoptedStyleSheets = [sheetOf(STYLES)];
  root.append(dialog, reminder);
  return {
    root,
    dialog,
    heading,
    text,
    note,
    counter,
    time,
    message,
    spoken,
    unlock,
    stay,
    signOut,
    reminder,
    concealment: sheetOf(CONCEALMENT),
    standstill: sheetOf(STANDSTILL),
    room: sheetOf(ROOM),
  };
}

function sheetOf(text: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}

/** Known by its name in the shadow root, and to the page's styles. */
function element<K extends keyof Tags>(tag: K, name: string): Tags[K] {
  const created = document.createElement(tag);
  created.id = name;
  created.setAttribute('part', name);
  return created;
}

/** With a slot in it, for what the page puts there instead. */
function withSlot<K extends keyof Tags>(tag: K, name: string): Tags[K] {
  const created = element(tag, name);
  created.append(document.createElement('slot'));
  return created;
}
