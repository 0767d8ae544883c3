import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  Catch,
  Controller,
  ForbiddenException,
  Get,
  HttpException,
  Injectable,
  Post,
  Req,
  Res,
  StreamableFile,
  UnauthorizedException,
  UseFilters,
  UseGuards,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Request, Response } from 'express';
import { IdleSessionService } from 'nestjs-idle-session';
import { Gate } from '../support/gate.js';
import { expectEnded, NAVIGATION, statusOf } from '../support/requests.js';
import { serverTiming } from '../support/server-timing.js';
import { createTestApp, MINUTE, type TestApp } from '../support/test-app.js';

let test: TestApp;
afterEach(async () => {
  jest.restoreAllMocks();
  await test.app.close();
});

const saved = (request: Request) =>
  new Promise<void>((resolve) => request.session.save(() => resolve()));

/** As a guard of the app's root module, it runs before the library's. */
@Injectable()
class EarlyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const how = context.switchToHttp().getRequest<Request>().get('X-Refuse');
    if (how === 'throw') throw new ForbiddenException();
    return how !== 'false';
  }
}

/** Writes to the session, has it saved, and then refuses. */
@Injectable()
class SavingGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    request.session.note = `attempt at ${request.url}`;
    await saved(request);
    return false;
  }
}

class Forbidden extends Error {}

@Catch(Forbidden)
class ForbiddenFilter implements ExceptionFilter {
  catch(_: Forbidden, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<Response>().status(403).json({ why: 'no' });
  }
}

@Controller()
class AnsweringController {
  static gate = new Gate();

  constructor(private readonly sessions: IdleSessionService) {}

  @Get('throws/:status')
  throws(@Req() request: Request) {
    throw new HttpException('on purpose', Number(request.params.status));
  }

  @Get('answers/:status')
  answers(@Req() request: Request, @Res() response: Response) {
    response.status(Number(request.params.status)).send('on purpose');
  }

  @Get('filtered')
  @UseFilters(ForbiddenFilter)
  filtered() {
    throw new Forbidden();
  }

  @Get('saves-and-throws/:status')
  async savesAndThrows(@Req() request: Request) {
    request.session.note = 'the first of two steps';
    await saved(request);
    throw new HttpException('at the second', Number(request.params.status));
  }

  @Get('saving-guard')
  @UseGuards(SavingGuard)
  savingGuard() {
    return {};
  }

  @Get('streamed')
  streamed() {
    const parts = ['a', 'b', 'c'].map((part) => Buffer.from(part));
    return new StreamableFile(Readable.from(parts), { type: 'text/plain' });
  }

  @Get('written-in-parts')
  async writtenInParts(@Res() response: Response) {
    response.write('part 1, ');
    await nextTurn();
    response.end('part 2');
  }

  @Get('slow')
  async slow() {
    await AnsweringController.gate.pass();
    return {};
  }

  @Get('refreshes-late')
  async refreshesLate(@Req() request: Request) {
    await AnsweringController.gate.pass();
    await this.sessions.refresh(request);
    return {};
  }

  @Post('ends-and-refuses')
  async endsAndRefuses(@Req() request: Request) {
    await this.sessions.end(request, 'revoked');
    throw new UnauthorizedException('too many attempts');
  }
}

async function createApp(): Promise<TestApp> {
  AnsweringController.gate = new Gate();
  test = await createTestApp({
    metadata: {
      controllers: [AnsweringController],
      providers: [{ provide: APP_GUARD, useClass: EarlyGuard }],
    },
    configure: (app) => app.useLogger(false),
  });
  return test;
}

describe('A request that a guard refused', () => {
  it.each<[string, string, Record<string, string>, number]>([
    ['a guard of its route that throws', '/refused?how=throw', {}, 403],
    ['a guard of its route that returns false', '/refused', {}, 403],
    ['a guard of its route that saved the session before', '/saving-guard', {}, 403],
    ["the app's auth guard", '/members', {}, 401],
    ["a guard of the app's root module that throws", '/page', { 'X-Refuse': 'throw' }, 403],
    ["a guard of the app's root module that returns false", '/page', { 'X-Refuse': 'false' }, 403],
  ])('is no activity: %s', async (_, path, headers, code) => {
    await createApp();
    const visitor = test.browser();
    await visitor.post('/page').expect(200);
    test.clock.advance(14 * MINUTE);
    const response = await visitor.get(path).set(headers).expect(code);
    expect(response.body).not.toHaveProperty('reason');
    expect(await statusOf(visitor)).toMatchObject({ state: 'warning', expiresInMs: MINUTE });
    test.clock.advance(MINUTE);
    await visitor.get('/page').expect(401);
  });
});

