/** What the offer of a draft says, what takes it and what refuses it, by language. */
const WORDS: Partial<Record<string, readonly [string, string, string]>> = {
  fr: ['Saisie non envoyée', 'Restaurer', 'Supprimer'],
  de: ['Nicht gesendete Eingaben', 'Wiederherstellen', 'Verwerfen'],
  es: ['Datos sin enviar', 'Restaurar', 'Descartar'],
  pt: ['Dados por enviar', 'Restaurar', 'Descartar'],
  it: ['Dati non inviati', 'Ripristina', 'Elimina'],
  nl: ['Niet-verzonden gegevens', 'Herstellen', 'Verwijderen'],
  cy: ['Cofnodion heb eu hanfon', 'Adfer', 'Dileu'],
};

/** The words in the language of where they will be; in English if that is not known. */
export function draftWords(place: Element): readonly [string, string, string, string] {
  const lang = place.closest<HTMLElement>('[lang]')?.lang.slice(0, 2) ?? '';
  const words = WORDS[lang];
  return words ? [lang, ...words] : ['en', 'Unsent entries', 'Restore', 'Discard'];
}
