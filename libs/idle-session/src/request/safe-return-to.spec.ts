import { describe, expect, it } from '@jest/globals';
import { safeReturnTo } from './safe-return-to.js';

describe('safeReturnTo', () => {
  it.each([
    '/',
    '/claims/7',
    '/claims/7?tab=notes&page=2#comments',
    '/search?q=a%20b&next=https://elsewhere.example//x',
    '/caf%C3%A9',
    '/@ada',
    '/user@evil.example',
    '/:80',
    '/javascript:alert(1)',
    '/a//b',
    `/${'a'.repeat(2047)}`,
  ])('keeps a path of the site: %s', (path) => {
    expect(safeReturnTo(path)).toBe(path);
  });

  it.each([
    ['/claims/../admin?x=1', '/admin?x=1'],
    ['/a b', '/a%20b'],
    ['/café', '/caf%C3%A9'],
  ])('gives %s as the browser would resolve it', (path, resolved) => {
    expect(safeReturnTo(path)).toBe(resolved);
  });

  it.each([
    '//evil.example',
    '//evil.example/%2f..',
    '///evil.example',
    '////evil.example',
    '//user@evil.example',
    '//[::1]',
    '/\\evil.example',
    '/\\/evil.example',
    '\\\\evil.example',
    '\\/evil.example',
    '/a\\b',
    '/.//evil.example',
    '/..//evil.example',
    '/a/..//evil.example',
    '/%2e//evil.example',
    '/%2E%2e//evil.example',
    '/.\\/evil.example',
    '/\t/evil.example',
    '\t//evil.example',
    '/\n/evil.example',
    '/\r/evil.example',
    '/\r\nSet-Cookie: sid=evil',
    '/\u0000/evil.example',
    '/\u007f',
    ' //evil.example',
    ' /claims',
    'https://evil.example',
    'https:evil.example',
    'HTTPS://evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    'evil.example',
    '@evil.example',
    '?returnTo=/',
    '#hash',
    '',
    `/${'a'.repeat(2048)}`,
    `/${'é'.repeat(400)}`,
    `/search?q=${'é'.repeat(400)}`,
    `/#${'語'.repeat(300)}`,
  ])('refuses what would leave the site, is no path or is longer than 2 kB: %j', (path) => {
    expect(safeReturnTo(path)).toBe('/');
  });

  it.each([
    '/%09/evil.example',
    '/%5cevil.example',
    '/%2f/evil.example',
    '/%2fevil.example',
    '/%0d%0aevil',
    '/%00',
  ])('may keep what is only encoded, since it stays on the site: %s', (path) => {
    const site = 'https://claims.example';
    expect(new URL(safeReturnTo(path), site).origin).toBe(site);
    expect(safeReturnTo(path)).not.toMatch(/^\/[/\\]/);
  });

  it.each([undefined, null, 7, true, {}, ['/claims'], ['//evil.example'], () => '/claims'])(
    'refuses what is no string: %p',
    (value) => {
      expect(safeReturnTo(value)).toBe('/');
    },
  );

  it('is safe to use on its own result', () => {
    for (const path of ['/a/./b', '/a b?c d#e f', '/%2e%2e/x']) {
      expect(safeReturnTo(safeReturnTo(path))).toBe(safeReturnTo(path));
    }
  });

  it('gives the fallback that it is told to', () => {
    expect(safeReturnTo('//evil.example', '/home')).toBe('/home');
    expect(safeReturnTo(undefined, '')).toBe('');
  });
});
