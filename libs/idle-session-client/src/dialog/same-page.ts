/** Whether a page is the one to sign in on, with any query. */
export function isLoginPage(loginUrl: string, page: string): boolean {
  const login = new URL(loginUrl, page);
  const { origin, pathname, hash } = new URL(page);
  const isSamePath = login.origin === origin && login.pathname === pathname;
  return isSamePath && (login.hash === '' || login.hash === hash);
}
