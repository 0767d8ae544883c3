import { describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { Request, Response } from 'express';
import { IdleSessionService } from 'nestjs-idle-session';
import { serverTiming } from '../support/server-timing.js';
import { MINUTE, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

const Origin = 'https://app.example.com';
const ADMIN = 'https://admin.example.com';
const UNLISTED = 'https://blog.example.com';

const appWith = ({ options, ...more }: TestAppOptions = {}) =>
  start({
    ...more,
    options: {
      origins: [Origin, ADMIN],
      ownerOf: ({ session }: Request) => session.user,
      sessionsEndpoint: true,
      ...options,
    },
  });

const endpoint = (name: string) => `/idle-session/${name}`;

const preflight = (test: TestApp, name: string, method: string, headers = {}) =>
  test
    .browser()
    .options(endpoint(name))
    .set({ Origin, 'Access-Control-Request-Method': method, ...headers });

/** Each endpoint that the client sends headers to, its method and what it takes. */
const PREFLIGHTS: [string, string, string][] = [
  ['status', 'GET', 'GET'],
  ['heartbeat', 'POST', 'POST'],
  ['sign-out', 'POST', 'POST'],
  ['draft-key', 'GET', 'GET'],
  ['sessions', 'GET', 'GET, DELETE'],
  ['sessions', 'DELETE', 'GET, DELETE'],
  ['sessions/Zk3v0aB1c2D3e4F5g6H7i8', 'DELETE', 'DELETE'],
];

const corsHeadersOf = ({ headers }: { headers: object }) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

describe('The endpoints, asked by a page of a listed origin', () => {
  it.each(PREFLIGHTS)('let it send what the client sends: %s, %s', async (name, method, takes) => {
    const test = await appWith();
    await preflight(test, name, method, {
      'Access-Control-Request-Headers': 'content-type,idle-for-ms,x-csrf-token',
    })
      .expect(204, '')
      .expect('Access-Control-Allow-Origin', Origin)
      .expect('Access-Control-Allow-Credentials', 'true')
      .expect('Access-Control-Allow-Methods', takes)
      .expect('Access-Control-Allow-Headers', 'content-type,idle-for-ms,x-csrf-token')
      .expect('Access-Control-Max-Age', '7200')
      .expect('Vary', /\bOrigin, Access-Control-Request-Headers\b/);
  });

  it('let it read the answers, also those that refuse', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    const readable = async (asked: ReturnType<typeof ada.get>, status: number) =>
      asked
        .set({ Origin, 'Idle-For-Ms': '0' })
        .expect(status)
        .expect('Access-Control-Allow-Origin', Origin)
        .expect('Access-Control-Allow-Credentials', 'true')
        .expect('Access-Control-Expose-Headers', 'Retry-After, Date')
        .expect('Vary', /\bOrigin\b/);
    await readable(ada.get(endpoint('status')), 200);
    await readable(ada.get(endpoint('draft-key')), 200);
    await readable(ada.get(endpoint('sessions')), 200);
    await readable(ada.delete(endpoint('sessions/unknown')), 404);
    await readable(ada.post(endpoint('heartbeat')), 200);
    test.clock.advance(15 * MINUTE);
    await readable(ada.post(endpoint('heartbeat')), 401);
    await readable(ada.post(endpoint('sign-out')), 204);
    await readable(test.browser().get(endpoint('client.js')), 200);
    await readable(test.browser().get(endpoint(test.sessions.client.fileName)), 200);
  });

  it('name the very origin that asks, of several', async () => {
    const test = await appWith();
    const ask = () => test.browser().get(endpoint('status'));
    await ask().set({ Origin: ADMIN }).expect('Access-Control-Allow-Origin', ADMIN);
    await ask().set({ Origin }).expect('Access-Control-Allow-Origin', Origin);
  });

  it('leave the routes of the app to the app', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    expect(corsHeadersOf(await ada.get('/page').set({ Origin }).expect(200))).toEqual([]);
    const asked = test.browser().options('/page');
    await asked.set({ Origin, 'Access-Control-Request-Method': 'GET' }).expect(404);
  });

  it('answer no preflight of what is no endpoint', async () => {
    const test = await appWith();
    await preflight(test, 'unknown', 'GET').expect(404);
    await test.browser().options(endpoint('status')).set({ Origin }).expect(404);
  });
});

