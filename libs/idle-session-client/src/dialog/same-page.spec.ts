import { describe, expect, it } from '@jest/globals';
import { isLoginPage } from './login-page.js';

describe('isLoginPage', () => {
  it.each([
    ['/login', 'https://app.example/login'],
    ['/login', 'https://app.example/login?reason=idle#form'],
    ['/login?lang=de', 'https://app.example/login'],
    ['https://app.example/login', 'https://app.example/login'],
    ['/#/login', 'https://app.example/?reason=idle#/login'],
  ])('knows %s in %s', (loginUrl, page) => {
    expect(isLoginPage(loginUrl, page)).toBe(true);
  });

  it.each([
    ['/login', 'https://app.example/claims'],
    ['/login', 'https://app.example/login/help'],
    ['https://id.example/login', 'https://app.example/login'],
    ['/#/login', 'https://app.example/#/claims'],
  ])('does not take %s to be %s', (loginUrl, page) => {
    expect(isLoginPage(loginUrl, page)).toBe(false);
  });
});
