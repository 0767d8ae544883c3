import type { DialogContent } from './dialog-content.js';
import { createElements, element, type DialogElements } from './dialog-elements.js';
import { PageExposure } from './page-exposure.js';
import { isBuried, keepPlace, leaveNothingBehind } from './page-place.js';
import { PageStyle } from './page-style.js';
import { PageTitle } from './page-title.js';
import { CONCEALMENT, ROOM, STANDSTILL } from './styles.js';
import { clearForms, firstFieldOf, isInField } from './unlock-form.js';
import { duration } from './words/duration.js';
import { languageOf, loadWords, wordsOf } from './words/languages.js';
import { words as english } from './words/en.js';
import type { TextKey } from './words/words.js';

/** For how long after it opened, and after each key since, keys do not answer: they were meant for the page. */
const GRACE_MS = 1000;

export interface DialogActions {
  readonly onStay: () => void;
  readonly onSignOut: () => void;
  readonly onEscape: () => void;
  /** The page has put its form to unlock the session in, or taken it out. */
  readonly onForm: () => void;
}

/** Renders the dialog's content into a shadow root of its host. */
export class DialogView {
  #shown: DialogContent | undefined;
  #language = 'en';
  /** Gives the page back what opening the dialog took from it; undefined while the dialog is closed. */
  #givePlaceBack: (() => void) | undefined;
  /** Until when keys are not meant for the dialog. */
  #graceUntil = 0;
  /** What in the dialog had the focus last. */
  #focused: HTMLElement | undefined;
  readonly #exposure = new PageExposure();
  readonly #title = new PageTitle();
  readonly #style = new PageStyle();
  readonly #host: HTMLElement;
  readonly #elements: DialogElements;

