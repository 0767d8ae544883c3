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

  /** Runs while none of the other tabs does. */
  runAlone(run: () => Promise<void>): Promise<void> {
    const { environment, path, store } = this.#context;
    return environment.withLock(`${path} ${store.current.sessionRef}`, run);
  }
}

/** Each number in a message is a time. */
function shifted(message: TabMessage, byMs: number): TabMessage {
  const entries = Object.entries(message).map(([key, value]: [string, unknown]) => [
    key,
    typeof value === 'number' ? value + byMs : value,
  ]);
  return Object.fromEntries(entries) as TabMessage;
}
