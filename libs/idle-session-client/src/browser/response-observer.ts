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
        // A response out of a cache says what was true when the server sent it.
        const timings = entry.transferSize > 0 ? entry.serverTiming : [];
        listener({
          status: entry.responseStatus,
          expiresInMs: timings.find(({ name }) => name === 'idle-session')?.duration,
          requestedAgoMs: performance.now() - entry.requestStart,
        });
      }
    });
    observer.observe({ type, buffered: true });
    return observer;
  });
  return () => observers.forEach((observer) => observer.disconnect());
}
