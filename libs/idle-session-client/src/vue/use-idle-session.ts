import {
  computed,
  getCurrentInstance,
  getCurrentScope,
  onMounted,
  onScopeDispose,
  shallowRef,
  type ComputedRef,
} from 'vue';
import { actions, idleSession, type SessionActions } from '../session/page-session.js';
import { STARTING, type IdleSessionState } from '../session/state.js';

/** A ref for each field of the state, and what can be done with the session. */
export type UsedIdleSession = {
  readonly [Field in keyof IdleSessionState]: ComputedRef<IdleSessionState[Field]>;
} & SessionActions;

/**
 * The session of the page. It starts with the first component that uses it, and is destroyed with the last: use it, or
 * put the dialog, where it stays mounted as long as the app.
 *
 * On a server, and until the component is mounted, it is `starting`: so the page is hydrated with what the server
 * rendered.
 */
export function useIdleSession(): UsedIdleSession {
  const current = shallowRef(STARTING);
  let stop = () => {};
  const start = () => {
    const update = () => {
      current.value = idleSession.getState();
    };
    stop = idleSession.subscribe(update);
    update();
  };
  if (getCurrentInstance()) onMounted(start);
  else if (typeof window !== 'undefined') start();
  if (getCurrentScope()) onScopeDispose(() => stop());

  const fields = Object.keys(STARTING) as (keyof IdleSessionState)[];
  const refs = fields.map((field) => [field, computed(() => current.value[field])]);
  return { ...(Object.fromEntries(refs) as UsedIdleSession), ...actions };
}
