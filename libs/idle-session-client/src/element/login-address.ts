import type { EndReason } from '../state.js';

/**
 * Where to send a person whose session ended: the login URL, which may have a query and a hash of its own, with why
 * and, unless they signed out themselves, with the way back.
 *
 * @param page the address of the page that they are on
 */
export function loginAddress(loginUrl: string, reason: EndReason | null, page: string): string {
  const url = new URL(loginUrl, page);
  const { pathname, search, hash } = new URL(page);
  url.searchParams.set('reason', reason ?? 'idle');
  if (reason !== 'signed-out') url.searchParams.set('returnTo', pathname + search + hash);
  return url.href;
}

/** Whether a page is the one to sign in on, with whatever query. */
export function isLogin(loginUrl: string, page: string): boolean {
  const login = new URL(loginUrl, page);
  const { origin, pathname, hash } = new URL(page);
  const samePlace = login.origin === origin && login.pathname === pathname;
  return samePlace && (login.hash === '' || login.hash === hash);
}
