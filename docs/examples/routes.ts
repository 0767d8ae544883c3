import { Body, Catch, Controller, Get, HttpCode, Injectable, Post, Req } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter, ExecutionContext } from '@nestjs/common';
import type { Request, Response } from 'express';
import {
  IdleSession,
  IdleSessionGuard,
  IdleSessionInterceptor,
  IdleSessionService,
  PassiveRoute,
  SessionExpiredException,
  SkipIdleSession,
  StorageUnavailableException,
  type IdleSessionStatus,
} from 'nestjs-idle-session';

/** Stands for work that takes its time. */
async function importOne(_claim: unknown): Promise<void> {}

// #region skip
@Controller('health')
@SkipIdleSession()
export class HealthController {
  @Get()
  check() {
    return { status: 'up' };
  }
}
// #endregion skip

// #region passive
@Controller('news')
export class NewsController {
  @Get()
  @PassiveRoute()
  poll() {
    return { news: [] };
  }
}
// #endregion passive

// #region status
@Controller('time-left')
export class TimeLeftController {
  @Get()
  timeLeft(@IdleSession() status: IdleSessionStatus) {
    return { seconds: Math.round((status.expiresInMs ?? 0) / 1000) };
  }
}
// #endregion status

// #region service
@Controller('account')
export class AccountController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Post('sign-out')
  @HttpCode(204)
  async signOut(@Req() request: Request): Promise<void> {
    await this.sessions.end(request, 'signed-out');
  }
}
// #endregion service

// #region check
@Controller('claims')
export class ImportController {
  constructor(private readonly sessions: IdleSessionService) {}

  @Post('import')
  async importAll(@Req() request: Request, @Body() claims: unknown[]) {
    let imported = 0;
    for (const claim of claims) {
      const { state } = await this.sessions.check(request);
      if (state !== 'active' && state !== 'warning') break;
      await importOne(claim);
      imported++;
    }
    return { imported };
  }
}
// #endregion check

// #region filter
@Catch(SessionExpiredException)
export class OwnAnswerFilter implements ExceptionFilter {
  catch(exception: SessionExpiredException, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    response.status(401).json({ error: 'session_ended', reason: exception.reason });
  }
}
// #endregion filter

// #region outage
@Catch(StorageUnavailableException)
export class OutagePageFilter implements ExceptionFilter {
  catch(exception: StorageUnavailableException, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    response
      .status(503)
      .set('Retry-After', '1')
      .format({
        json: () => response.json(exception.getResponse()),
        html: () => response.send('<p>You are still signed in. Please try again in a moment.</p>'),
      });
  }
}
// #endregion outage

// #region guard
@Injectable()
export class OwnIdleSessionGuard extends IdleSessionGuard {
  protected override isExempt(context: ExecutionContext): boolean {
    return super.isExempt(context) || this.getRequest(context).path.startsWith('/public/');
  }
}
// #endregion guard

// #region interceptor
@Injectable()
export class OnlyFormsAreActivity extends IdleSessionInterceptor {
  protected override isActivity(request: Request, context: ExecutionContext): boolean {
    return request.method === 'POST' && super.isActivity(request, context);
  }
}
// #endregion interceptor
