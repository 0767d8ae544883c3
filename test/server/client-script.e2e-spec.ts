import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createTestApp, MINUTE, type TestApp } from '../support/test-app.js';

let test: TestApp;
afterEach(() => test.app.close());

describe('The browser client', () => {
  it('is an ES module that caches ask for again', async () => {
    test = await createTestApp();
    const { text, headers } = await test
      .browser()
      .get('/idle-session/client.js')
      .expect(200)
      .expect('Content-Type', /^text\/javascript/)
      .expect('X-Content-Type-Options', 'nosniff')
      .expect('Cache-Control', 'no-cache');
    expect(text).toMatch(/export\s*\{/);
    await test
      .browser()
      .get('/idle-session/client.js')
      .set('If-None-Match', String(headers.etag))
      .expect(304);
  });

  it('is there under a hashed name, too, for caches to keep', async () => {
    test = await createTestApp({ options: { path: 'clock' } });
    const { fileName } = test.sessions.client;
    expect(fileName).toMatch(/^client\.[0-9a-f]{16}\.js$/);
    await test
      .browser()
      .get(`/clock/${fileName}`)
      .expect(200)
      .expect('Cache-Control', 'public, max-age=31536000, immutable');
    await test.browser().get('/clock/client.0123456789abcdef.js').expect(404);
  });

  it('is what the integrity value says', async () => {
    test = await createTestApp();
    const { text } = await test.browser().get('/idle-session/client.js').expect(200);
    const digest = createHash('sha384').update(text).digest('base64');
    expect(test.sessions.client.integrity).toBe(`sha384-${digest}`);
  });

  it('is no activity, and is served also to a person who was signed out', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    test.clock.advance(14 * MINUTE);
    await ada.get('/idle-session/client.js').expect(200);
    test.clock.advance(MINUTE);
    await ada.get('/idle-session/client.js').expect(200);
    await ada.get('/page').expect(401);
  });
});
