import { Logger } from '@nestjs/common';
import type { SessionData } from 'express-session';

/** Says once that the app gave a session's cookie a date, although the options say that each session ends with the browser. */
export function persistentCookieWarning(mayPersist: boolean): (session: SessionData) => void {
  const logger = new Logger('IdleSessionModule');
  let isDone = mayPersist;
  return ({ cookie }) => {
    if (isDone || cookie.originalMaxAge == null) return;
    isDone = true;
    logger.warn(
      "A session's cookie has a maxAge, so that the session outlives the browser. If that is meant, give the option session.persistentCookie: 'per-session' with session.rolling: true; otherwise set no request.session.cookie.maxAge.",
    );
  };
}