describe('The endpoints, asked by a page of any other origin', () => {
  it.each(PREFLIGHTS)('refuse the preflight: %s, %s', async (name, method) => {
    const logger = new RecordingLogger();
    const test = await appWith({ logger });
    const refused = await preflight(test, name, method, { Origin: UNLISTED }).expect(403);
    expect(corsHeadersOf(refused)).toEqual([]);
    expect(logger.warnings).toEqual([expect.stringContaining('the option "origins"')]);
  });

  it('let it read nothing', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    for (const name of ['status', 'client.js', 'draft-key', 'sessions']) {
      const answer = await ada.get(endpoint(name)).set({ Origin: UNLISTED });
      expect(corsHeadersOf(answer)).toEqual([]);
      expect(answer.headers.vary).toMatch(/\bOrigin\b/);
    }
  });

  it('of a listed one that the browser takes for another site, let it read nothing', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    const headers = { Origin, 'Sec-Fetch-Site': 'cross-site' };
    expect(corsHeadersOf(await ada.get(endpoint('status')).set(headers))).toEqual([]);
    await preflight(test, 'heartbeat', 'POST', headers).expect(403);
  });

  it('are as they were without the option', async () => {
    const test = await appWith({ options: { origins: undefined } });
    const answer = await test.browser().get(endpoint('client.js')).set({ Origin }).expect(200);
    expect(corsHeadersOf(answer)).toEqual([]);
    expect(answer.headers.vary).toBe('Accept-Encoding');
    await preflight(test, 'heartbeat', 'POST').expect(403);
  });
});

describe('What is left of a session', () => {
  const timing = {
    'server-timing': expect.stringMatching(
      serverTiming('active', 900_000, '(, http-status;dur=404)?'),
    ),
  };
  const allowed = { 'timing-allow-origin': `${Origin}, ${ADMIN}` };

  it('is told to pages of listed origins, with every answer that tells it', async () => {
    const test = await appWith();
    const ada = await test.signedIn();
    for (const path of ['/page', '/nowhere', '/idle-session/status']) {
      const { headers } = await ada.get(path);
      expect(headers).toMatchObject({ ...timing, ...allowed });
    }
    const { headers } = await test.browser().get('/page').expect(200);
    expect(headers).not.toHaveProperty('timing-allow-origin');
  });

  it('is told to no other page', async () => {
    const test = await appWith({ options: { origins: [] } });
    const ada = await test.signedIn();
    const { headers } = await ada.get('/page').expect(200);
    expect(headers).toMatchObject(timing);
    expect(headers).not.toHaveProperty('timing-allow-origin');
  });

  it('is told beside what the app says of its own', async () => {
    const test = await appWith({
      configure: (app) =>
        app.use((_: Request, response: Response, next: () => void) => {
          response.set('Timing-Allow-Origin', 'https://monitoring.example');
          next();
        }),
    });
    const ada = await test.signedIn();
    const { headers } = await ada.get('/page').expect(200);
    expect(headers['timing-allow-origin']).toBe(`https://monitoring.example, ${Origin}, ${ADMIN}`);
  });
});

describe('With the CORS of the app in front', () => {
  const configure = (app: INestApplication) =>
    app.enableCors({ origin: [Origin, ADMIN], credentials: true });

  it('the endpoints and the routes of the app answer the page', async () => {
    const test = await appWith({ configure });
    const ada = await test.signedIn();
    for (const [name, method] of PREFLIGHTS) {
      await preflight(test, name, method, { 'Access-Control-Request-Headers': 'idle-for-ms' })
        .expect(204)
        .expect('Access-Control-Allow-Origin', Origin)
        .expect('Access-Control-Allow-Credentials', 'true')
        .expect('Access-Control-Allow-Headers', 'idle-for-ms');
    }
    const { headers } = await ada.get(endpoint('status')).set({ Origin }).expect(200);
    expect(headers).toMatchObject({
      'access-control-allow-origin': Origin,
      'access-control-expose-headers': 'Retry-After, Date',
      vary: 'Origin',
    });
    test.clock.advance(15 * MINUTE);
    const refused = ada.get('/page').set({ Origin });
    await refused.expect(401).expect('Access-Control-Allow-Origin', Origin);
  });

  it('what protect() refuses behind it is told to the page, and a preflight is not refused', async () => {
    const test = await appWith({
      configure: (app) => {
        configure(app);
        app.use(
          '/reports',
          app.get(IdleSessionService).protect(),
          (_: Request, response: Response) => response.sendStatus(401),
        );
      },
    });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    const refused = ada.get('/reports').set({ Origin });
    const { body } = await refused.expect(401).expect('Access-Control-Allow-Origin', Origin);
    expect(body.reason).toBe('idle');
    const asked = test.browser().options('/reports');
    await asked.set({ Origin, 'Access-Control-Request-Method': 'GET' }).expect(204);
  });

  it('headers that the app exposes stay exposed', async () => {
    const test = await appWith({
      configure: (app) =>
        app.enableCors({ origin: [Origin], credentials: true, exposedHeaders: 'X-Total' }),
    });
    const { headers } = await test.browser().get(endpoint('status')).set({ Origin }).expect(200);
    expect(headers['access-control-expose-headers']).toBe('X-Total, Retry-After, Date');
  });
});
