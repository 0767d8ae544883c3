import { Controller, Get } from '@nestjs/common';
import { afterEach, describe, expect, it } from '@jest/globals';
import { PassiveRoute } from 'nestjs-idle-session';
import { createTestApp, MINUTE, type TestApp } from '../support/test-app.js';
import { expectEnded, statusOf } from '../support/requests.js';

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
  ])('is not meant by %s: that is activity as usual', async (_, headers) => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(5 * MINUTE);
    await ada.get('/page').set(headers).expect(200);
    expect((await statusOf(ada)).expiresInMs).toBe(15 * MINUTE);
  });
});
