import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Request, RequestHandler } from 'express';
import expressSession, { type Store } from 'express-session';
import onHeaders from 'on-headers';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { insecureCookieWarning } from './insecure-cookie-warning.js';
import type { RequestSessions } from './request-sessions.js';
import type { IdleSessionStore } from './session-store.js';

/** As many random bytes as express-session takes itself. */
const SESSION_ID_BYTES = 24;

/**
 * express-session on our store. Each response of a live session tells in `Server-Timing` what is left. Mounted twice, as
 * by the app and by the module, it does its work once for each request.
 */
export function sessionMiddleware(
  { session: options }: ResolvedOptions,
  store: IdleSessionStore,
  requestSessions: RequestSessions,
): RequestHandler {
  const newId = (request: Request) =>
    options.genid?.(request) ?? randomBytes(SESSION_ID_BYTES).toString('base64url');
  const genid = (request: Request) => (store.keepsId(request) ? request.sessionID : newId(request));
  const middleware = expressSession({ ...options, store, genid });
  // Only now has express-session put its generate on the store.
  store.generate = store.wrapGenerate(store.generate);

  const logger = new Logger('IdleSessionModule');
  const warnOfInsecureCookie = insecureCookieWarning(options, (message) => logger.warn(message));
  return (request, response, next) => {
    if (request.sessionStore === (store as Store)) return next();
    warnOfInsecureCookie(request);
    onHeaders(response, () => {
      const timing = requestSessions.find(request)?.serverTiming();
      if (timing !== undefined) response.appendHeader('Server-Timing', timing);
    });
    middleware(request, response, next);
  };
}
