import type { ServerTiming, Stop } from './environment.js';

/** Calls back with what each response said of the session. */
export function onServerTiming(listener: (timing: ServerTiming) => void): Stop {
  return observeResponses((entry) => {
    const timing = entry.serverTiming.find(({ name }) => name === 'idle-session');
    // A response out of a cache says what was true when the server sent it.
    if (!timing || entry.transferSize === 0) return;
    const requestedAgoMs = performance.now() - entry.requestStart;
    listener({ expiresInMs: timing.duration, requestedAgoMs });
  });
}

export function onUnauthorized(listener: () => void): Stop {
  return observeResponses((entry) => {
    if (entry.responseStatus === 401) listener();
  });
}

/** Sees every response of this origin to the page: fetch, XHR and the navigation itself, also those before now. */
function observeResponses(listener: (entry: PerformanceResourceTiming) => void): Stop {
  const observers = ['navigation', 'resource'].map((type) => {
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
        if (new URL(entry.name, location.href).origin === location.origin) listener(entry);
      }
    });
    observer.observe({ type, buffered: true });
    return observer;
  });
  return () => observers.forEach((observer) => observer.disconnect());
}
