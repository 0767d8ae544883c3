import { onActivity } from './activity.js';
import type { Environment, PageEvent } from './environment.js';
import { isWord, type IdleSessionWord } from './tabs.js';

/** How long to wait for an answer before the server counts as out of reach. */
const ANSWER_MS = 10_000;

/** How long to wait for another tab's turn to end: a frozen one may hold its lock for ever. */
const TURN_MS = 3000;

/** How long a turn lasts at least, so that its outcome has reached the other tabs before the next begins. */
const TURN_TAKES_MS = 100;

/** The real browser. Touches `window` and its like only once it is called. */
export function browserEnvironment(): Environment {
  let channel: BroadcastChannel | undefined;
  return {
    now: () => Date.now(),
    elapsed: () => performance.now(),

    after(milliseconds, run) {
      const timer = setTimeout(run, milliseconds);
      return () => clearTimeout(timer);
    },

    async request(method, path, body) {
      const response = await fetch(path, {
        method,
        cache: 'no-store',
        credentials: 'same-origin',
        headers: {
          Accept: 'application/json',
          ...(body && { 'Content-Type': 'application/json' }),
        },
        // A heartbeat outlives its page; what a proxy redirects to is not the server's word.
        keepalive: method === 'POST',
        redirect: 'manual',
        signal: AbortSignal.timeout(ANSWER_MS),
        ...(body && { body: JSON.stringify(body) }),
      });
      if (response.type === 'opaqueredirect') throw new Error('redirected');
      return { status: response.status, body: await response.json().catch(() => undefined) };
    },

    async alone(name, run) {
      // Missing on plain http: then each tab sends its own heartbeats.
      if (!navigator.locks) return run();
      const turn = async () => {
        await run();
        await new Promise((resolve) => setTimeout(resolve, TURN_TAKES_MS));
      };
      const signal = AbortSignal.timeout(TURN_MS);
      await navigator.locks.request(name, { signal }, turn).catch(() => run());
    },

    onActivity,

    onServerTiming(heard) {
      return onResponses((entry) => {
        const timing = entry.serverTiming.find(({ name }) => name === 'idle-session');
        // Out of a cache, it says what the server once said.
        if (!timing || entry.transferSize === 0) return;
        heard({ expiresInMs: timing.duration, agoMs: performance.now() - entry.requestStart });
      });
    },

    onRefused(heard) {
      return onResponses((entry) => {
        if (entry.responseStatus === 401) heard();
      });
    },

    onPage(heard) {
      const events: [EventTarget, string, (event: Event) => PageEvent | undefined][] = [
        [document, 'visibilitychange', () => (document.hidden ? 'hidden' : 'visible')],
        [document, 'resume', () => 'returned'],
        [window, 'pagehide', () => 'leaving'],
        [
          window,
          'pageshow',
          (event) => ((event as PageTransitionEvent).persisted ? 'returned' : undefined),
        ],
        [window, 'online', () => 'online'],
      ];
      const stops = events.map(([target, type, meaning]) =>
        listen(target, type, (event) => {
          const told = meaning(event);
          if (told) heard(told);
        }),
      );
      return () => stops.forEach((stop) => stop());
    },

    onWord(name, heard) {
      const open = () => {
        channel = new BroadcastChannel(`idle-session:${name}`);
        channel.onmessage = ({ data }) => isWord(data) && heard(data);
      };
      // An open channel would keep the page out of the back/forward cache.
      const close = () => channel?.close();
      open();
      const stops = [
        listen(window, 'pagehide', close),
        listen(window, 'pageshow', (event) => (event as PageTransitionEvent).persisted && open()),
        close,
      ];
      return () => stops.forEach((stop) => stop());
    },

    tell(word: IdleSessionWord) {
      try {
        channel?.postMessage(word);
      } catch {
        // Closed: the page is going away.
      }
    },
  };
}

function listen(target: EventTarget, type: string, heard: (event: Event) => void): () => void {
  target.addEventListener(type, heard);
  return () => target.removeEventListener(type, heard);
}

/** Sees all that this origin answers the page: fetch, XHR and the navigation itself, also before now. */
function onResponses(heard: (entry: PerformanceResourceTiming) => void): () => void {
  const observers = ['navigation', 'resource'].map((type) => {
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
        if (new URL(entry.name, location.href).origin === location.origin) heard(entry);
      }
    });
    observer.observe({ type, buffered: true });
    return observer;
  });
  return () => observers.forEach((observer) => observer.disconnect());
}
