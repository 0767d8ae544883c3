import type { HttpException } from '@nestjs/common';
import type { Response } from 'express';
import {
  SessionExpiredException,
  StorageUnavailableException,
} from '../session/idle-session.exceptions.js';

/** After how many seconds to try again while the storage is away. */
const RETRY_AFTER_S = 1;

/**
 * The scheme in `WWW-Authenticate`, which RFC 9110 asks for with each 401. Browsers know it not, so that none opens a
 * login prompt of its own.
 */
const AUTHENTICATION_SCHEME = 'Session';

/** Answers with an exception of the module's own, or of an endpoint. */
export function sendProblem(exception: HttpException, response: Response): void {
  const isUnavailable = exception instanceof StorageUnavailableException;
  const isExpired = exception instanceof SessionExpiredException;
  const isProblem = isUnavailable || isExpired;
  if (isUnavailable) response.set('Retry-After', String(RETRY_AFTER_S));
  if (exception.getStatus() === 401) {
    const error = isExpired ? ` error="${exception.reason}"` : '';
    response.set('WWW-Authenticate', AUTHENTICATION_SCHEME + error);
  }
  response
    .status(exception.getStatus())
    .set('Cache-Control', 'no-store')
    .type(isProblem ? 'application/problem+json' : 'application/json')
    .end(JSON.stringify(exception.getResponse()));
}
