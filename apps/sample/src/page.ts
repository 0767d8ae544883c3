import type { Request } from 'express';
import { inWords } from './in-words.js';

/** What every page for a signed-in person shows. */
export function page(request: Request, title: string) {
  return { title, user: request.session.user, signOutAfter: signOutAfter(request) };
}

/** WCAG 2.2, 2.2.6: people are told beforehand how much inactivity ends it. */
export function signOutAfter(request: Request): string | undefined {
  const idleTimeoutMs = request.idleSession?.idleTimeoutMs;
  return idleTimeoutMs ? inWords(idleTimeoutMs) : undefined;
}
