import { STYLES } from './styles.js';

type Tags = HTMLElementTagNameMap;

export type DialogElements = ReturnType<typeof createElements>;

/** Creates the elements of the dialog, in a shadow root of its host. */
export function createElements(host: HTMLElement) {
  const elements = {
    dialog: element('dialog', 'dialog'),
    heading: withSlot('h2', 'heading'),
    text: withSlot('p', 'text'),
    note: withSlot('p', 'note'),
    /** What a person sees of the time that is left. */
    counter: element('span', 'counter'),
    message: withSlot('p', 'message'),
    /** Read out at a few times only; the counter, which changes every second, is not. */
    spoken: element('p', 'spoken'),
    /** Where the page's own form is, which no script of ours reads. */
    unlock: element('slot', 'unlock'),
    stay: withSlot('button', 'stay'),
    signOut: withSlot('button', 'sign-out'),
    /** What is left, in a corner of the page. */
    reminder: element('p', 'reminder'),
  };
  const { dialog, counter, message, spoken, unlock, stay, reminder } = elements;
  dialog.role = 'alertdialog';
  dialog.setAttribute('aria-labelledby', 'heading');
  dialog.setAttribute('aria-describedby', 'text note');
  counter.ariaHidden = 'true';
  message.role = 'alert';
  spoken.role = 'status';
  // Assistive technology finds it, and does not read each second out.
  reminder.role = 'timer';
  message.hidden = reminder.hidden = true;
  unlock.name = 'unlock';
  stay.autofocus = true;
  const buttons = document.createElement('div');
  buttons.append(stay, elements.signOut);
  dialog.append(elements.heading, elements.text, elements.note, message, spoken, unlock, buttons);

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLES);
  const root = host.attachShadow({ mode: 'open' });
  root.adoptedStyleSheets = [sheet];
  root.append(dialog, reminder);
  return elements;
}

/** Known by its name in the shadow root, and to the page's styles. */
export function element<K extends keyof Tags>(tag: K, name: string): Tags[K] {
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
