import { describe, expect, it } from '@jest/globals';
import { draftKey } from './draft-key.js';

const SECRET = 'a secret of more than sixteen characters';

describe('draftKey', () => {
  it('is 32 bytes as base64url, always the same for the same owner and secret', () => {
    expect(draftKey(SECRET, 'ada')).toMatch(/^[\w-]{43}$/);
    expect(draftKey(SECRET, 'ada')).toBe(draftKey(SECRET, 'ada'));
    expect(draftKey(Buffer.from(SECRET), 'ada')).toBe(draftKey(SECRET, 'ada'));
  });

  it('differs for every owner and every secret', () => {
    const keys = [
      draftKey(SECRET, 'ada'),
      draftKey(SECRET, 'Ada'),
      draftKey(SECRET, ''),
      draftKey(SECRET, 'ada\0'),
      draftKey(`${SECRET}!`, 'ada'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
