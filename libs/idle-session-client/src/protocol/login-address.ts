/**
 * The login URL, relative or absolute, with `reason` and `returnTo` in its query. It keeps its own query and hash; only a
 * `reason` or `returnTo` of its own is replaced.
 *
 * @param returnTo the way back, from the root of the site; left out: the login page is told none
 */
export function loginAddress(loginUrl: string, reason: string, returnTo?: string): string {
  const [, address = '', query = '', hash = ''] = /^([^?#]*)\??([^#]*)(.*)$/s.exec(loginUrl) ?? [];
  const own = query.split('&').filter((pair) => pair && !/^(reason|returnTo)(=|$)/.test(pair));
  const added = new URLSearchParams({ reason, ...(returnTo !== undefined && { returnTo }) });
  return `${address}?${[...own, added].join('&')}${hash}`;
}
