import type { TabMessage } from '../protocol/tab-message.js';
import type { SessionContext } from './session-context.js';

/** The other tabs of the same session. Their messages carry times of the wall clock; here they are of the steady one. */
export class TabChannel {
  readonly #context: SessionContext;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Calls back for each message about the session of this tab; returns how to stop. */
  listen(listener: (message: TabMessage) => void): () => void {
    const { environment, path, clock, store } = this.#context;
    return environment.onTabMessage(path, (message) => {
      if (store.isOver || message.sessionRef !== store.current.sessionRef) return;
      listener(shifted(message, clock.fromWall(0)));
    });
  }

  send(message: Omit<TabMessage, 'sessionRef'>): void {
    const { environment, clock, store } = this.#context;
    const { sessionRef } = store.current;
    if (sessionRef === null) return;
    environment.postToTabs(shifted({ ...message, sessionRef }, clock.toWall(0)));
  }
}

function shifted(message: TabMessage, byMs: number): TabMessage {
  return {
    ...message,
    expiresAt: message.expiresAt + byMs,
    locksAt: message.locksAt + byMs,
    requestedAt: message.requestedAt + byMs,
    lastHeartbeatAt: message.lastHeartbeatAt + byMs,
  };
}
