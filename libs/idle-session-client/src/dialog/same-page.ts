/** Whether a page is at that address, with any query. */
export function isSamePage(address: string, page: string): boolean {
  const wanted = new URL(address, page);
  const { origin, pathname, hash } = new URL(page);
  const isSamePath = wanted.origin === origin && wanted.pathname === pathname;
  return isSamePath && (wanted.hash === '' || wanted.hash === hash);
}
