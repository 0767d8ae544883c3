/** What the offer of a draft says, and what its two buttons do. */
export interface DraftWords {
  readonly unsent: string;
  readonly restore: string;
  readonly discard: string;
}

const WORDS = {
  en: { unsent: 'Unsent entries', restore: 'Restore', discard: 'Discard' },
  fr: { unsent: 'Saisie non envoyée', restore: 'Restaurer', discard: 'Supprimer' },
  de: { unsent: 'Nicht gesendete Eingaben', restore: 'Wiederherstellen', discard: 'Verwerfen' },
  es: { unsent: 'Datos sin enviar', restore: 'Restaurar', discard: 'Descartar' },
  pt: { unsent: 'Dados não enviados', restore: 'Restaurar', discard: 'Descartar' },
  it: { unsent: 'Dati non inviati', restore: 'Ripristina', discard: 'Elimina' },
  nl: { unsent: 'Niet-verzonden gegevens', restore: 'Herstellen', discard: 'Verwijderen' },
  cy: { unsent: 'Manylion heb eu hanfon', restore: 'Adfer', discard: 'Dileu' },
} satisfies Record<string, DraftWords>;

/** The language of the nearest `lang`, or English where it has no words. */
export function draftLanguageOf(place: Element): keyof typeof WORDS {
  // A form's fields named `closest` and `lang` hide what it has itself.
  const named = Element.prototype.closest.call(place, '[lang]');
  const lang = named?.getAttribute('lang') ?? '';
  const language = lang.toLowerCase().split('-')[0]!;
  return Object.hasOwn(WORDS, language) ? (language as keyof typeof WORDS) : 'en';
}

export function draftWordsOf(language: keyof typeof WORDS): DraftWords {
  return WORDS[language];
}
