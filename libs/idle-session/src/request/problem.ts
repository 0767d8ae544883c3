import type { HttpException } from '@nestjs/common';
import type { Response } from 'express';
import {
  SessionConfirmationRequiredException,
  SessionExpiredException,
  SessionLockedException,
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
  const body = exception.getResponse();
  const isProblem = typeof body === 'object' && 'title' in body;
  if (isUnavailable) response.set('Retry-After', String(RETRY_AFTER_S));
  if (exception.getStatus() === 401) {
    const parameters = isAbout(exception) ? ` ${challengeOf(exception)}` : '';
    response.set('WWW-Authenticate', AUTHENTICATION_SCHEME + parameters);
  }
  response
    .status(exception.getStatus())
    .set('Cache-Control', 'no-store')
    .type(isProblem ? 'application/problem+json' : 'application/json')
    .end(JSON.stringify(body));
}

type AboutSession =
  SessionExpiredException | SessionLockedException | SessionConfirmationRequiredException;

function isAbout(exception: HttpException): exception is AboutSession {
  return [
    SessionExpiredException,
    SessionLockedException,
    SessionConfirmationRequiredException,
  ].some((type) => exception instanceof type);
}

/**
 * What the scheme says of a 401. For a proof that is too old, in the words of RFC 9470, section 3, which defines them for
 * the schemes of OAuth: a client that knows them there knows them here.
 */
function challengeOf(exception: AboutSession): string {
  if (!(exception instanceof SessionConfirmationRequiredException))
    return `error="${exception.reason}"`;
  // Whole seconds, and none more than the route allows.
  const maxAgeS = Math.floor(exception.maxAgeMs / 1000);
  return [
    'error="insufficient_user_authentication"',
    'error_description="More recent authentication is required"',
    `max_age="${maxAgeS}"`,
  ].join(', ');
}
