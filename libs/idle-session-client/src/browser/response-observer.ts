import type { ObservedResponse, Stop } from './environment.js';

/** Sees every response of this origin to the page: fetch, XHR and the navigation itself, also those before now. */
export function onResponse(listener: (response: ObservedResponse) => void): Stop {
  const observers = ['navigation', 'resource'].map((type) => {
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
        if (new URL(entry.name, location.href).origin !== location.origin) continue;
        // A response out of a cache says what was true when the server sent it; a service worker may have it from the server.
        const isFromServer = entry.transferSize > 0;
        // Firefox has none on plain http.
        const timings = isFromServer || entry.workerStart > 0 ? entry.serverTiming : undefined;
        const timing = timings?.find(({ name }) => name === 'idle-session');
        // WebKit tells a page no status.
        const hasEnded = timing?.description === 'expired';
        listener({
          status: hasEnded ? 401 : entry.responseStatus,
          expiresInMs: hasEnded ? undefined : timing?.duration,
          requestedAgoMs: performance.now() - entry.requestStart,
          mayBeOld: !isFromServer,
        });
      }
    });
    observer.observe({ type, buffered: true });
    return observer;
  });
  return () => observers.forEach((observer) => observer.disconnect());
}
