import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  HttpCode,
  Post,
  Req,
  RequestMethod,
  VersioningType,
  VERSION_NEUTRAL,
  type INestApplication,
} from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import type { Request } from 'express';
import { serverTiming } from '../support/server-timing.js';
import { MINUTE, TestController } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

const ENDPOINTS = [
  ['get', 'status', 200],
  ['post', 'heartbeat', 200],
  ['get', 'draft-key', 404],
  ['post', 'sign-out', 204],
] as const;

/** Signs in under `prefix`, tries every endpoint, and lets the session expire. */
async function worksUnder(
  test: Awaited<ReturnType<typeof start>>,
  prefix = '',
  endpoints = `${prefix}/idle-session`,
) {
  const signIn = async () => {
    const agent = test.browser();
    await agent.post(`${prefix}/sign-in`).send({}).expect(200);
    return agent;
  };
  const ada = await signIn();
  for (const [method, name, status] of ENDPOINTS) {
    const request = ada[method](`${endpoints}/${name}`);
    await (method === 'post' ? request.send({ idleForMs: 0 }) : request).expect(status);
  }
  await ada.get(`${prefix}/page`).expect(200, { user: null });

  const eve = await signIn();
  await eve
    .get(`${prefix}/page`)
    .expect(200)
    .expect('Server-Timing', serverTiming('active', 900_000));
  await eve
    .get(`${prefix}/nowhere`)
    .expect(404)
    .expect('Server-Timing', serverTiming('active', 900_000, ', http-status;dur=404'));
  test.clock.advance(15 * MINUTE);
  const { body } = await eve.get(`${prefix}/page`).expect(401);
  expect(body).toMatchObject({ reason: 'idle' });
}

describe('The endpoints and the guard', () => {
  it('are under no prefix by default', async () => {
    await worksUnder(await start());
  });

  it('are under the global prefix', async () => {
    const test = await start({ configure: (app) => app.setGlobalPrefix('api/desk') });
    await worksUnder(test, '/api/desk');
    await test.browser().get('/idle-session/status').expect(404);
  });

  it('guard what is excluded from the global prefix, too', async () => {
    const test = await start({
      configure: (app) =>
        app.setGlobalPrefix('api', {
          exclude: ['page', { path: 'sign-in', method: RequestMethod.POST }],
        }),
    });
    const ada = await test.signedIn();
    await ada
      .get('/page')
      .expect(200, { user: 'ada' })
      .expect('Server-Timing', serverTiming('active', 900_000));
    await ada.get('/api/members').expect(200, { user: 'ada' });
    await ada.get('/api/idle-session/status').expect(200);
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401);
    await ada.get('/api/members').expect(401);
  });

  it.each([
    ['custom', '/custom'],
    ['/auth/idle/', '/auth/idle'],
  ])('are where path: %p says', async (path, endpoints) => {
    const test = await start({ options: { path } });
    await worksUnder(test, '', endpoints);
    await test.browser().get('/idle-session/status').expect(404);
  });

  it('are where the path says under the global prefix', async () => {
    const test = await start({
      options: { path: 'idle' },
      configure: (app) => app.setGlobalPrefix('api'),
    });
    await worksUnder(test, '/api', '/api/idle');
  });

  it('part with path: false: no endpoints, and the guard still guards', async () => {
    const test = await start({ options: { path: false } });
    const ada = await test.signedIn();
    for (const [method, name] of ENDPOINTS) await ada[method](`/idle-session/${name}`).expect(404);
    await ada.get('/page').expect(200);
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401);
  });

  it("stay where they are when the app's modules are moved by RouterModule", async () => {
    const test = await start({
      metadata: { imports: [RouterModule.register([{ path: 'moved', module: class Moved {} }])] },
    });
    await worksUnder(test);
  });
});

@Controller({ path: 'claims', version: '2' })
class SecondVersion {
  @Get()
  claims(@Req() request: Request) {
    return { version: 2, user: request.session.user };
  }
}

@Controller({ path: 'sign-in', version: VERSION_NEUTRAL })
class NeutralSignIn {
  @Post()
  @HttpCode(200)
  signIn(@Req() request: Request) {
    return new TestController().signIn(request, {});
  }
}

describe('The endpoints of an app with versions', () => {
  it.each<[string, (app: INestApplication) => void, string, Record<string, string>]>([
    ['in the URI', (app) => app.enableVersioning({ type: VersioningType.URI }), '/v2/claims', {}],
    [
      'in the URI, with a default',
      (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
      '/v2/claims',
      {},
    ],
    [
      'in a header',
      (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version' }),
      '/claims',
      { 'X-Version': '2' },
    ],
    [
      'in the media type',
      (app) => app.enableVersioning({ type: VersioningType.MEDIA_TYPE, key: 'v=' }),
      '/claims',
      { Accept: 'application/json;v=2' },
    ],
  ])('%s are the same for all of them', async (_, configure, path, headers) => {
    const test = await start({
      configure,
      metadata: { controllers: [SecondVersion, NeutralSignIn] },
    });
    const ada = test.browser();
    await ada.post('/sign-in').expect(200);
    await ada.get(path).set(headers).expect(200, { version: 2, user: 'ada' });
    await ada.get('/idle-session/status').expect(200);
    await ada.get('/idle-session/status').set(headers).expect(200);
    await ada.post('/idle-session/heartbeat').send({ idleForMs: 0 }).expect(200);
    test.clock.advance(15 * MINUTE);
    await ada.get(path).set(headers).expect(401);
    expect((await ada.get('/idle-session/status').expect(200)).body).toMatchObject({
      state: 'expired',
    });
  });
});
