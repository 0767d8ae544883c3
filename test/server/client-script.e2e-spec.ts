import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createTestApp, MINUTE, type TestApp } from '../support/test-app.js';

let test: TestApp;
afterEach(() => test.app.close());

/** The answer as it comes over the wire. */
async function fetchRaw(file: string, headers: Record<string, string>) {
  const { port } = (test.app.getHttpServer() as Server).address() as AddressInfo;
  const asked = get({ port, path: `/idle-session/${file}`, headers, agent: false });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const body = Buffer.concat((await response.toArray()) as Buffer[]);
  return { status: response.statusCode, headers: response.headers, body };
}

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

  describe('is sent compressed to who takes it so', () => {
    const same = (body: Buffer) => body;

    it.each<[string | undefined, string | undefined, (body: Buffer) => Buffer]>([
      ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
      ['gzip, deflate', 'gzip', gunzipSync],
      ['br;q=0, gzip', 'gzip', gunzipSync],
      ['gzip;q=0, deflate', undefined, same],
      ['identity', undefined, same],
      [undefined, undefined, same],
    ])('%s', async (accepted, encoding, decompress) => {
      test = await createTestApp();
      await test.app.listen(0, '127.0.0.1');
      const headers: Record<string, string> =
        accepted === undefined ? {} : { 'Accept-Encoding': accepted };
      for (const file of ['client.js', test.sessions.client.fileName]) {
        const plain = await fetchRaw(file, {});
        const answer = await fetchRaw(file, headers);
        expect(answer.headers['content-encoding']).toBe(encoding);
        expect(answer.headers.vary).toContain('Accept-Encoding');
        expect(Number(answer.headers['content-length'])).toBe(answer.body.length);
        expect(decompress(answer.body)).toEqual(plain.body);
        expect(answer.body.length < plain.body.length / 2).toBe(encoding !== undefined);
      }
    });

    it('and not again where a middleware in front encodes it', async () => {
      test = await createTestApp({
        configure: (app) =>
          app.use((_: unknown, response: ServerResponse, next: () => void) => {
            response.setHeader('Content-Encoding', 'own');
            next();
          }),
      });
      await test.app.listen(0, '127.0.0.1');
      const { headers, body } = await fetchRaw('client.js', { 'Accept-Encoding': 'br' });
      expect(headers['content-encoding']).toBe('own');
      expect(body.toString()).toMatch(/export\s*\{/);
    });

    it('and is the same to caches', async () => {
      test = await createTestApp();
      await test.app.listen(0, '127.0.0.1');
      const { headers } = await fetchRaw('client.js', { 'Accept-Encoding': 'br' });
      const again = { 'Accept-Encoding': 'gzip', 'If-None-Match': String(headers.etag) };
      expect((await fetchRaw('client.js', again)).status).toBe(304);
    });

    it('and says no encoding to caches that have it: they may have it in another', async () => {
      test = await createTestApp();
      await test.app.listen(0, '127.0.0.1');
      for (const file of ['client.js', test.sessions.client.fileName]) {
        const plain = await fetchRaw(file, {});
        const again = { 'Accept-Encoding': 'br', 'If-None-Match': String(plain.headers.etag) };
        const { status, headers } = await fetchRaw(file, again);
        expect(status).toBe(304);
        expect(headers['content-encoding']).toBeUndefined();
        expect(headers.vary).toContain('Accept-Encoding');
        expect(headers['cache-control']).toBe(plain.headers['cache-control']);
      }
    });
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