describe('A request that no guard refused', () => {
  let ada: ReturnType<TestApp['browser']>;
  beforeEach(async () => {
    ada = await (await createApp()).signedIn();
  });

  it.each<[string, string, number, Record<string, string>?]>([
    ['its handler fails', '/broken', 500],
    ['its handler fails after the session was saved', '/saves-and-throws/500', 500],
    ['its handler throws 400', '/throws/400', 400],
    ['its handler throws 401', '/throws/401', 401],
    ['its handler throws 403', '/throws/403', 403],
    ['its handler throws 404', '/throws/404', 404],
    ['its handler sends 403', '/answers/403', 403],
    ['its handler sends 409', '/answers/409', 409],
    ['an exception filter answers 403', '/filtered', 403],
    ['it is redirected', '/answers/302', 302],
    ['its answer has no content', '/answers/204', 204],
    ['its answer is a file that is streamed', '/streamed', 200],
    ['its answer is written in parts', '/written-in-parts', 200],
    ['a person opens a page', '/page', 200, NAVIGATION],
  ])(
    'is activity, and its own Server-Timing says so: %s',
    async (_, path, status, headers = {}) => {
      test.clock.advance(14 * MINUTE);
      const response = await ada.get(path).set(headers).expect(status);
      const error = status >= 400 ? `, http-status;dur=${status}` : '';
      expect(response.get('Server-Timing')).toMatch(serverTiming('active', 900_000, error));
      expect((await statusOf(ada)).expiresInMs).toBe(15 * MINUTE);
    },
  );

  it('tells the new deadline in its own Server-Timing also when it wrote to the session', async () => {
    test.clock.advance(14 * MINUTE);
    await ada.post('/page').expect('Server-Timing', serverTiming('active', 900_000));
  });

  it('runs its handler only once its activity is stored', async () => {
    const { storage } = test;
    const touched = new Gate();
    const touch = storage.touch.bind(storage) as (...args: unknown[]) => unknown;
    jest.spyOn(storage, 'touch').mockImplementation((async (...args: unknown[]) => {
      await touched.pass();
      return touch(...args);
    }) as never);
    let isHandled = false;
    void AnsweringController.gate.reached.then(() => (isHandled = true));
    const slow = ada.get('/slow').then(({ status }) => status);
    await touched.reached;
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect(isHandled).toBe(false);
    touched.open();
    await AnsweringController.gate.reached;
    AnsweringController.gate.open();
    expect(await slow).toBe(200);
  });

  // django-session-security 1, spring-session 1280: a slow request took the time of a newer one back.
  it('counts from when it came, and never moves activity back when it ends late', async () => {
    test.clock.advance(10 * MINUTE);
    const slow = ada.get('/slow').then(({ status }) => status);
    await AnsweringController.gate.reached;
    expect((await statusOf(ada)).expiresInMs).toBe(15 * MINUTE);
    test.clock.advance(10 * MINUTE);
    await ada.get('/page').expect(200);
    test.clock.advance(MINUTE);
    AnsweringController.gate.open();
    expect(await slow).toBe(200);
    expect((await statusOf(ada)).expiresInMs).toBe(14 * MINUTE);
  });

  it('is still answered when the session ends meanwhile, and does not revive it', async () => {
    const slow = ada.get('/slow').then(({ status }) => status);
    await AnsweringController.gate.reached;
    test.clock.advance(15 * MINUTE);
    await ada.get('/poll').expect(401);
    AnsweringController.gate.open();
    expect(await slow).toBe(200);
    await expectEnded(ada, 'idle');
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'expired']);
  });

  it('tells what a handler refreshed late as it is then, not as it was when the request came', async () => {
    const late = ada.get('/refreshes-late').then((response) => response);
    await AnsweringController.gate.reached;
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 5 * MINUTE);
    test.clock.advance(5 * MINUTE);
    AnsweringController.gate.open();
    expect((await late).get('Server-Timing')).toMatch(serverTiming('active', 900_000));
  });

  it('keeps the answer of a handler that ended the session and refuses', async () => {
    const { body } = await ada.post('/ends-and-refuses').expect(401);
    expect(body.message).toBe('too many attempts');
  });
});
