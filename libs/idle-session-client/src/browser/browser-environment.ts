import { isTabMessage } from '../protocol/tab-message.js';
import { isActiveInIframe, onActivity } from './activity-listeners.js';
import {
  ANSWER_TIMEOUT_MS,
  LOCK_KEPT_MS,
  LOCK_TIMEOUT_MS,
  LONGEST_TIMER_MS,
  POSTED,
  TICK_MS,
  type Environment,
} from './environment.js';
import { onResponse } from './response-observer.js';

/** The real browser. Touches `window` and its like only once it is called. */
export function browserEnvironment(): Environment {
  let channel: BroadcastChannel | undefined;
  return {
    now: () => Date.now(),
    elapsed: () => performance.now(),

    createTimer(signal) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const stop = () => clearTimeout(timer);
      signal.addEventListener('abort', stop);
      return {
        stop,
        start(delayMs, run) {
          stop();
          timer = setTimeout(run, Math.min(delayMs, LONGEST_TIMER_MS));
        },
      };
    },

    async request(path, headers, idleForMs) {
      const response = await fetch(path, {
        cache: 'no-store',
        // The server may be on another origin of the site.
        credentials: 'include',
        // Where a proxy redirects to, another server answers: what comes back has status 0.
        redirect: 'manual',
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
        // A heartbeat outlives its page.
        keepalive: true,
        method: idleForMs === undefined ? 'GET' : 'POST',
        // A header, for apps that parse no body.
        headers: { Accept: 'application/json', 'Idle-For-Ms': `${idleForMs ?? 0}`, ...headers },
      });
      const header = (name: string) => response.headers.get(name) ?? '';
      const retryAfter = header('Retry-After');
      return {
        status: response.status,
        body: await response.json().catch(() => undefined),
        // Seconds, or a date on the server's clock: the page's may be wrong.
        retryAfterMs: +retryAfter * 1000 || Date.parse(retryAfter) - Date.parse(header('Date')),
      };
    },

    async withLock(name, run) {
      // Missing on plain http: then each tab sends its own heartbeats.
      if (!navigator.locks) return run();
      const runAndKeep = async () => {
        await run();
        await new Promise((resolve) => setTimeout(resolve, LOCK_KEPT_MS));
      };
      const signal = AbortSignal.timeout(LOCK_TIMEOUT_MS);
      await navigator.locks.request(name, { signal }, runAndKeep).catch(run);
    },

    listen(path, { onPageEvent, onTabMessage, ...listeners }, signal) {
      const on = (target: EventTarget, type: string, run: (event: PageTransitionEvent) => void) =>
        target.addEventListener(type, run as EventListener, { signal });
      const open = () => {
        channel = new BroadcastChannel(`idle-session:${path}`);
        channel.onmessage = ({ data }) => {
          if (data === POSTED) onReturn();
          else if (isTabMessage(data)) onTabMessage(data);
        };
      };
      // An open channel would keep the page out of the back/forward cache.
      const close = () => {
        channel?.close();
        channel = undefined;
      };
      const onReturn = () => onPageEvent('returned');
      let isPosting = false;
      const onForm = ({ type, target, defaultPrevented }: Event) => {
        // A field named `method` hides the property.
        const isPost = /^post$/i.test((target as Element).getAttribute?.('method') ?? '');
        // A script may read another form while this one is on its way.
        isPosting = (isPost && !defaultPrevented) || (isPosting && type === 'formdata');
      };

      const tick = setInterval(() => {
        onPageEvent('tick');
        if (isActiveInIframe()) listeners.onActivity();
      }, TICK_MS);

      open();
      signal.addEventListener('abort', () => {
        clearInterval(tick);
        close();
      });
      onActivity(listeners.onActivity, signal);
      onResponse(listeners.onResponse, path, signal);
      on(document, 'visibilitychange', () => onPageEvent(document.hidden ? 'hidden' : 'visible'));
      on(document, 'resume', onReturn);
      // In the end, when the page has not prevented it.
      on(window, 'submit', onForm);
      // Comes alone where a script calls `submit()`, and where one reads a form.
      on(window, 'formdata', onForm);
      on(window, 'pagehide', () => {
        onPageEvent('hidden');
        // The server has answered by then.
        if (isPosting) channel?.postMessage(POSTED);
        isPosting = false;
        close();
      });
      // `persisted`: out of the back/forward cache.
      on(window, 'pageshow', ({ persisted }) => {
        if (!persisted) return;
        open();
        onReturn();
      });
      on(window, 'online', onReturn);
    },

    postToTabs(message) {
      channel?.postMessage(message);
    },
  };
}
