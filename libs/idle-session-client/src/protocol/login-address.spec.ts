import { describe, expect, it } from '@jest/globals';
import { loginAddress } from './login-address.js';

describe('loginAddress', () => {
  it.each([
    ['/login', '/login?reason=idle&returnTo=%2Fpage'],
    ['login', 'login?reason=idle&returnTo=%2Fpage'],
    ['/login?', '/login?reason=idle&returnTo=%2Fpage'],
    ['/login?lang=de', '/login?lang=de&reason=idle&returnTo=%2Fpage'],
    ['/login#form', '/login?reason=idle&returnTo=%2Fpage#form'],
    ['/login?lang=de#form', '/login?lang=de&reason=idle&returnTo=%2Fpage#form'],
    ['/#/login?tab=1', '/?reason=idle&returnTo=%2Fpage#/login?tab=1'],
    ['/#a#b', '/?reason=idle&returnTo=%2Fpage#a#b'],
    ['https://id.example/login', 'https://id.example/login?reason=idle&returnTo=%2Fpage'],
    [
      'https://id.example/login?lang=de#form',
      'https://id.example/login?lang=de&reason=idle&returnTo=%2Fpage#form',
    ],
  ])('keeps the query and the hash of %s', (loginUrl, expected) => {
    expect(loginAddress(loginUrl, 'idle', '/page')).toBe(expected);
  });

  it('leaves the rest of the query exactly as it is written', () => {
    const url = '/login?flag&next=a%20b&x=1+2';
    expect(loginAddress(url, 'idle')).toBe(`${url}&reason=idle`);
  });

  it('replaces a reason and a way back that the login URL has already', () => {
    const url = '/login?reason=welcome&returnTo=/home&reasons=2';
    expect(loginAddress(url, 'absolute', '/page')).toBe(
      '/login?reasons=2&reason=absolute&returnTo=%2Fpage',
    );
  });

  it('names no way back where there is none', () => {
    expect(loginAddress('/login', 'signed-out')).toBe('/login?reason=signed-out');
  });

  it('encodes the way back, so that it stays one parameter', () => {
    const page = '/claims?a=1&b=two words#part-2';
    const address = loginAddress('/login', 'idle', page);
    const { searchParams, hash } = new URL(address, 'https://app.example');
    expect(searchParams.get('returnTo')).toBe(page);
    expect(hash).toBe('');
  });
});
