import { describe, expect, it } from '@jest/globals';
import { isSamePage } from './same-page.js';

describe('isSamePage', () => {
  it.each([
    ['/login', 'https://app.example/login'],
    ['/login', 'https://app.example/login?reason=idle#form'],
    ['/login?lang=de', 'https://app.example/login'],
    ['https://app.example/login', 'https://app.example/login'],
    ['/#/login', 'https://app.example/?reason=idle#/login'],
  ])('knows %s in %s', (address, page) => {
    expect(isSamePage(address, page)).toBe(true);
  });

  it.each([
    ['/login', 'https://app.example/claims'],
    ['/login', 'https://app.example/login/help'],
    ['https://id.example/login', 'https://app.example/login'],
    ['/#/login', 'https://app.example/#/claims'],
  ])('does not take %s to be %s', (address, page) => {
    expect(isSamePage(address, page)).toBe(false);
  });
});
