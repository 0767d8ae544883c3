import type { ObservedResponse } from './environment.js';

/**
 * Sees every response of the server's origin to the page: fetch, XHR and the navigation itself, also those before now. Not
 * those of the endpoints: who asked has the whole answer, which must not come as old news.
 * @param path where the server's endpoints are
 */
export function onResponse(
  listener: (response: ObservedResponse) => void,
  path: string,
  signal: AbortSignal,
): void {
  const observer = new PerformanceObserver((list) => {
    const { origin, href } = new URL(`${path}/`, location.href);
    for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
      if (!entry.name.startsWith(`${origin}/`) || entry.name.startsWith(href)) continue;
      // Firefox has none on plain http.
      const timing = entry.serverTiming?.find(({ name }) => name === 'idle-session');
      listener({
        status: entry.responseStatus,
        expiresInMs: timing?.duration,
        state: timing?.description,
        requestedAgoMs: performance.now() - entry.requestStart,
        // Out of a cache, or through a service worker, which may have it from the server.
        mayBeOld: !entry.transferSize,
      });
    }
  });
  observer.observe({ type: 'navigation', buffered: true });
  observer.observe({ type: 'resource', buffered: true });
  signal.addEventListener('abort', () => observer.disconnect());
}
