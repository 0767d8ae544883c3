import { beforeAll, describe, expect, it } from '@jest/globals';
import { duration } from './duration.js';
import { languageOf, loadWords, wordsOf } from './languages.js';

const OTHERS = ['fr', 'de', 'es', 'pt', 'it', 'nl', 'cy'];

const load = (language: string) => new Promise<void>((resolve) => loadWords(language, resolve));

/** What a language has, without how it names a unit. */
const textsOf = (language: string) => ({ ...wordsOf(language)!, unit: '–' });

beforeAll(async () => {
  await Promise.all(OTHERS.map(load));
});

describe('languageOf', () => {
  it.each([
    ['de', 'de'],
    ['pt-BR', 'pt'],
    ['EN-gb', 'en'],
    ['haw', 'haw'],
    ['', 'en'],
    ['x', 'en'],
  ])('finds the language of "%s"', (tag, language) => {
    expect(languageOf(tag)).toBe(language);
  });
});

describe('wordsOf', () => {
  it.each(['en', ...OTHERS])(
    'has a text for everything in %s, with a place for the time',
    (language) => {
      const words = textsOf(language);
      for (const text of Object.values(words)) expect(text).toMatch(/\S/);
      expect(words.text).toContain('{time}');
      expect(words.left).toContain('{time}');
    },
  );

  it.each(['en', ...OTHERS])(
    'ends sentences in %s with a full stop, and nothing else',
    (language) => {
      const { text, fixed, failed, kept, ...labels } = textsOf(language);
      for (const sentence of [text, fixed, failed, kept]) expect(sentence).toMatch(/[^.]\.$/);
      for (const label of Object.values(labels)) expect(label).not.toContain('.');
    },
  );

  it.each(['en', ...OTHERS])('has the apostrophes of print in %s', (language) => {
    for (const text of Object.values(textsOf(language))) expect(text).not.toMatch(/\w'\w/);
  });

  it('is nothing where there are no words', () => {
    expect(wordsOf('ja')).toBeUndefined();
  });
});

describe('duration', () => {
  it.each([
    ['en', 120, '2 minutes'],
    ['en', 60, '1 minute'],
    ['en', 90, '90 seconds'],
    ['en', 200, '3 minutes'],
    ['en', 1, '1 second'],
    ['de', 120, '2 Minuten'],
    ['cy', 60, '1 funud'],
    ['cy', 120, '2 funud'],
    ['cy', 300, '5 munud'],
    ['cy', 40, '40 eiliad'],
  ])('says in %s how long %d seconds are', (language, seconds, text) => {
    expect(duration(language, seconds)).toBe(text);
  });

  it.each([
    ['en', 120, '2 min'],
    ['de', 40, '40 Sek.'],
    ['cy', 120, '2 funud'],
  ])('says it in %s in short, %d seconds', (language, seconds, text) => {
    expect(duration(language, seconds, 'short')).toBe(text);
  });
});
