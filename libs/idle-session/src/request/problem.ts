import type { HttpException } from '@nestjs/common';
import type { Response } from 'express';
import {
  SessionExpiredException,
  StorageUnavailableException,
} from '../session/idle-session.exceptions.js';

/** After how many seconds to try again while the storage is away. */
const RETRY_AFTER_S = 1;

/** Answers with an exception of the module's own, or of an endpoint. */
export function sendProblem(exception: HttpException, response: Response): void {
  const isUnavailable = exception instanceof StorageUnavailableException;
  const isProblem = isUnavailable || exception instanceof SessionExpiredException;
  if (isUnavailable) response.set('Retry-After', String(RETRY_AFTER_S));
  response
    .status(exception.getStatus())
    .set('Cache-Control', 'no-store')
    .type(isProblem ? 'application/problem+json' : 'application/json')
    .end(JSON.stringify(exception.getResponse()));
}
