import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import {
  SessionExpiredException,
  StorageUnavailableException,
} from '../session/idle-session.exceptions.js';
import { IdleSessionService } from '../idle-session.service.js';
import type { IdleSessionStatus } from '../session/idle-session.status.js';
import { isActivity } from './is-activity.js';
import { whenThere, type MaybePromise } from '../maybe-promise.js';
import { isPageNavigation } from './page-navigation.js';
import { isHttp, requestOf } from './request-of.js';
import { marksOf } from './route-metadata.js';

/**
 * Lets requests of live sessions and of strangers pass and refuses those of sessions that ended. Refreshes nothing:
 * that is for the interceptor, which runs once every guard has let the request pass, or for the response.
 *
 * To change a step, extend it and `overrideProvider(IdleSessionGuard)`, or provide yours under this token.
 */
@Injectable()
export class IdleSessionGuard implements CanActivate {
  constructor(
    protected readonly sessions: IdleSessionService,
    protected readonly reflector: Reflector,
  ) {}

  /** Answers at once, without a promise, wherever the session's state is known here. */
  canActivate(context: ExecutionContext): MaybePromise<boolean> {
    if (!isHttp(context)) return true;
    const request = this.getRequest(context);
    if (this.isExempt(context)) {
      this.letPass(request, context);
      return true;
    }
    return whenThere(this.sessions.check(request), (status) => {
      request.idleSession = status;
      if (status.state === 'expired' && !this.sessions.isStranger(request))
        this.throwSessionExpired(status);
      if (this.sessions.refreshesOnResponse && this.isActivity(request, context))
        this.sessions.refreshOnResponse(request);
      return true;
    });
  }

  protected getRequest(context: ExecutionContext): Request {
    return requestOf(context);
  }

  /** Whether the route is exempt: by default, whether it or its controller has `@SkipIdleSession()`. */
  protected isExempt(context: ExecutionContext): boolean {
    return Boolean(marksOf(context, this.reflector).exempt);
  }

  /** Whether the request says that a person did something; asked with `refreshOn: 'response'` only. */
  protected isActivity(request: Request, context: ExecutionContext): boolean {
    return isActivity(request, context, this.reflector);
  }

  /** @throws {SessionExpiredException} by default */
  protected throwSessionExpired(status: IdleSessionStatus): never {
    throw new SessionExpiredException(status.reason ?? 'idle', status.loginUrl);
  }

  private letPass(request: Request, context: ExecutionContext): void {
    try {
      request.idleSession = this.sessions.status(request);
    } catch (error) {
      // Exempt routes go on without the storage.
      if (!(error instanceof StorageUnavailableException)) throw error;
    }
    // What a later guard refuses here, a wrong password say, is not about the session.
    this.sessions.admit(request);
    const told = marksOf(context, this.reflector).exempt !== 'status' && isPageNavigation(request);
    if (request.idleSession?.state === 'expired' && told) this.sessions.clearCookie(request);
  }
}
