import { Controller, Get, Post } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { createTestApp, MINUTE, type TestApp } from '../support/test-app.js';
import { BROWSER_ACCEPT, NAVIGATION } from '../support/requests.js';
import { signInCookie } from '../support/cookies.js';

let test: TestApp;
afterEach(() => test.app.close());

@Controller()
class EveryPathController {
  @Get('*path')
  open() {
    return {};
  }

  @Post('*path')
  send() {
    return {};
  }
}

const HOST = 'claims.example';

/** Requests with the cookie of a session that ended. */
async function whoWasAway(loginUrl?: string) {
  test = await createTestApp({
    options: loginUrl === undefined ? {} : { loginUrl },
    metadata: { controllers: [EveryPathController] },
  });
  const Cookie = await signInCookie(test);
  test.clock.advance(15 * MINUTE);
  const to = supertest(test.app.getHttpServer());
  const open = (path: string, headers: Record<string, string>) =>
    to.get(path).set({ Host: HOST, Cookie, ...headers });
  const send = (path: string, headers: Record<string, string>) =>
    to.post(path).set({ Host: HOST, Cookie, ...headers });
  return { open, send };
}

describe('Whose session ended', () => {
  it.each<[string, Record<string, string>, number]>([
    ['a navigation', NAVIGATION, 303],
    ['a navigation that accepts anything', { 'Sec-Fetch-Mode': 'navigate', Accept: '*/*' }, 303],
    ['a browser that sends no Sec-Fetch-Mode, over http', { Accept: BROWSER_ACCEPT }, 303],
    ['who prefers HTML by its weight', { Accept: 'application/json;q=0.8, text/html' }, 303],
    ['fetch', { 'Sec-Fetch-Mode': 'cors', Accept: '*/*' }, 401],
    ['fetch of HTML', { 'Sec-Fetch-Mode': 'same-origin', Accept: 'text/html' }, 401],
    ['an image', { 'Sec-Fetch-Mode': 'no-cors', Accept: 'image/webp,*/*' }, 401],
    ['curl', { Accept: '*/*' }, 401],
    ['who accepts nothing in particular', {}, 401],
    ['who accepts JSON', { Accept: 'application/json' }, 401],
    ['who prefers JSON by its weight', { Accept: 'text/html;q=0.8, application/json' }, 401],
    ['who accepts JSON and HTML alike', { Accept: 'application/json, text/html' }, 401],
    ['who accepts neither', { Accept: 'image/png' }, 401],
    ['a stream of events', { Accept: 'text/event-stream' }, 401],
    ['htmx', { Accept: 'text/html, */*', 'HX-Request': 'true' }, 401],
    ['XMLHttpRequest', { Accept: 'text/html, */*', 'X-Requested-With': 'XMLHttpRequest' }, 401],
    [
      'a script that says it is passive',
      { Accept: BROWSER_ACCEPT, 'Idle-Session': 'passive' },
      401,
    ],
  ])('and is %s: %# gets the answer for it', async (_, headers, code) => {
    const { open } = await whoWasAway('/login');
    await open('/page', headers)
      .expect(code)
      .expect('Cache-Control', 'no-store')
      .expect('Vary', /Accept/)
      .expect('Vary', /Sec-Fetch-Mode/);
  });

  it('gets the 401 in any case where there is no login URL', async () => {
    const { open } = await whoWasAway();
    const { body } = await open('/page', NAVIGATION)
      .expect(401)
      .expect('Content-Type', /^application\/problem\+json/);
    expect(body).toMatchObject({ reason: 'idle', loginUrl: null });
  });

  it('finds the login URL in the 401, too', async () => {
    const { open } = await whoWasAway('/login');
    expect((await open('/page', {}).expect(401)).body.loginUrl).toBe('/login');
  });
});

describe('The way to the login page', () => {
  it.each([
    ['/login', '/login?reason=idle&returnTo=%2Fpage'],
    ['/login?lang=de', '/login?lang=de&reason=idle&returnTo=%2Fpage'],
    ['/login#form', '/login?reason=idle&returnTo=%2Fpage#form'],
    ['/#/login?tab=1', '/?reason=idle&returnTo=%2Fpage#/login?tab=1'],
    ['/login?lang=de#form', '/login?lang=de&reason=idle&returnTo=%2Fpage#form'],
    ['https://id.example/login', 'https://id.example/login?reason=idle&returnTo=%2Fpage'],
  ])('keeps the query and hash of %s', async (loginUrl, location) => {
    const { open } = await whoWasAway(loginUrl);
    await open('/page', NAVIGATION).expect(303).expect('Location', location);
  });

  it.each([
    ['/claims/7?tab=notes&page=2', '/claims/7?tab=notes&page=2'],
    ['/caf%C3%A9?q=%26', '/caf%C3%A9?q=%26'],
    ['//evil.example/page', null],
    ['/.//evil.example', null],
    ['/\\evil.example', null],
  ])('leads back from %s to %s', async (path, returnTo) => {
    const { open } = await whoWasAway('/login');
    const response = await open(path, NAVIGATION).expect(303);
    const { searchParams } = new URL(response.headers.location!, `http://${HOST}`);
    expect(searchParams.get('returnTo')).toBe(returnTo);
  });

  it.each<[string, string | undefined, string | null]>([
    ['the page of the form', `http://${HOST}/claims/new?copy=7`, '/claims/new?copy=7'],
    ['nowhere without a Referer', undefined, null],
    ['nowhere for a Referer that is only a word', 'claims', null],
    ['nowhere for another site', 'http://evil.example/claims/new', null],
    ['nowhere for another port', `http://${HOST}:8080/claims/new`, null],
    ['nowhere for a page that would leave the site', `http://${HOST}//evil.example`, null],
  ])('leads a form back to %s', async (_, referer, returnTo) => {
    const { send } = await whoWasAway('/login');
    const response = await send('/claims', {
      ...NAVIGATION,
      ...(referer !== undefined && { Referer: referer }),
    }).expect(303);
    const { searchParams } = new URL(response.headers.location!, `http://${HOST}`);
    expect(searchParams.get('returnTo')).toBe(returnTo);
  });
});
