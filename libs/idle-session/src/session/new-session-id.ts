import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import type { ResolvedSession } from '../options/resolve-session.js';

/** As many random bytes as express-session takes itself. */
const SESSION_ID_BYTES = 24;

/** The id of a new session, from the app's `genid` if there is one. */
export function newSessionId(request: Request, options: ResolvedSession['session']): string {
  return options.genid?.(request) ?? randomBytes(SESSION_ID_BYTES).toString('base64url');
}
