import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get, Header, Redirect, Res, Sse, StreamableFile } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Response } from 'express';
import { of } from 'rxjs';
import { IdleSessionService, SkipIdleSession } from 'nestjs-idle-session';
import type { Browser } from '../support/requests.js';
import { MINUTE, SECRET, type TestApp } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

const PRIVATE = 'private, no-store';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'files-'));
  writeFileSync(join(folder, 'claim.txt'), 'the claim');
});
afterAll(() => rmSync(folder, { recursive: true }));

@Controller('files')
class FilesController {
  @Get('redirect')
  @Redirect('/page')
  redirect() {}

  @Get('streamed')
  streamed() {
    return new StreamableFile(Buffer.from('the claim'));
  }

  @Get('sent')
  sent(@Res() response: Response) {
    response.sendFile('claim.txt', { root: folder });
  }

  @Get('sent-for-a-day')
  sentForADay(@Res() response: Response) {
    response.sendFile('claim.txt', { root: folder, maxAge: '1d' });
  }

  @Get('written')
  written(@Res() response: Response) {
    response.writeHead(200, { 'Content-Type': 'text/plain' }).end('the claim');
  }

  @Get('public')
  @Header('Cache-Control', 'public, max-age=60')
  public() {
    return {};
  }

  @Get('set')
  set(@Res() response: Response) {
    response.set('Cache-Control', 'private, max-age=60').json({});
  }

  @Get('in-cdns')
  inCdns(@Res() response: Response) {
    response.set({
      'Cache-Control': 'private, max-age=60',
      'CDN-Cache-Control': 'max-age=600',
      'Example-CDN-Cache-Control': 'max-age=600',
      'Surrogate-Control': 'max-age=600',
    });
    response.json({});
  }

  @Sse('events')
  events() {
    return of({ data: 'hello' });
  }

  @Get('exempt')
  @SkipIdleSession()
  exempt() {
    return {};
  }

  @Get('exempt-file')
  @SkipIdleSession()
  exemptFile(@Res() response: Response) {
    response.sendFile('claim.txt', { root: folder });
  }
}

let test: TestApp;
let ada: Browser;
beforeEach(async () => {
  test = await start({
    metadata: { controllers: [FilesController] },
    configure(app) {
      app.use('/protected', app.get(IdleSessionService).protect());
      const files = app as NestExpressApplication;
      files.useStaticAssets(folder, { prefix: '/protected' });
      files.useStaticAssets(folder, { prefix: '/protected/for-a-day', maxAge: '1d' });
      files.useStaticAssets(folder, { prefix: '/static' });
    },
  });
  ada = await test.signedIn();
});

describe('An answer of a live session', () => {
  it.each([
    ['data', '/page', 200],
    ['a redirect', '/files/redirect', 302],
    ['an error', '/broken', 500],
    ['a refusal', '/refused', 403],
    ['a path without a route', '/nowhere', 404],
    ['a stream', '/files/streamed', 200],
    ['a file', '/files/sent', 200],
    ['a file behind protect()', '/protected/claim.txt', 200],
    ['headers that the handler writes at once', '/files/written', 200],
    ['an exempt page, which may greet the person', '/files/exempt', 200],
  ])('is kept by no cache: %s', async (_, path, status) => {
    test.app.useLogger(false);
    await ada.get(path).expect(status).expect('Cache-Control', PRIVATE);
  });

  it.each([
    ['a header of the handler', '/files/set', 'private, max-age=60'],
    ['@Header()', '/files/public', 'public, max-age=60'],
    ['a file with an age', '/files/sent-for-a-day', 'public, max-age=86400'],
    [
      'a file with an age behind protect()',
      '/protected/for-a-day/claim.txt',
      'public, max-age=86400',
    ],
    ['an exempt file', '/files/exempt-file', 'public, max-age=0'],
    ['a static file that nothing protects', '/static/claim.txt', 'public, max-age=0'],
    ['the client script', '/idle-session/client.js', 'no-cache'],
    ['the status', '/idle-session/status', 'no-store'],
  ])('is kept as the app says: %s', async (_, path, cacheControl) => {
    await ada.get(path).expect(200).expect('Cache-Control', cacheControl);
  });

  it('is kept as Nest says for events', async () => {
    await ada.get('/files/events').expect('Cache-Control', /no-store/);
  });
});

describe('An answer that sets the session cookie', () => {
  beforeEach(async () => {
    test = await start({
      options: { session: { secret: SECRET, rolling: true } },
      metadata: { controllers: [FilesController] },
    });
    ada = await test.signedIn();
  });

  it.each([
    ['the client script', '/idle-session/client.js', 'private, no-cache'],
    ['a public answer of the app', '/files/public', 'private, max-age=60'],
    ['an exempt file', '/files/exempt-file', 'private, max-age=0'],
    ['a file with an age', '/files/sent-for-a-day', 'private, max-age=86400'],
    ['what the app keeps private', '/files/set', 'private, max-age=60'],
    ['the status', '/idle-session/status', 'no-store'],
  ])('is kept by no shared cache: %s', async (_, path, cacheControl) => {
    const { headers } = await ada.get(path).expect(200);
    expect(headers['set-cookie']).toHaveLength(1);
    expect(headers['cache-control']).toBe(cacheControl);
  });

  it('is kept by no shared cache: the client script under its own name', async () => {
    const path = `/idle-session/${test.sessions.client.fileName}`;
    await ada.get(path).expect('Cache-Control', 'private, max-age=31536000, immutable');
    const stranger = test.browser();
    await stranger.get(path).expect('Cache-Control', 'public, max-age=31536000, immutable');
  });

  it('is kept by no shared cache that goes by a header of its own', async () => {
    const { headers } = await ada.get('/files/in-cdns').expect(200);
    expect(headers['set-cookie']).toHaveLength(1);
    expect(headers['cache-control']).toBe('private, max-age=60');
    expect(Object.keys(headers).filter((name) => /cdn|surrogate/.test(name))).toEqual([]);
  });

  it('is kept by no cache where the app says nothing, as at the sign-in', async () => {
    await test.browser().post('/sign-in').expect(200).expect('Cache-Control', PRIVATE);
  });
});

describe('What is left of the time', () => {
  it.each(['/files/public', '/files/in-cdns', '/files/exempt-file', '/idle-session/client.js'])(
    'is not told to other people by a shared cache: %s',
    async (path) => {
      const { headers } = await ada.get(path).expect(200);
      expect(headers).not.toHaveProperty('server-timing');
    },
  );

  it.each(['/page', '/files/set', '/idle-session/status'])('is told by %s', async (path) => {
    await ada.get(path).expect('Server-Timing', /^idle-session;desc=active/);
  });
});

describe('An answer without a live session', () => {
  it.each(['/page', '/files/exempt'])('is as the app made it for a stranger: %s', async (path) => {
    const { headers } = await test.browser().get(path).expect(200);
    expect(headers).not.toHaveProperty('cache-control');
  });

  it('is kept by no cache if it tells of an end', async () => {
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401).expect('Cache-Control', 'no-store');
  });
});
