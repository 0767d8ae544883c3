import {
  Catch,
  HttpException,
  HttpStatus,
  Injectable,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { ApplicationConfig, BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import type { Request, Response } from 'express';
import { loginAddress } from 'idle-session-client/protocol';
import {
  refusalOf,
  SessionConfirmationRequiredException,
  SessionExpiredException,
  SessionLockedException,
  StorageUnavailableException,
  TooManySessionsException,
} from '../session/idle-session.exceptions.js';
import { RequestSessions } from '../session/request-sessions.js';
import { isPageNavigation, isPageAt, pageOf } from './page-navigation.js';
import { sendProblem } from './problem.js';
import { findRequest } from './request-of.js';

/** Where Nest keeps what a filter catches. */
const CAUGHT_BY_FILTER = '__filterCatchExceptions__';

/**
 * Answers for sessions that ended. If a guard says 401 or 403 first, the answer still says why the session ended. A page
 * navigation is redirected to the login page and loses its cookie, since a person has now been told; a script gets the
 * problem, and the browser keeps the cookie. Answers as well for sessions that are locked, and for those whose person has to
 * confirm first.
 *
 * Nest asks it before the app's other global filters, so that a catch-all does not hide the reason. It passes on to them
 * what is not about an ended session, and what one of them names: `@Catch(SessionExpiredException)`.
 */
@Catch(HttpException)
@Injectable()
export class SessionExpiredFilter extends BaseExceptionFilter implements ExceptionFilter {
  constructor(
    private readonly requestSessions: RequestSessions,
    private readonly config: ApplicationConfig,
    adapterHost: HttpAdapterHost,
  ) {
    super(adapterHost.httpAdapter);
  }

  override catch(exception: HttpException, host: ArgumentsHost): unknown {
    const request = findRequest(host);
    const explanation = (request && this.explain(exception, request)) ?? exception;
    // A GraphQL server answers for itself, with the `extensions` of what it gets.
    if (!request || host.getType<string>() !== 'http') throw explanation;
    const response = host.switchToHttp().getResponse<Response>();
    // Such as express-session's, when a save failed with the answer on its way.
    if (response.headersSent) return this.passOn(exception, host);
    const answer = this.answerTo(explanation, request, response);
    if (!answer) return this.passOn(exception, host);
    const named = this.otherFilters().find((filter) =>
      caughtBy(filter).includes(explanation.constructor),
    );
    if (named) return named.catch(explanation, host);
    return answer();
  }

  protected answerExpired(
    exception: SessionExpiredException,
    request: Request,
    response: Response,
  ): void {
    if (exception.loginUrl !== null && isPageNavigation(request))
      this.requestSessions.of(request).clearCookie();
    sendOrRedirect(exception, exception.loginUrl, request, response);
  }

  protected answerLocked(
    exception: SessionLockedException,
    request: Request,
    response: Response,
  ): void {
    sendOrRedirect(exception, elsewhere(exception.unlockUrl, request), request, response);
  }

  protected answerConfirmationRequired(
    exception: SessionConfirmationRequiredException,
    request: Request,
    response: Response,
  ): void {
    sendOrRedirect(exception, elsewhere(exception.confirmUrl, request), request, response);
  }

  protected answerUnavailable(exception: StorageUnavailableException, response: Response): void {
    sendProblem(exception, response);
  }

  /** How an exception of the module's own is answered; undefined for any other. */
  private answerTo(
    exception: HttpException,
    request: Request,
    response: Response,
  ): (() => void) | undefined {
    if (exception instanceof SessionExpiredException)
      return () => this.answerExpired(exception, request, response);
    if (exception instanceof SessionLockedException)
      return () => this.answerLocked(exception, request, response);
    if (exception instanceof SessionConfirmationRequiredException)
      return () => this.answerConfirmationRequired(exception, request, response);
    if (exception instanceof StorageUnavailableException)
      return () => this.answerUnavailable(exception, response);
    if (exception instanceof TooManySessionsException)
      return () => sendProblem(exception, response);
    return undefined;
  }

  /** The reason behind a refusal by a guard: the session's end or lock, or that nothing could be known of it. */
  private explain(exception: HttpException, request: Request): HttpException | undefined {
    const isRefusal = [HttpStatus.UNAUTHORIZED, HttpStatus.FORBIDDEN].includes(
      exception.getStatus(),
    );
    if (!isRefusal || exception instanceof SessionExpiredException) return undefined;
    if (exception instanceof SessionLockedException) return undefined;
    const session = this.requestSessions.of(request);
    if (session.isAuthorized) return undefined;
    try {
      return refusalOf(session.status());
    } catch (error) {
      return error instanceof StorageUnavailableException ? error : undefined;
    }
  }

  /** As Nest would have done without this filter: the last registered that catches it, or the built-in answer. */
  private passOn(exception: HttpException, host: ArgumentsHost): unknown {
    const catches = (filter: ExceptionFilter) => {
      const types = caughtBy(filter);
      return types.length === 0 || types.some((type) => exception instanceof type);
    };
    const next = this.otherFilters().find(catches);
    return next ? next.catch(exception, host) : super.catch(exception, host);
  }

  private otherFilters(): ExceptionFilter[] {
    return this.config
      .getGlobalFilters()
      .filter((filter) => filter !== this)
      .reverse();
  }
}

/** @param url where a page navigation goes; null: it gets what a script gets */
function sendOrRedirect(
  exception: HttpException & { readonly reason: string },
  url: string | null,
  request: Request,
  response: Response,
): void {
  response.vary('Accept').vary('Sec-Fetch-Mode').set('Cache-Control', 'no-store');
  if (url === null || !isPageNavigation(request)) return sendProblem(exception, response);
  response.redirect(HttpStatus.SEE_OTHER, loginAddress(url, exception.reason, pageOf(request)));
}

/** Null for a page that is refused itself: to be sent there again would never end. */
function elsewhere(url: string | null, request: Request): string | null {
  return url !== null && isPageAt(url, request) ? null : url;
}

function caughtBy(filter: ExceptionFilter): Function[] {
  return (
    (Reflect.getMetadata(CAUGHT_BY_FILTER, filter.constructor) as Function[] | undefined) ?? []
  );
}
