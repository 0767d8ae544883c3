import { draftLanguageOf, draftWordsOf } from './words.js';

/** Assistive technology announces what changes in a region that it knows already. */
const ANNOUNCE_MS = 100;

export interface OfferChoices {
  readonly onRestore: () => void;
  readonly onDiscard: () => void;
}

/** Offers a draft above its form, until the person chooses. Returns how to take the offer away. */
export function showOffer(
  form: HTMLFormElement,
  savedAt: number,
  { onRestore, onDiscard }: OfferChoices,
): () => void {
  const language = draftLanguageOf(form);
  const { unsent, restore, discard } = draftWordsOf(language);
  // A draft lives for a day, so its weekday tells which day it is from.
  const time = new Date(savedAt).toLocaleString(language, {
    weekday: 'long',
    hour: 'numeric',
    minute: 'numeric',
  });
  const box = document.createElement('output');
  const addChoice = (label: string, run: () => void) => {
    const button = document.createElement('button');
    button.textContent = label;
    button.onclick = () => {
      run();
      box.remove();
      // The focus was on a button that is gone now.
      form.tabIndex = -1;
      // A field named `focus` hides the method.
      HTMLElement.prototype.focus.call(form);
    };
    box.append(' ', button);
  };
  box.className = 'idle-session-draft';
  box.lang = language;
  form.insertAdjacentElement('beforebegin', box);
  setTimeout(() => {
    box.append(`${unsent} (${time})`);
    addChoice(restore, onRestore);
    addChoice(discard, onDiscard);
  }, ANNOUNCE_MS);
  return () => box.remove();
}
