import type { Request } from 'express';
import { inWords } from './in-words.js';
import { UNLOCK_URL } from './auth/unlock-page.js';
import { unsentInWarning } from './unsent-work.js';

/** What every page for a signed-in person shows. On an error page there may be none. */
export function page(request: Request, title: string) {
  const user = request.session?.user;
  return {
    title,
    user,
    showsNavigation: user !== undefined,
    signOutAfter: signOutAfter(request),
    unlockAction: canLock(request) && UNLOCK_URL,
    unsent: unsentInWarning(request.path),
  };
}

/** Whether the page may be locked, and is to ask for the password then. */
function canLock({ idleSession }: Request): boolean {
  return typeof idleSession?.locksInMs === 'number';
}

/** WCAG 2.2, 2.2.6: people are told beforehand how much inactivity ends it. */
export function signOutAfter(request: Request): string | undefined {
  const idleTimeoutMs = request.idleSession?.idleTimeoutMs;
  return idleTimeoutMs ? inWords(idleTimeoutMs) : undefined;
}
