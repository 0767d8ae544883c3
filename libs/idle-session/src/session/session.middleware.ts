import { Logger } from '@nestjs/common';
import type { Request, RequestHandler, Response } from 'express';
import expressSession, { type Store } from 'express-session';
import onHeaders from 'on-headers';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { endingEachAnswer } from './ending-each-answer.js';
import { insecureCookieWarning } from './insecure-cookie-warning.js';
import { keepFromCaches } from './private-answers.js';
import type { OpenResponses } from './open/open-responses.js';
import { newSessionId } from './new-session-id.js';
import { FOREIGN_SESSION, type RequestSessions } from './request-sessions.js';
import { hasSeveralCookies, keepOnly, signedCookies, takeBackCookie } from './session-cookies.js';
import type { IdleSessionStore } from './session-store.js';

/** The token of the middleware: there is one in an app. */
export const SESSION_MIDDLEWARE = Symbol('SESSION_MIDDLEWARE');

/** How many signed cookies are looked up for one request: a browser may send more, and each costs the store a read. */
const COOKIES_TRIED = 5;

/**
 * express-session on our store. Each response of a live session tells in `Server-Timing` what is left, as a 401 tells of an
 * end, also to pages of listed origins, and is kept by no cache unless the app says otherwise; one that the app gives to
 * shared caches does not tell. Mounted twice, as by the app and by the module, it does its work once for each request.
 * Streams of events end with their session.
 */
export function sessionMiddleware(
  { session: options, origins }: ResolvedOptions,
  store: IdleSessionStore,
  requestSessions: RequestSessions,
  openResponses: OpenResponses,
): RequestHandler {
  const genid = (request: Request) =>
    store.keepsId(request) ? request.sessionID : newSessionId(request, options);
  const middleware = expressSession({ ...options, store, genid });
  // Only now has express-session put its generate on the store.
  store.generate = store.wrapGenerate(store.generate);

  const logger = new Logger('IdleSessionModule');
  let hasLoggedForeign = false;
  const logForeign = () => {
    if (!hasLoggedForeign) logger.error(FOREIGN_SESSION);
    hasLoggedForeign = true;
  };
  const warnOfInsecureCookie = insecureCookieWarning(options, (message) => logger.warn(message));
  return (request, response, next) => {
    if (request.sessionStore === (store as Store)) return next();
    warnOfInsecureCookie(request);
    onHeaders(response, () => {
      const session = requestSessions.find(request);
      // The session says how long the browser keeps its cookie, and nobody could look the session up.
      if (session?.failure) takeBackCookie(response, options.name, request.sessionID);
      const timing = session?.serverTiming(response.statusCode);
      const answer = { isPersonal: timing !== undefined, isChecked: session?.isChecked === true };
      const isShared = keepFromCaches(response, options.name, answer);
      if (timing !== undefined && !isShared) tellRemaining(response, timing, origins);
      if (session) openResponses.onHeaders(response, session);
    });
    const { cookie = '' } = request.headers;
    const proceed = endingEachAnswer(request, response, next, logForeign);
    if (!hasSeveralCookies(cookie, options.name)) return middleware(request, response, proceed);
    withOneCookie(cookie)
      .then((chosen) => {
        request.headers.cookie = chosen;
        middleware(request, response, proceed);
      })
      // Also what the app's `genid` throws.
      .catch(next);
  };

  /**
   * express-session goes by the first cookie of its name alone, so that a stale one would hide the session for good.
   */
  async function withOneCookie(header: string): Promise<string> {
    const secrets = [options.secret].flat() as (string | Buffer)[];
    const cookies = signedCookies(header, options.name, secrets);
    const ids = [...cookies.keys()].slice(0, COOKIES_TRIED);
    const chosen = ids.length > 1 ? await store.firstLive(ids) : ids[0];
    return chosen === undefined ? header : keepOnly(cookies.get(chosen)!, header, options.name);
  }
}

/** Browsers let pages of another origin read `Server-Timing` only by `Timing-Allow-Origin`, and not by the headers of CORS. */
function tellRemaining(response: Response, timing: string, origins: readonly string[]): void {
  response.appendHeader('Server-Timing', timing);
  if (origins.length > 0) response.appendHeader('Timing-Allow-Origin', origins.join(', '));
}
