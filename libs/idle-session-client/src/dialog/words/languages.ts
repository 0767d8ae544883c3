import { words as en } from './en.js';
import type { Words } from './words.js';

/** A page needs one of them, so each is a file of its own. English is always there. */
const LANGUAGES: Readonly<Record<string, () => Promise<{ readonly words: Words }>>> = {
  fr: () => import('./fr.js'),
  de: () => import('./de.js'),
  es: () => import('./es.js'),
  pt: () => import('./pt.js'),
  it: () => import('./it.js'),
  nl: () => import('./nl.js'),
  cy: () => import('./cy.js'),
};

const files: Record<string, Promise<void> | undefined> = {};
const loaded: Record<string, Words | undefined> = { en };

/** The language of a tag such as `pt-BR`, without its region; English if the tag is none. */
export function languageOf(tag: string): string {
  return /^[a-z]{2,3}\b/i.exec(tag)?.[0].toLowerCase() ?? 'en';
}

/** Loads the texts of a language, if it has some, and calls back once they are there. What cannot be had is asked for once. */
export function loadWords(language: string, onLoaded: () => void): void {
  if (loaded[language]) return;
  files[language] ??= LANGUAGES[language]?.().then(({ words }) => void (loaded[language] = words));
  files[language]?.then(onLoaded, () => {});
}

/** The texts of a language; undefined: they are not there, or not yet. */
export function wordsOf(language: string): Words | undefined {
  return loaded[language];
}
