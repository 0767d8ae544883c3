import {
  Catch,
  Controller,
  ForbiddenException,
  Get,
  HttpException,
  Injectable,
  Post,
  UnauthorizedException,
  UseGuards,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import { SessionExpiredException, SkipIdleSession } from 'nestjs-idle-session';
import { createTestApp, MINUTE, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { expectEnded, NAVIGATION, statusOf } from '../support/requests.js';
import { setCookiesOf } from '../support/cookies.js';

let test: TestApp;
afterEach(() => test.app.close());

/** An app's auth guard: in its root module, it runs before the library's. */
@Injectable()
class MembersOnly implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    if (request.path === '/sign-in' || request.session.user !== undefined) return true;
    if (request.get('X-Refuse') === 'false') return false;
    throw new UnauthorizedException('please sign in');
  }
}

@Injectable()
class PasswordGuard implements CanActivate {
  canActivate(): boolean {
    throw new UnauthorizedException('wrong password');
  }
}

@Controller()
class PasswordController {
  @Post('password/in-handler')
  @SkipIdleSession()
  inHandler() {
    throw new UnauthorizedException('wrong password');
  }

  @Post('password/in-guard')
  @SkipIdleSession()
  @UseGuards(PasswordGuard)
  inGuard() {}

  @Get('no-access')
  noAccess() {
    throw new ForbiddenException('only for managers');
  }
}

abstract class Answering implements ExceptionFilter {
  catch(_: unknown, host: ArgumentsHost) {
    host.switchToHttp().getResponse<Response>().status(418).json({ by: this.constructor.name });
  }
}

@Catch()
class CatchAll extends Answering {}

@Catch(HttpException)
class CatchHttp extends Answering {}

@Catch(UnauthorizedException, ForbiddenException)
class CatchRefusals extends Answering {}

@Catch(SessionExpiredException)
class CatchExpired extends Answering {}

const membersOnly: TestAppOptions = {
  options: { loginUrl: '/login' },
  metadata: { providers: [{ provide: APP_GUARD, useClass: MembersOnly }] },
};

const asProviders = (...filters: Type[]): TestAppOptions => ({
  metadata: { providers: filters.map((useClass) => ({ provide: APP_FILTER, useClass })) },
});
const inMain = (...filters: Type<ExceptionFilter>[]): TestAppOptions => ({
  configure: (app) => app.useGlobalFilters(...filters.map((Filter) => new Filter())),
});

describe('A session that ended, when a guard of the app speaks first', () => {
  it.each<[string, number, Record<string, string>]>([
    ['throws', 401, {}],
    ['returns false', 403, { 'X-Refuse': 'false' }],
  ])('still says so to scripts (the guard %s)', async (_, code, headers) => {
    test = await createTestApp(membersOnly);
    await test
      .browser()
      .get('/page')
      .set(headers)
      .expect(code)
      .expect(({ body }) => expect(body.reason).toBeUndefined());
    const ada = await test.signedIn();
    await ada.get('/page').set(headers).expect(200);
    test.clock.advance(15 * MINUTE);
    await expectEnded(ada.set(headers), 'idle');
  });

  it.each<[string, Record<string, string>]>([
    ['throws', {}],
    ['returns false', { 'X-Refuse': 'false' }],
  ])('still leads a person to the login page (the guard %s)', async (_, headers) => {
    test = await createTestApp(membersOnly);
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    const response = await ada
      .get('/page?of=claims')
      .set({ ...NAVIGATION, ...headers })
      .expect(303)
      .expect('Location', '/login?reason=idle&returnTo=%2Fpage%3Fof%3Dclaims');
    expect(setCookiesOf(response)).toEqual([expect.stringMatching(/^app-sid=;/)]);
  });

  it('still says so where a guard of the route refuses a person who signed out', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    await ada.post('/sign-out').expect(204);
    await ada.get('/page').expect(200, { user: null });
    await expectEnded(ada, 'signed-out', '/members');
    await ada.get('/refused').expect(401);
    expect(await statusOf(ada)).toMatchObject({ state: 'expired', reason: 'signed-out' });
  });
});

