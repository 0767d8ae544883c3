import { useSyncExternalStore } from 'react';
import { createIdleSession, STARTING, type IdleSessionState } from 'idle-session-client';

// One for the page, and outside of the components: it outlives them.
export const idleSession = createIdleSession();

export function useIdleSession(): IdleSessionState {
  // The last one is the server snapshot, for rendering on a server.
  return useSyncExternalStore(idleSession.subscribe, idleSession.getState, () => STARTING);
}

export function SessionStatus() {
  const { state, failed } = useIdleSession();
  const warns = state === 'warning' || state === 'extending';
  return (
    <div>
      <p role="status">Your session: {state}</p>
      {warns && (
        <button disabled={state === 'extending'} onClick={() => void idleSession.extend()}>
          Stay
        </button>
      )}
      {failed && <p role="alert">The server could not be reached. Please try again.</p>}
    </div>
  );
}
