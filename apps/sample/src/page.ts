import type { Request } from 'express';
import { inWords } from './in-words.js';
import { unsentInWarning } from './unsent-work.js';

/** What every page for a signed-in person shows. On an error page there may be none. */
export function page(request: Request, title: string) {
  const user = request.session?.user;
  return {
    title,
    user,
    showsNavigation: user !== undefined,
    signOutAfter: signOutAfter(request),
    unsent: unsentInWarning(request.path),
  };
}

/** WCAG 2.2, 2.2.6: people are told beforehand how much inactivity ends it. */
export function signOutAfter(request: Request): string | undefined {
  const idleTimeoutMs = request.idleSession?.idleTimeoutMs;
  return idleTimeoutMs ? inWords(idleTimeoutMs) : undefined;
}
