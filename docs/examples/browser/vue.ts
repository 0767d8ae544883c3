import { createIdleSession, type IdleSessionState } from 'idle-session-client';
import { onScopeDispose, shallowRef, type ShallowRef } from 'vue';

export const idleSession = createIdleSession();

export function useIdleSession(): Readonly<ShallowRef<IdleSessionState>> {
  const state = shallowRef(idleSession.getState());
  const stop = idleSession.subscribe(() => {
    state.value = idleSession.getState();
  });
  onScopeDispose(stop);
  return state;
}