  constructor(host: HTMLElement, { onStay, onSignOut, onEscape, onForm }: DialogActions) {
    this.#host = host;
    this.#elements = createElements(host);
    const { dialog, stay, signOut, unlock } = this.#elements;
    stay.onclick = onStay;
    signOut.onclick = onSignOut;
    unlock.addEventListener('slotchange', onForm);
    dialog.addEventListener('focusin', (event) => {
      this.#focused = event.composedPath()[0] as HTMLElement;
    });
    // Escape. Where the browser closes nevertheless, as for the second one in a row, only `close` tells.
    dialog.oncancel = (event) => {
      event.preventDefault();
      if (!this.#isInGrace()) onEscape();
    };
    dialog.onkeydown = (event) => {
      // The form of the page is to be written in at once.
      if (isInField(event.target) || !(this.#isInGrace() || event.repeat)) return;
      event.preventDefault();
      this.#graceUntil = performance.now() + GRACE_MS;
    };
    // Or a click beside the buttons, or on a text, would take the focus off them.
    dialog.onmousedown = (event) => {
      const [target] = event.composedPath();
      if (!(target as Element).closest('button, [slot=unlock]')) event.preventDefault();
    };
    dialog.onclose = () => {
      // Closed by this view, or open again.
      if (!this.#givePlaceBack || dialog.open) return;
      this.#open();
      if (!this.#isInGrace()) onEscape();
    };
  }

  /** Also renders in another language once the page has one; returns how to stop. */
  followLanguage(): () => void {
    const observer = new MutationObserver(() => {
      // To render anew moves the focus.
      if (languageOf(this.#lang) !== this.#language) this.#renderAnew();
    });
    observer.observe(document, { subtree: true, attributeFilter: ['lang'] });
    return () => observer.disconnect();
  }

  readonly #renderAnew = (): void => {
    const content = this.#shown;
    this.#shown = undefined;
    this.render(content);
  };

  /** In the order of the top layer, what opens later lies above. */
  readonly #onToggle = (event: Event): void => {
    const isOpening = (event as ToggleEvent).newState === 'open';
    // After the end, a dialog of the app may ask to sign in.
    if (isOpening && this.#shown?.changesInMs !== undefined) this.#open(true);
  };

  #isInGrace(): boolean {
    return performance.now() < this.#graceUntil;
  }

  render(content: DialogContent | undefined): void {
    const previous = this.#shown;
    this.#shown = content;
    if (previous?.view === 'locked' && content?.view !== 'locked') clearForms(this.#host);
    // A locked page has another text once its form is there.
    const isOther = content?.view !== previous?.view || content?.text !== previous?.text;
    // Also while nothing is shown, so that the texts are there by then, when there may be no network.
    if (isOther || !content) this.#setLanguage();
    this.#setTitle(content);
    if (!this.#remind(content)) return this.#close(content ? ROOM : '');

    const { dialog, heading, text, note, counter, message, stay, signOut, unlock } = this.#elements;
    // Not read out.
    counter.textContent = '';
    if (isOther) {
      this.#write(heading, content.heading);
      this.#write(stay, content.button);
      this.#write(signOut, 'sign-out');
      counter.hidden = !content.countsDown;
      signOut.hidden = !content.canSignOut;
      stay.hidden = !content.button;
      unlock.hidden = content.view !== 'locked';
    }
    if (isOther || content.step !== previous?.step || content.note !== previous.note) {
      this.#writeText(content);
      this.#write(note, content.note, content.textSeconds);
      // What names the time.
      const timed = content.countsDown ? text : note;
      this.#announce(isOther ? [heading, text, note] : [timed]);
    }
    counter.textContent = content.counter;
    if (content.failed === message.hidden) {
      this.#write(message, 'failed');
      message.hidden = !content.failed;
      // The message may push the button out of sight.
      this.#focused?.scrollIntoView({ block: 'nearest' });
    }
    stay.ariaDisabled = String(content.busy);
    dialog.className = content.covers ? `cover ${content.view}` : '';
    this.#style.set(content.covers ? STANDSTILL + CONCEALMENT : STANDSTILL);
    this.#open();
    if (content.covers && !previous?.covers) leaveNothingBehind();
    // The button that had the focus may have gone.
    if (!isOther) return;
    const field = content.view === 'locked' ? firstFieldOf(this.#host) : null;
    (field ?? (stay.hidden ? signOut : stay)).focus();
  }

  /** For who looks at another tab: what is left, and nothing of a page that is covered. */
  #setTitle(content: DialogContent | undefined): void {
    if (!content) return this.#title.set(undefined);
    const { covers, heading, textSeconds } = content;
    if (covers) return this.#title.set(() => (heading ? this.#wordsOf(heading)[0] : location.host));
    const [left, language] = this.#wordsOf('left');
    const said = left.replace('{time}', () => duration(language, textSeconds, 'short'));
    this.#title.set((own) => `${said} – ${own}`);
  }

  /** Shows what is left beside the page, where that is all; returns what the dialog is to show. */
  #remind(content: DialogContent | undefined): content is DialogContent {
    const { reminder } = this.#elements;
    const reminds = content?.view === 'reminder';
    reminder.hidden = !reminds;
    if (reminds) reminder.textContent = this.#wordsOf('left')[0].replace('{time}', content.counter);
    return content !== undefined && !reminds;
  }

  #announce(parts: HTMLElement[]): void {
    const { dialog, spoken } = this.#elements;
    // What is there when the dialog opens is read out without.
    spoken.textContent = dialog.open ? parts.map((part) => part.textContent).join('\n') : '';
  }

  /** Names the time once: to the eye as the counter, to assistive technology rounded. */
  #writeText({ text: key, textSeconds, countsDown }: DialogContent): void {
    const { text, counter } = this.#elements;
    // Below a text that has no place for it.
    text.append(counter);
    const slot = this.#write(text, key, textSeconds);
    if (countsDown && !slot.assignedNodes()[0]) slot.firstElementChild?.before(counter);
  }

  /** With the time in an element of its own. */
  #write(target: HTMLElement, key: TextKey | undefined, seconds = 0): HTMLSlotElement {
    const slot = target.firstElementChild as HTMLSlotElement;
    const [words, language] = key ? this.#wordsOf(key) : ['', ''];
    const [before = '', after] = words.split('{time}');
    slot.name = key ?? '';
    slot.textContent = before;
    if (after === undefined) return slot;
    const time = element('span', 'time');
    time.textContent = duration(language, seconds);
    slot.append(time, after);
    return slot;
  }

  /** The text of that name, and its language. */
  #wordsOf(key: TextKey): [text: string, language: string] {
    const text = this.#host.getAttribute(key) ?? wordsOf(this.#language)?.[key];
    return text === undefined ? [english[key], 'en'] : [text, this.#language];
  }

  /** The tag of the page's language, where the dialog is. */
  get #lang(): string {
    return (this.#host.closest<HTMLElement>('[lang]') ?? document.documentElement).lang;
  }

  #setLanguage(): void {
    const { dialog, reminder } = this.#elements;
    const lang = this.#lang;
    this.#language = languageOf(lang);
    loadWords(this.#language, this.#renderAnew);
    // English in a page of another language has to say that it is, and which way it is read.
    const hasOwn = this.#host.matches('[heading]') || this.#host.querySelector('[slot=heading]');
    const isForeign = !wordsOf(this.#language) && !hasOwn;
    dialog.lang = reminder.lang = isForeign ? 'en' : lang;
    dialog.dir = reminder.dir = isForeign ? 'ltr' : '';
  }

  #open(isBelow = false): void {
    const { dialog } = this.#elements;
    const focused = this.#focused;
    this.#exposure.show(this.#host);
    if (dialog.open) {
      if (!isBelow && !isBuried(this.#host)) return;
      // Below a dialog that the app opened later: to open again puts it on top.
      dialog.close();
    } else if (!this.#givePlaceBack) {
      this.#givePlaceBack = keepPlace(this.#host);
      this.#graceUntil = performance.now() + GRACE_MS;
      document.addEventListener('toggle', this.#onToggle, true);
    }
    dialog.showModal();
    focused?.focus();
  }

  #close(pageStyle: string): void {
    const { dialog } = this.#elements;
    this.#style.set(pageStyle);
    document.removeEventListener('toggle', this.#onToggle, true);
    if (!dialog.open) return;
    // The browser gives the focus back, unless what had it is gone.
    dialog.close();
    this.#exposure.giveBack();
    this.#givePlaceBack?.();
    this.#givePlaceBack = this.#focused = undefined;
  }
}
