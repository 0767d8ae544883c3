import type { Request } from 'express';

/** Requests that the module took the session from. */
const withheld = new WeakSet<Request>();

/**
 * Takes the session from a request: its answer neither saves the session nor sets its cookie, nor destroys it. With
 * `unset: 'destroy'`, express-session destroys what the app has taken away itself.
 */
export function withholdSession(request: Request): void {
  if (request.session == null) return;
  withheld.add(request);
  Reflect.deleteProperty(request, 'session');
}

/** Calls express-session's `end`, so that it destroys no session that was withheld. */
export function endSparingWithheld<T>(request: Request, end: () => T): T {
  // The app has set it to null since.
  if (request.session !== undefined || !withheld.has(request)) return end();
  const { sessionID } = request;
  // Without its id, express-session has nothing to destroy.
  Reflect.deleteProperty(request, 'sessionID');
  try {
    return end();
  } finally {
    Object.assign(request, { sessionID });
  }
}
