import { browserEnvironment } from '../browser/browser-environment.js';
import { IdleSession } from './idle-session.js';
import type { IdleSessionOptions } from './idle-session-options.js';
import { STARTING } from './state.js';

/**
 * Starts to watch over the session of this page. On a server, where there is no page, and in jsdom, it does nothing and
 * stays `starting`.
 */
export function createIdleSession(
  options: IdleSessionOptions = {},
): Pick<
  IdleSession,
  | 'getState'
  | 'subscribe'
  | 'signal'
  | 'extend'
  | 'check'
  | 'signOut'
  | 'touch'
  | 'hold'
  | 'destroy'
> {
  if (globalThis.window?.PerformanceObserver) return new IdleSession(options, browserEnvironment());
  return {
    getState: () => STARTING,
    subscribe: () => () => {},
    signal: new AbortController().signal,
    extend: async () => false,
    check: () => {},
    signOut: async () => false,
    touch: () => {},
    hold: () => () => {},
    destroy: () => {},
  };
}
