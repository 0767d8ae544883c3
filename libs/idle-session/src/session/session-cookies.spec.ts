import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { countCookies, keepOnly, signedCookies } from './session-cookies.js';

const [NEW, OLD] = ['a new secret of many characters', 'an old secret of many characters'];
const secrets = [NEW, OLD];

const signed = (id: string, secret = NEW) => {
  const signature = createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '');
  return `sid=${encodeURIComponent(`s:${id}.${signature}`)}`;
};

/** What `trim()` takes for space, browsers and express-session do not, and a header may hold. */
const NO_SPACE = ['\xa0', '\v', '\f', '\ufeff', '\u2003'];

describe('signedCookies', () => {
  it('takes those that a secret signed, each once, in the browser’s order', () => {
    const header = `${signed('b')}; x=1; ${signed('a', OLD)}; ${signed('b')}`;
    expect([...signedCookies(header, 'sid', secrets)]).toEqual([
      ['b', signed('b')],
      ['a', signed('a', OLD)],
    ]);
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
    signed('a').replace('sid=s%3A', 'sid=t%3A'),
    signed('a').slice(0, -1),
    `${signed('a')}a`,
    ...NO_SPACE.map((character) => `${character}${signed('a')}`),
    ...NO_SPACE.map((character) => signed('a').replace('=', `${character}=`)),
    ...NO_SPACE.map((character) => signed('a') + character),
  ])('takes none of %j', (header) => {
    expect([...signedCookies(header, 'sid', secrets)]).toEqual([]);
  });
});

it.each([' ', '\t', ' \t '])('signedCookies takes %j at the ends for nothing', (space) => {
  const [name, value] = signed('a').split('=');
  const header = [space, name, space, '=', space, value, space].join('');
  expect([...signedCookies(header, 'sid', secrets).keys()]).toEqual(['a']);
});

it('countCookies counts those of the name', () => {
  expect(countCookies('sid=1;sid=2; asid=3; sidx=4; SID=5; sidx; sid; \xa0sid=6', 'sid')).toBe(2);
});

it('keepOnly leaves every other cookie as it is', () => {
  const header = `a=%41; sid=x; ${signed('a')};b="2"; ${signed('b')}`;
  expect(keepOnly(signed('b'), header, 'sid')).toBe(`a=%41; b="2"; ${signed('b')}`);
});
