import type { Request } from 'express';
import { regenerateSession, saveSession } from '../sessions/session-calls.js';
import type { User } from './user.js';

/** Signs the user in under a new session id, so an id that was planted before is worth nothing. */
export async function signIn(request: Request, user: User): Promise<void> {
  await regenerateSession(request);
  request.session.user = user;
  await saveSession(request);
}