describe('A refusal that is about something else', () => {
  it.each(['/password/in-handler', '/password/in-guard'])(
    'stays as it is: a wrong password with the cookie of a session that ended (%s)',
    async (path) => {
      test = await createTestApp({
        options: { loginUrl: '/login' },
        metadata: { controllers: [PasswordController] },
      });
      const ada = await test.signedIn();
      test.clock.advance(15 * MINUTE);
      const { body } = await ada.post(path).expect(401);
      expect(body.message).toBe('wrong password');
      await ada.post(path).set(NAVIGATION).expect(401);
    },
  );

  it("stays as it is: a handler's answer to somebody who signed out", async () => {
    test = await createTestApp({ metadata: { controllers: [PasswordController] } });
    const ada = await test.signedIn();
    await ada.post('/sign-out').expect(204);
    const { body } = await ada.get('/no-access').expect(403);
    expect(body.message).toBe('only for managers');
  });

  it('stays as it is for a live session', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    const { body } = await ada.get('/refused?how=throw').expect(403);
    expect(body).toEqual({ message: 'Forbidden', statusCode: 403 });
  });
});

describe('Filters of the app', () => {
  it.each<[string, TestAppOptions]>([
    ['a catch-all in main.ts', inMain(CatchAll)],
    ['a catch-all as a provider', asProviders(CatchAll)],
    ['a filter of all HTTP exceptions in main.ts', inMain(CatchHttp)],
    ['a filter of all HTTP exceptions as a provider', asProviders(CatchHttp)],
    ['a filter of refusals in main.ts', inMain(CatchRefusals)],
    ['a filter of refusals as a provider', asProviders(CatchRefusals)],
  ])('answer for live sessions, not for those that ended (%s)', async (_, appOptions) => {
    test = await createTestApp(appOptions);
    const ada = await test.signedIn();
    await ada.get('/refused').expect(418);
    await test.browser().get('/members').expect(418);
    test.clock.advance(15 * MINUTE);
    await expectEnded(ada, 'idle');
    await expectEnded(ada, 'idle', '/members');
  });

  it.each([
    { registered: 'CatchAll, CatchHttp', filters: [CatchAll, CatchHttp], by: 'CatchHttp' },
    {
      registered: 'CatchAll, CatchRefusals',
      filters: [CatchAll, CatchRefusals],
      by: 'CatchRefusals',
    },
    { registered: 'CatchRefusals, CatchAll', filters: [CatchRefusals, CatchAll], by: 'CatchAll' },
  ])('run as in Nest, the last one first ($registered)', async ({ filters, by }) => {
    test = await createTestApp(inMain(...filters));
    const ada = await test.signedIn();
    await ada.get('/refused').expect(418, { by });
    await ada.get('/broken').expect(418, { by: 'CatchAll' });
  });

  it.each<[string, TestAppOptions]>([
    ['in main.ts', inMain(CatchExpired, CatchAll)],
    ['as a provider', asProviders(CatchExpired, CatchAll)],
  ])('that name SessionExpiredException have the last word (%s)', async (_, appOptions) => {
    test = await createTestApp(appOptions);
    const ada = await test.signedIn();
    await ada.get('/refused').expect(418, { by: 'CatchAll' });
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(418, { by: 'CatchExpired' });
  });

  it('that name SessionExpiredException also get what another guard refused', async () => {
    test = await createTestApp({ ...membersOnly, ...inMain(CatchExpired) });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(418, { by: 'CatchExpired' });
  });
});

describe('Somebody who signed out', () => {
  it('is anonymous on public pages, and sees the reason where a guard of the app asks for more', async () => {
    test = await createTestApp({ options: { loginUrl: '/login' } });
    const ada = await test.signedIn();
    await ada.post('/sign-out').expect(204);
    await ada.get('/page').set(NAVIGATION).expect(200, { user: null });
    await ada
      .get('/members')
      .set(NAVIGATION)
      .expect(303)
      .expect('Location', '/login?reason=signed-out&returnTo=%2Fmembers');
    expect((await statusOf(ada)).state).toBe('none');
  });

  it('is refused while the session is still in its store', async () => {
    test = await createTestApp();
    const ada = await test.signedIn();
    await test.storage.end((await statusOf(ada)).sessionRef!, 'signed-out');
    await expectEnded(ada, 'signed-out');
    await ada.get('/page').expect(200, { user: null });
  });
});
