import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { concatMap, type Observable } from 'rxjs';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { refusalOf } from '../session/idle-session.exceptions.js';
import { isOpen } from '../session/idle-session.status.js';
import { RequestSessions } from '../session/request-sessions.js';
import { isActivity } from './is-activity.js';
import { MarkedResponses } from './marked-responses.js';
import { findRequest, isHttp, requestOf } from './request-of.js';
import { routeMetadataOf } from './route-metadata.js';

/**
 * Counts a request that no guard refused as activity, unless the request is passive: before its handler runs, and before
 * any other global interceptor, so that one that answers from a cache does not hide it.
 */
@Injectable()
export class IdleSessionInterceptor implements NestInterceptor {
  constructor(
    private readonly requestSessions: RequestSessions,
    protected readonly reflector: Reflector,
    private readonly markedResponses: MarkedResponses,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (!isHttp(context) && !findRequest(context)) return next.handle();
    const request = this.getRequest(context);
    const session = this.requestSessions.of(request);
    session.isAuthorized = true;
    const { allowsLocked, endsWithSession } = routeMetadataOf(context, this.reflector);
    if (isOpen(request.idleSession) && this.isActivity(request, context)) {
      const status = await session.refresh();
      request.idleSession = status;
      const refusal = refusalOf(status);
      if (refusal && !(status.state === 'locked' && allowsLocked)) throw refusal;
    }
    // It would be answered as locked, before its handler can unlock the session.
    const isLocked = request.idleSession?.state === 'locked';
    if (endsWithSession && !isLocked) this.markedResponses.mark(request);
    const answer = next.handle();
    if (!this.requestSessions.mayRefuse) return answer;
    return answer.pipe(
      concatMap(async (value: unknown) => {
        await this.requestSessions.saveNew(request);
        return value;
      }),
    );
  }

  protected getRequest(context: ExecutionContext): Request {
    return requestOf(context);
  }

  /** Whether the request says that a person did something. */
  protected isActivity(request: Request, context: ExecutionContext): boolean {
    return isActivity(request, context, this.reflector, this.options.origins);
  }
}
