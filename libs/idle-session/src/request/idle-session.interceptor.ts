import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import type { Observable } from 'rxjs';
import { isActivity } from './is-activity.js';
import { SessionExpiredException } from '../session/idle-session.exceptions.js';
import { IdleSessionService } from '../idle-session.service.js';
import { whenThere, type MaybePromise } from '../maybe-promise.js';
import { isHttp, requestOf } from './request-of.js';

/**
 * Counts a request that no guard refused as activity, before its handler runs, unless the request is passive. Not there
 * with `refreshOn: 'response'`.
 */
@Injectable()
export class IdleSessionInterceptor implements NestInterceptor {
  constructor(
    protected readonly sessions: IdleSessionService,
    protected readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): MaybePromise<Observable<unknown>> {
    if (!isHttp(context)) return next.handle();
    const request = this.getRequest(context);
    this.sessions.admit(request);
    const { state } = request.idleSession ?? {};
    const alive = state === 'active' || state === 'warning';
    if (!alive || !this.isActivity(request, context)) return next.handle();
    return whenThere(this.sessions.refreshed(request), (status) => {
      request.idleSession = status;
      if (status.state === 'expired')
        throw new SessionExpiredException(status.reason ?? 'idle', status.loginUrl);
      return next.handle();
    });
  }

  protected getRequest(context: ExecutionContext): Request {
    return requestOf(context);
  }

  /** Whether the request says that a person did something. */
  protected isActivity(request: Request, context: ExecutionContext): boolean {
    return isActivity(request, context, this.reflector);
  }
}
