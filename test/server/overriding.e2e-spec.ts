import { describe, expect, it } from '@jest/globals';
import {
  Catch,
  GoneException,
  Injectable,
  type ArgumentsHost,
  type CallHandler,
  type ExceptionFilter,
  type ExecutionContext,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import {
  IdleSessionGuard,
  IdleSessionInterceptor,
  IdleSessionService,
  SessionExpiredException,
  SessionExpiredFilter,
  type IdleSessionStatus,
} from 'nestjs-idle-session';
import { serverTiming } from '../support/server-timing.js';
import { MINUTE } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

describe('overrideProvider(IdleSessionGuard)', () => {
  it('takes the guard away for a test: everybody passes', async () => {
    const test = await start({
      override: (builder) =>
        builder.overrideProvider(IdleSessionGuard).useValue({ canActivate: () => true }),
    });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(200, { user: null });
  });

  it('may refuse everybody', async () => {
    const test = await start({
      override: (builder) =>
        builder.overrideProvider(IdleSessionGuard).useValue({ canActivate: () => false }),
    });
    await test.browser().get('/page').expect(403);
  });
});

@Injectable()
class OwnGuard extends IdleSessionGuard {
  protected override isExempt(context: ExecutionContext): boolean {
    return super.isExempt(context) || this.getRequest(context).path.startsWith('/poll');
  }

  protected override throwSessionExpired(status: IdleSessionStatus): never {
    throw new GoneException({ gone: status.reason });
  }
}

@Injectable()
class RequestElsewhereGuard extends IdleSessionGuard {
  protected override getRequest(context: ExecutionContext): Request {
    const { original } = context.switchToHttp().getRequest<Request & { original: Request }>();
    return original;
  }
}

describe('A guard of our own that extends IdleSessionGuard', () => {
  it('says what is exempt, and what is thrown', async () => {
    const test = await start({
      override: (builder) => builder.overrideProvider(IdleSessionGuard).useClass(OwnGuard),
    });
    const ada = await test.signedIn();
    await ada.get('/page').expect(200);
    test.clock.advance(15 * MINUTE);
    await ada.get('/poll').expect(200);
    await ada.get('/exempt').expect(200);
    await ada.get('/page').expect(410, { gone: 'idle' });
  });

  it('says where the request is', async () => {
    const test = await start({
      configure: (app) =>
        app.use((request: Request & { original?: Request }, _: Response, next: () => void) => {
          request.original = request;
          next();
        }),
      override: (builder) =>
        builder.overrideProvider(IdleSessionGuard).useClass(RequestElsewhereGuard),
    });
    const ada = await test.signedIn();
    await ada.get('/page').expect(200);
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401);
  });
});

@Injectable()
class OnlyPostsInterceptor extends IdleSessionInterceptor {
  protected override isActivity(request: Request, context: ExecutionContext): boolean {
    return request.method === 'POST' && super.isActivity(request, context);
  }
}

describe('An interceptor of our own that extends IdleSessionInterceptor', () => {
  it('says what is activity', async () => {
    const test = await start({
      override: (builder) =>
        builder.overrideProvider(IdleSessionInterceptor).useClass(OnlyPostsInterceptor),
    });
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE);
    await ada.get('/page').expect('Server-Timing', serverTiming('active', 300_000));
    await ada.post('/page').send({}).expect('Server-Timing', serverTiming('active', 900_000));
  });

  it('may be taken away: then nothing is activity', async () => {
    const test = await start({
      override: (builder) =>
        builder
          .overrideProvider(IdleSessionInterceptor)
          .useValue({ intercept: (_: unknown, next: CallHandler) => next.handle() }),
    });
    const ada = await test.signedIn();
    test.clock.advance(10 * MINUTE);
    await ada.get('/page').expect('Server-Timing', serverTiming('active', 300_000));
  });
});

@Injectable()
class TeapotFilter extends SessionExpiredFilter {
  protected override answerExpired(
    exception: SessionExpiredException,
    _: Request,
    response: Response,
  ): void {
    response.status(418).json({ reason: exception.reason });
  }
}

@Catch(SessionExpiredException)
class OwnFilter implements ExceptionFilter {
  catch(exception: SessionExpiredException, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<Response>().status(418).json({ own: exception.reason });
  }
}

@Catch()
class CatchAllFilter implements ExceptionFilter {
  catch(_: unknown, host: ArgumentsHost): void {
    host.switchToHttp().getResponse<Response>().status(500).json({ caught: true });
  }
}

describe('A filter', () => {
  it('that extends SessionExpiredFilter changes the answer', async () => {
    const test = await start({
      override: (builder) => builder.overrideProvider(SessionExpiredFilter).useClass(TeapotFilter),
    });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(418, { reason: 'idle' });
  });

  it('of the app that catches SessionExpiredException changes the answer', async () => {
    const test = await start({ configure: (app) => app.useGlobalFilters(new OwnFilter()) });
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(418, { own: 'idle' });
  });

  it('of the app that catches everything hides no reason, and still catches the rest', async () => {
    const test = await start({ configure: (app) => app.useGlobalFilters(new CatchAllFilter()) });
    const ada = await test.signedIn();
    await ada.get('/nowhere').expect(500, { caught: true });
    await ada.get('/broken').expect(500, { caught: true });
    test.clock.advance(15 * MINUTE);
    expect((await ada.get('/page').expect(401)).body).toMatchObject({ reason: 'idle' });
  });
});

describe('IdleSessionService', () => {
  it('is there to be injected anywhere, without importing the module again', async () => {
    @Injectable()
    class Anywhere {
      constructor(readonly sessions: IdleSessionService) {}
    }
    const test = await start({ metadata: { providers: [Anywhere] } });
    expect(test.app.get(Anywhere).sessions).toBe(test.sessions);
  });
});
