import {
  Inject,
  Injectable,
  Logger,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { isFresh } from '../activity/evaluate.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import {
  SessionConfirmationRequiredException,
  SessionExpiredException,
  SessionLockedException,
  StorageUnavailableException,
} from '../session/idle-session.exceptions.js';
import type { IdleSessionStatus } from 'idle-session-client/protocol';
import { AttachedSocket } from '../session/open/attached-socket.js';
import { isOpen } from '../session/idle-session.status.js';
import type { RequestSession } from '../session/request-session.js';
import { RequestSessions } from '../session/request-sessions.js';
import { isPageNavigation } from './page-navigation.js';
import { isHandshake, isHttp, isMessage, requestOf, UNATTACHED } from './request-of.js';
import { routeMetadataOf } from './route-metadata.js';

declare global {
  namespace Express {
    interface Request {
      /** Where the request's session stands; set by the guard of `nestjs-idle-session`. */
      idleSession?: IdleSessionStatus;
    }
  }
}

/**
 * Lets requests of live sessions and anonymous requests pass, and refuses those of sessions that ended or are locked. It refreshes
 * nothing: that is for the interceptor, which runs once every guard has let the request pass.
 *
 * Of messages, it lets those pass whose socket is attached to a live session.
 *
 * In tests, `overrideProvider(IdleSessionGuard)` replaces it or a step of it.
 */
@Injectable()
export class IdleSessionGuard implements CanActivate {
  private readonly logger = new Logger('IdleSessionModule');
  private hasLoggedUnattached = false;

  constructor(
    private readonly requestSessions: RequestSessions,
    protected readonly reflector: Reflector,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (isMessage(context)) return this.admits(context, context.switchToWs().getClient<object>());
    if (!isHttp(context)) return true;
    const request = this.getRequest(context);
    if (isGraphql(context) && isHandshake(request)) return this.admits(context, request);
    const session = this.requestSessions.of(request);
    if (this.isExempt(context)) {
      this.letPass(request, session);
      this.requireFresh(context, request, session);
      return true;
    }
    const status = await session.check();
    request.idleSession = status;
    if (status.state === 'expired' && !session.isSignedOut) this.throwSessionExpired(status);
    if (status.state === 'locked') this.requireAllowed(context, status, session);
    this.requireFresh(context, request, session);
    return true;
  }

  protected getRequest(context: ExecutionContext): Request {
    return requestOf(context);
  }

  /** Whether the route is exempt: by default, whether it or its controller has `@SkipIdleSession()`. */
  protected isExempt(context: ExecutionContext): boolean {
    return routeMetadataOf(context, this.reflector).exempt;
  }

  /** @throws {SessionExpiredException} by default */
  protected throwSessionExpired(status: IdleSessionStatus): never {
    throw new SessionExpiredException(status.reason ?? 'lost', status.loginUrl);
  }

  /** @throws {SessionLockedException} by default */
  protected throwSessionLocked({ unlockUrl }: IdleSessionStatus): never {
    throw new SessionLockedException(unlockUrl);
  }

  /** @throws {SessionConfirmationRequiredException} by default */
  protected throwConfirmationRequired(maxAgeMs: number): never {
    throw new SessionConfirmationRequiredException(maxAgeMs, this.options.confirmUrl);
  }

  private requireAllowed(
    context: ExecutionContext,
    status: IdleSessionStatus,
    session: RequestSession,
  ): void {
    if (!routeMetadataOf(context, this.reflector).allowsLocked) this.throwSessionLocked(status);
    session.isAuthorized = true;
  }

  private requireFresh(context: ExecutionContext, request: Request, session: RequestSession): void {
    const maxAgeMs = this.missingProof(context, request, session);
    if (maxAgeMs !== undefined) this.throwConfirmationRequired(maxAgeMs);
  }

  /** How old a proof the route takes, if that of the request's session is older, or there is none. */
  private missingProof(
    context: ExecutionContext,
    { idleSession }: Request,
    session: RequestSession,
  ): number | undefined {
    const { freshForMs } = routeMetadataOf(context, this.reflector);
    if (freshForMs === undefined) return undefined;
    return isOpen(idleSession) && isFresh(session.reading, freshForMs) ? undefined : freshForMs;
  }

  /** @param key what the message has of its socket: that, or the handshake */
  private async admits(context: ExecutionContext, key: object): Promise<boolean> {
    const isExempt = this.isExempt(context);
    const socket = AttachedSocket.of(key);
    if (!socket) {
      if (!isExempt) this.logUnattached();
      return isExempt;
    }
    if (!(await socket.isAdmitted)) return isExempt;
    if (isExempt) {
      this.letPass(socket.handshake, await socket.read());
      return true;
    }
    const isLive = await socket.check();
    const { idleSession } = socket.handshake;
    if (isGraphql(context) && idleSession?.state === 'expired')
      this.throwSessionExpired(idleSession);
    if (isGraphql(context) && idleSession?.state === 'locked') this.throwSessionLocked(idleSession);
    if (!isLive) return false;
    const session = this.requestSessions.of(socket.handshake);
    const maxAgeMs = this.missingProof(context, socket.handshake, session);
    if (maxAgeMs !== undefined && isGraphql(context)) this.throwConfirmationRequired(maxAgeMs);
    return maxAgeMs === undefined;
  }

  /** Once: it is the app that forgot it. */
  private logUnattached(): void {
    if (!this.hasLoggedUnattached) this.logger.warn(`A message was refused. ${UNATTACHED}`);
    this.hasLoggedUnattached = true;
  }

  private letPass(request: Request, session: RequestSession): void {
    try {
      request.idleSession = session.status();
    } catch (error) {
      // Exempt routes go on without the storage.
      if (!(error instanceof StorageUnavailableException)) throw error;
    }
    session.isAuthorized = true;
    const isTold = request.idleSession?.state === 'expired' && isPageNavigation(request);
    if (isTold) session.clearCookie();
  }
}

function isGraphql(context: ExecutionContext): boolean {
  return context.getType<string>() === 'graphql';
}
