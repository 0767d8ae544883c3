import { describe, expect, it } from '@jest/globals';
import { isWord } from './tabs.js';

describe('isWord', () => {
  const word = {
    sessionRef: 'session-1',
    saidAt: 1,
    expiresAt: 2,
    absoluteExpiresAt: null,
    beatAt: -Infinity,
  };

  it('knows the words of a tab', () => {
    expect(isWord(word)).toBe(true);
    expect(isWord({ ...word, ended: 'idle' })).toBe(true);
  });

  it.each([
    undefined,
    null,
    'session-1',
    {},
    { ...word, sessionRef: null },
    { ...word, expiresAt: undefined },
    { ...word, saidAt: undefined },
    { ...word, beatAt: null },
  ])('does not mind %j, which something else may have said', (value) => {
    expect(isWord(value)).toBe(false);
  });
});
