import { randomBytes } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import expressSession, { type Store } from 'express-session';
import onHeaders from 'on-headers';
import type { IdleSessionStore } from './session-store.js';
import type { ResolvedOptions } from '../options/resolve-options.js';

/** As many random bytes as express-session takes itself. */
const SESSION_ID_BYTES = 24;

export interface ResponseHooks {
  readonly beforeHeaders: (request: Request) => void;
  readonly beforeEnd?: (request: Request) => void;
}

/**
 * express-session on our store. Calls `beforeHeaders` when a response is about to be sent, and `beforeEnd` when all of
 * it is known, before express-session puts the session away. Mounted twice, as by the app and by the module, it does its
 * work once for each request.
 */
export function sessionMiddleware(
  { session: options }: ResolvedOptions,
  store: IdleSessionStore,
  { beforeHeaders, beforeEnd }: ResponseHooks,
): RequestHandler {
  const newId = (request: Request) =>
    options.genid?.(request) ?? randomBytes(SESSION_ID_BYTES).toString('base64url');
  const genid = (request: Request) => (store.keepsId(request) ? request.sessionID : newId(request));
  const middleware = expressSession({ ...options, store, genid });
  // Only now has express-session put its generate on the store.
  store.generate = store.wrapGenerate(store.generate);

  return (request, response, next) => {
    if (request.sessionStore === (store as Store)) return next();
    onHeaders(response, () => beforeHeaders(request));
    if (!beforeEnd) return middleware(request, response, next);
    middleware(request, response, (error) => {
      const end = response.end.bind(response) as (...args: unknown[]) => Response;
      response.end = (...args: unknown[]) => {
        beforeEnd(request);
        return end(...args);
      };
      next(error);
    });
  };
}
