import type { ObservedResponse, Stop } from './environment.js';

/**
 * Sees every response of the server's origin to the page: fetch, XHR and the navigation itself, also those before now.
 * @param path where the server's endpoints are
 */
export function onResponse(listener: (response: ObservedResponse) => void, path: string): Stop {
  const observers = ['navigation', 'resource'].map((type) => {
    const observer = new PerformanceObserver((list) => {
      const { origin } = new URL(path, location.href);
      for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
        if (new URL(entry.name).origin !== origin) continue;
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
    observer.observe({ type, buffered: true });
    return observer;
  });
  return () => observers.forEach((observer) => observer.disconnect());
}
