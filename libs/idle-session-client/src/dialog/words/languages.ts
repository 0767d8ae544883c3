import { cy } from './cy.js';
import { de } from './de.js';
import { en } from './en.js';
import { es } from './es.js';
import { fr } from './fr.js';
import { it } from './it.js';
import { nl } from './nl.js';
import { pt } from './pt.js';
import type { Words } from './words.js';

const LANGUAGES: Readonly<Record<string, Words>> = { en, fr, de, es, pt, it, nl, cy };

/** The language of a tag such as `pt-BR`, without its region; English if the tag is none. */
export function languageOf(tag: string): string {
  return /^[a-z]{2,3}\b/i.exec(tag)?.[0].toLowerCase() ?? 'en';
}

export function hasWords(language: string): boolean {
  return Object.hasOwn(LANGUAGES, language);
}

/** The built-in texts: English where the language has none. */
export function wordsOf(language: string): Words {
  return (hasWords(language) && LANGUAGES[language]) || en;
}
