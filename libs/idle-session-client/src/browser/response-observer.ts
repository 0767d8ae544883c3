import type { ObservedResponse, Stop } from './environment.js';

/** Sees every response of this origin to the page: fetch, XHR and the navigation itself, also those before now. */
export function onResponse(listener: (response: ObservedResponse) => void): Stop {
  const observers = ['navigation', 'resource'].map((type) => {
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
        if (new URL(entry.name, location.href).origin !== location.origin) continue;
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
