import { ForbiddenException, HttpException, Injectable } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { EMPTY } from 'rxjs';
import { checkedFunction, isBoolean } from '../options/user-functions.js';
import { PassiveRoute } from './idle-session.decorators.js';
import { IdleSessionGuard } from './idle-session.guard.js';
import { IdleSessionInterceptor } from './idle-session.interceptor.js';
import { SessionExpiredFilter } from './session-expired.filter.js';

/** How {@link IdleSessionService.protect} tells activity. */
export interface ProtectOptions {
  /** Whether a request may be activity; default: each one, unless its headers say that it is passive. */
  readonly isActivity?: (request: Request) => boolean;
}

/** What the guard and the interceptor take for the route of a request that no controller serves. */
class UnroutedRequest {
  active(this: void): void {}

  @PassiveRoute()
  passive(this: void): void {}
}

/**
 * Does with requests that Nest does not route what it does with those that it does: it has the guard check them, the
 * interceptor count them as activity, and the filter answer those that are refused.
 */
@Injectable()
export class ProtectingMiddleware {
  constructor(
    private readonly guard: IdleSessionGuard,
    private readonly interceptor: IdleSessionInterceptor,
    private readonly filter: SessionExpiredFilter,
  ) {}

  handler({ isActivity = () => true }: ProtectOptions): RequestHandler {
    const checked = checkedFunction(
      'isActivity',
      'a function: request => boolean',
      isActivity,
      isBoolean,
    );
    return (request, response, next) => {
      // Nobody waits for it: without this, a filter that throws would end the process.
      this.handle(request, response, next, checked).catch(next);
    };
  }

  private async handle(
    request: Request,
    response: Response,
    next: NextFunction,
    isActivity: (request: Request) => boolean,
  ): Promise<void> {
    const args = [request, response, next];
    const { active, passive } = UnroutedRequest.prototype;
    try {
      const route = isActivity(request) ? active : passive;
      const context = new ExecutionContextHost(args, UnroutedRequest, route);
      // As Nest does where a guard says no.
      if (!(await this.guard.canActivate(context))) throw new ForbiddenException();
      await this.interceptor.intercept(context, { handle: () => EMPTY });
    } catch (error) {
      if (!(error instanceof HttpException)) return next(error);
      await this.filter.catch(error, new ExecutionContextHost(args, UnroutedRequest));
      return;
    }
    next();
  }
}
