import { describe, expect, it } from '@jest/globals';
import { isSessionRef, sessionRef } from './session-ref.js';

describe('sessionRef', () => {
  it('is short, fit for keys and URLs, and the same for the same session', () => {
    expect(sessionRef('an id')).toMatch(/^[\w-]{22}$/);
    expect(sessionRef('an id')).toBe(sessionRef('an id'));
  });

  it('stays what storages know a session by', () => {
    expect(sessionRef('an id')).toBe('mgEYn6rVmNcLwJhCIFIR5Q');
    expect(sessionRef('aaaé')).toBe('LVuCrp1rM7fHcQnnAL01xg');
  });

  it('tells sessions apart and gives no part of the id away', () => {
    const refs = ['abcdefgh', 'abcdefgi', 'abcdefgh '].map(sessionRef);
    expect(new Set(refs).size).toBe(3);
    expect(refs.join()).not.toContain('abcdefg');
  });
});

describe('isSessionRef', () => {
  it('knows a reference', () => {
    expect(isSessionRef(sessionRef('an id'))).toBe(true);
  });

  it.each([
    undefined,
    null,
    '',
    '#',
    22,
    [sessionRef('an id')],
    `${sessionRef('an id')} `,
    '#active',
  ])('does not take %j for one', (value) => {
    expect(isSessionRef(value)).toBe(false);
  });
});
