import { describe, expect, it } from '@jest/globals';
import {
  Catch,
  HttpException,
  HttpStatus,
  Injectable,
  UnauthorizedException,
  ValidationPipe,
  VersioningType,
  type ArgumentsHost,
  type CanActivate,
  type CallHandler,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { csrfSync } from 'csrf-sync';
import type { Request, Response } from 'express';
import { map } from 'rxjs';
import { IdleSessionService } from 'nestjs-idle-session';
import { MINUTE, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

@Injectable()
class Envelope implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((data: unknown) => ({ success: true, data })));
  }
}

@Injectable()
class MembersOnly implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { session, path } = context.switchToHttp().getRequest<Request>();
    if (session.user !== undefined || path === '/sign-in') return true;
    throw new UnauthorizedException();
  }
}

/** As @nestjs/throttler's, which is a guard of all routes. */
@Injectable()
class Throttler implements CanActivate {
  private requests = 0;

  canActivate(): boolean {
    if (++this.requests <= 2) return true;
    throw new HttpException('Too Many Requests', HttpStatus.TOO_MANY_REQUESTS);
  }
}

@Catch()
class CatchAll implements ExceptionFilter {
  catch(_: unknown, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<Response>().status(200).json({ error: true });
  }
}

@Injectable()
class NothingPipe implements PipeTransform {
  transform(): undefined {
    return undefined;
  }
}

const provides = (token: string, useClass: new () => object): TestAppOptions => ({
  metadata: { providers: [{ provide: token, useClass }] },
});

/** What an app may have for all its routes. */
const APPS: [string, TestAppOptions][] = [
  ['an interceptor that wraps answers', provides(APP_INTERCEPTOR, Envelope)],
  ['a filter that catches everything', provides(APP_FILTER, CatchAll)],
  ['a guard that lets in members only', provides(APP_GUARD, MembersOnly)],
  ['a pipe that takes everything away', provides(APP_PIPE, NothingPipe)],
  ['a throttler', provides(APP_GUARD, Throttler)],
  [
    'a strict validation pipe',
    {
      configure: (app) =>
        app.useGlobalPipes(
          new ValidationPipe({
            validatorPackage: { validate: () => [] },
            transformerPackage: { plainToInstance: () => ({}), classToPlain: () => ({}) },
          } as never),
        ),
    },
  ],
  [
    'versions in the URI',
    {
      configure: (app) =>
        app.enableVersioning({ type: VersioningType.URI, defaultVersion: ['1', '2'] }),
    },
  ],
  ['a middleware that changes response.json()', { configure: wrapJson }],
  ['no body parser', { appOptions: { bodyParser: false } }],
];

function wrapJson(app: INestApplication): void {
  app.use((_: Request, response: Response, next: () => void) => {
    const json = response.json.bind(response);
    response.json = (data: unknown) => json({ data });
    next();
  });
}

describe.each(APPS)('In an app with %s, the endpoints', (name, options) => {
  const signInPath = name.startsWith('versions') ? '/v1/sign-in' : '/sign-in';

  it('answer in their own form, as often as they are asked', async () => {
    const test = await start({ ...options, options: { ownerOf: () => 'ada' } });
    const ada = test.browser();
    await ada.post(signInPath);
    for (let round = 0; round < 4; round++) {
      const status = await ada.get('/idle-session/status').expect(200);
      expect(status.body).toMatchObject({ state: 'active', reason: null });
      const beat = await ada.post('/idle-session/heartbeat').set('Idle-For-Ms', '0').expect(200);
      expect(beat.body).toMatchObject({ state: 'active' });
      expect(beat.headers['cache-control']).toBe('no-store');
    }
    expect(Object.keys((await ada.get('/idle-session/draft-key').expect(200)).body)).toEqual([
      'key',
    ]);
    await ada
      .get('/idle-session/client.js')
      .expect(200)
      .expect('Content-Type', /javascript/);
    await ada.post('/idle-session/sign-out').expect(204);
  });

  it('answer strangers, and refuse in their own form', async () => {
    const test = await start({ ...options, options: { ownerOf: () => 'ada' } });
    const stranger = test.browser();
    expect((await stranger.get('/idle-session/status').expect(200)).body.state).toBe('none');
    await stranger.get('/idle-session/client.js').expect(200);
    expect((await stranger.get('/idle-session/draft-key').expect(401)).body.statusCode).toBe(401);
    const bad = await stranger.post('/idle-session/heartbeat').set('Idle-For-Ms', '-1').expect(400);
    expect(bad.body.message).toContain('Idle-For-Ms got "-1"');
    const refused = stranger.post('/idle-session/heartbeat').set('Sec-Fetch-Site', 'cross-site');
    expect((await refused.expect(403)).body.statusCode).toBe(403);
    const ada = test.browser();
    await ada.post(signInPath);
    test.clock.advance(15 * MINUTE);
    const ended = await ada.post('/idle-session/heartbeat').set('Idle-For-Ms', '0').expect(401);
    expect(ended.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(ended.body.reason).toBe('idle');
  });
});

describe('In an app with csrf-sync', () => {
  const withCsrf = (skipped: boolean): TestAppOptions => ({
    configure: (app) => {
      const { csrfSynchronisedProtection, generateToken } = csrfSync({
        skipCsrfProtection: ({ path }) =>
          path === '/sign-in' || (skipped && path.startsWith('/idle-session/')),
      });
      app.use(
        app.get(IdleSessionService).middleware(),
        csrfSynchronisedProtection,
        (request: Request, response: Response, next: () => void) => {
          if (request.session?.user) response.set('X-Token', generateToken(request));
          next();
        },
      );
    },
  });

  it('a heartbeat counts with the token as a header of the app', async () => {
    const test = await start(withCsrf(false));
    const ada = await test.signedIn();
    const { headers } = await ada.get('/page').expect(200);
    const beat = () => ada.post('/idle-session/heartbeat').set('Idle-For-Ms', '0');
    await beat().expect(403);
    await beat().set('X-CSRF-Token', String(headers['x-token'])).expect(200);
  });

  it('a heartbeat counts where the app skips the endpoints, which check the origin themselves', async () => {
    const test = await start(withCsrf(true));
    const ada = await test.signedIn();
    const beat = () => ada.post('/idle-session/heartbeat').set('Idle-For-Ms', '0');
    await beat().expect(200);
    await beat().set('Sec-Fetch-Site', 'cross-site').expect(403);
  });
});

describe('The OpenAPI document of the app', () => {
  it('has its own routes, and no endpoint of the module', async () => {
    const { app } = await start();
    const { paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    expect(Object.keys(paths)).toContain('/page');
    expect(Object.keys(paths).filter((path) => path.includes('idle-session'))).toEqual([]);
  });
});
