import { promisify } from 'node:util';
import type { Request } from 'express';
import { StorageUnavailableException } from 'nestjs-idle-session';

/** Resolves when the store has the session: what the answer promises must not depend on a save that follows it. */
export function saveSession(request: Request): Promise<void> {
  const session = sessionOf(request);
  return promisify(session.save.bind(session))();
}

/** Gives the request an empty session under a new id, and ends the old one. */
export function regenerateSession(request: Request): Promise<void> {
  const session = sessionOf(request);
  return promisify(session.regenerate.bind(session))();
}

/** express-session leaves requests without one while its store says that it is disconnected. */
function sessionOf({ session }: Request): Request['session'] {
  if (session) return session;
  throw new StorageUnavailableException(new Error('the session store is disconnected'));
}
