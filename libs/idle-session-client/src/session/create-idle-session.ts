import { browserEnvironment } from '../browser/browser-environment.js';
import { IdleSession } from './idle-session.js';
import type { IdleSessionOptions } from './idle-session-options.js';

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
  const session = new IdleSession(options, browserEnvironment());
  if (globalThis.window?.PerformanceObserver) session.start();
  else session.destroy();
  return session;
}
