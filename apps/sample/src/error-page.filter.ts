import { type ArgumentsHost, Catch, HttpException, HttpStatus, Logger } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import type { Request, Response } from 'express';
import { StorageUnavailableException } from 'nestjs-idle-session';
import { type ErrorPage, errorPageFor } from './error-pages.js';
import { page } from './page.js';

const RETRY_AFTER_S = '5';

/**
 * Tells people about errors on a page, and scripts in JSON. Ended sessions never come here: the library's filter is asked
 * first. It leaves an outage of the storage to a filter that names it.
 */
@Catch(StorageUnavailableException, Error)
export class ErrorPageFilter extends BaseExceptionFilter {
  private readonly logger = new Logger(ErrorPageFilter.name);

  override catch(exception: Error, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const [request, response] = [http.getRequest<Request>(), http.getResponse<Response>()];
    const isOutage = exception instanceof StorageUnavailableException;
    if (response.headersSent) {
      // express-session tries a failed save once more, when the answer is on its way already.
      if (!isOutage) super.catch(exception, host);
      return;
    }
    const status = statusOf(exception);
    response.vary('Accept').set('Cache-Control', 'no-store');
    if (isOutage) response.set('Retry-After', RETRY_AFTER_S);

    const content = errorPageFor(status);
    if (content && request.accepts(['json', 'html']) === 'html') {
      if (status === HttpStatus.INTERNAL_SERVER_ERROR) this.logger.error(exception);
      response.status(status).render('error', errorPage(request, status, content));
    } else {
      if (isOutage) response.type('application/problem+json');
      super.catch(exception, host);
    }
  }
}

/** Express says what is wrong with a request in errors of its own. */
function statusOf(exception: Error & { readonly statusCode?: number }): number {
  if (exception instanceof HttpException) return exception.getStatus();
  return exception.statusCode ?? HttpStatus.INTERNAL_SERVER_ERROR;
}

function errorPage(request: Request, status: number, { title, text }: ErrorPage) {
  const content = page(request, title);
  // Where nobody could check who it is, a page without navigation would look as if the person were signed out.
  const isUnchecked = status === HttpStatus.SERVICE_UNAVAILABLE || !request.session;
  return {
    ...content,
    showsNavigation:
      content.showsNavigation || (isUnchecked && request.headers.cookie !== undefined),
    text,
    // The address of a form that was sent may not be a page.
    canTryAgain: status >= 500 && request.method === 'GET',
  };
}
