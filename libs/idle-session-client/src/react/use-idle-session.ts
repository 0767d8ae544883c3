import { useMemo, useSyncExternalStore } from 'react';
import { actions, idleSession, type SessionActions } from '../session/page-session.js';
import { STARTING, type IdleSessionState } from '../session/state.js';

/** The state of the session, and what can be done with it: functions that stay the same. */
export interface UsedIdleSession extends IdleSessionState, SessionActions {}

/**
 * The session of the page; the component renders again when it changes. It starts with the first component that uses
 * it, and is destroyed with the last: use it, or put the dialog, where it stays mounted as long as the app.
 *
 * On a server, and while the page is hydrated, it is `starting`.
 */
export function useIdleSession(): UsedIdleSession {
  const state = useSyncExternalStore(idleSession.subscribe, idleSession.getState, () => STARTING);
  return useMemo(() => ({ ...state, ...actions }), [state]);
}
