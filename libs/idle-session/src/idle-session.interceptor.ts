import {
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import type { Observable } from 'rxjs';
import { PASSIVE_ROUTE, SKIP_IDLE_SESSION } from './idle-session.decorators.js';
import { SessionExpiredException } from './idle-session.exceptions.js';
import { IdleSessionService } from './idle-session.service.js';
import { isPassiveRequest } from './passive-request.js';
import { isHttp, requestOf } from './request-of.js';

/** Counts a request that no guard refused as activity, before its handler runs, unless the request is passive. */
@Injectable()
export class IdleSessionInterceptor implements NestInterceptor {
  constructor(
    protected readonly sessions: IdleSessionService,
    protected readonly reflector: Reflector,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (isHttp(context)) {
      const request = this.getRequest(context);
      this.sessions.admit(request);
      const { state } = request.idleSession ?? {};
      if ((state === 'active' || state === 'warning') && this.isActivity(request, context)) {
        const {
          state: after,
          reason,
          loginUrl,
        } = (request.idleSession = await this.sessions.refresh(request));
        if (after === 'expired') throw new SessionExpiredException(reason ?? 'idle', loginUrl);
      }
    }
    return next.handle();
  }

  protected getRequest(context: ExecutionContext): Request {
    return requestOf(context);
  }

  /** Whether the request says that a person did something. */
  protected isActivity(request: Request, context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    const exempt = this.reflector.getAllAndOverride<unknown>(SKIP_IDLE_SESSION, targets);
    const passive = this.reflector.getAllAndOverride<unknown>(PASSIVE_ROUTE, targets);
    return !exempt && !passive && !isPassiveRequest(request);
  }
}
