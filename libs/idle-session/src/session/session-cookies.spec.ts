import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { countCookies, keepOnly, signedSessionIds } from './session-cookies.js';

const [NEW, OLD] = ['a new secret of many characters', 'an old secret of many characters'];
const secrets = [NEW, OLD];

const signed = (id: string, secret = NEW) => {
  const signature = createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '');
  return `sid=${encodeURIComponent(`s:${id}.${signature}`)}`;
};

describe('signedSessionIds', () => {
  it('takes those that a secret signed, each once, in the browser’s order', () => {
    const header = `${signed('b')}; x=1; ${signed('a', OLD)}; ${signed('b')}`;
    expect(signedSessionIds(header, 'sid', secrets)).toEqual(['b', 'a']);
  });

  it.each([
    '',
    'sid',
    'sid=',
    'sid=s%3A',
    'sid=s%3A.',
    'sid=s%3Aa.b',
    'sid=%E0%A4%A',
    signed('a', 'a secret of another app'),
    `x${signed('a')}`,
    signed('a').replace('s%3Aa', 's%3Ab'),
  ])('takes none of %j', (header) => {
    expect(signedSessionIds(header, 'sid', secrets)).toEqual([]);
  });
});

it('countCookies counts those of the name', () => {
  expect(countCookies('sid=1;sid=2; asid=3; sidx=4; SID=5', 'sid')).toBe(2);
});

it('keepOnly leaves every other cookie as it is', () => {
  const header = `a=%41; sid=x; ${signed('a')};b="2"; ${signed('b')}`;
  expect(keepOnly('b', header, 'sid', secrets)).toBe(`a=%41; b="2"; ${signed('b')}`);
});
