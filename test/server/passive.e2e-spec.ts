import { Controller, Get } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { PassiveRoute } from 'nestjs-idle-session';
import { createTestApp, MINUTE, type TestApp } from '../support/test-app.js';
import { expectEnded, NAVIGATION, statusOf } from '../support/requests.js';

let test: TestApp;
afterEach(() => test.app.close());

@Controller('feed')
@PassiveRoute()
class FeedController {
  @Get()
  feed() {
    return {};
  }
}

/** What @urql/core 6 accepts for each query and each mutation. */
const URQL_ACCEPT =
  'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed';

const IMAGE = { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' };

// expressjs/session 210 and 291, devise 514, spring-session 244: polling kept sessions alive.
describe('What a page requests by itself', () => {
  it.each<[string, string, Record<string, string>]>([
    ['a passive route', '/poll', {}],
    ['a route of a passive controller', '/feed', {}],
    ['a request with "Idle-Session: passive"', '/page', { 'Idle-Session': 'passive' }],
    ['a request with "Idle-Session: Passive"', '/page', { 'Idle-Session': 'Passive' }],
    ['a stream of events', '/stream', { Accept: 'text/event-stream' }],
    ['a prefetch', '/page', { 'Sec-Purpose': 'prefetch' }],
    ['a prerender', '/page', { 'Sec-Purpose': 'prefetch;prerender' }],
    ['a prefetch of an older browser', '/page', { Purpose: 'prefetch' }],
    ['a prefetch of an older Firefox', '/page', { 'X-Moz': 'prefetch' }],
    ['an image on a sibling domain', '/page', { 'Sec-Fetch-Site': 'same-site', ...IMAGE }],
    ['an image on another site', '/page', { 'Sec-Fetch-Site': 'cross-site', ...IMAGE }],
    [
      'a window that another site navigates',
      '/page',
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' },
    ],
    ['a passive route, whatever the header says,', '/poll', { 'Idle-Session': 'active' }],
  ])('%s never keeps a session alive', async (_, path, headers) => {
    test = await createTestApp({ metadata: { controllers: [FeedController] } });
    const ada = await test.signedIn();
    for (let minute = 0; minute < 14; minute++) {
      test.clock.advance(MINUTE);
      await ada.get(path).set(headers).expect(200);
    }
    expect((await statusOf(ada)).expiresInMs).toBe(MINUTE);
    test.clock.advance(MINUTE);
    await ada.get(path).set(headers).expect(401);
    await expectEnded(ada, 'idle');
  });

  it.each<[string, Record<string, string>]>([
    ['"Idle-Session: active"', { 'Idle-Session': 'active' }],
    ['"Accept: text/html"', { Accept: 'text/html' }],
    ['"Sec-Purpose: something-else"', { 'Sec-Purpose': 'something-else' }],
    ['"Accept" of a GraphQL client', { Accept: URQL_ACCEPT }],
    ['a script of the page', { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors' }],
    ['a bookmark', { ...NAVIGATION, 'Sec-Fetch-Site': 'none', 'Sec-Fetch-User': '?1' }],
    [
      'a link on another site that a person clicks',
      { ...NAVIGATION, 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-User': '?1' },
    ],
  ])('is not meant by %s: that is activity as usual', async (_, headers) => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(5 * MINUTE);
    await ada.get('/page').set(headers).expect(200);
    expect((await statusOf(ada)).expiresInMs).toBe(15 * MINUTE);
  });
});
