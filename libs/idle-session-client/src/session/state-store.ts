import { STARTING, type IdleSessionState } from './state.js';

/** Holds the state of the session, and tells its subscribers of each change. */
export class StateStore {
  #current = STARTING;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<() => void>();

  /** Aborts once nothing is to happen any more. */
  readonly closed = this.#closing.signal;

  get current(): IdleSessionState {
    return this.#current;
  }

  /** The session goes on, and what the person does counts, as far as this tab knows. */
  get isAlive(): boolean {
    const { state } = this.#current;
    return state !== 'starting' && state !== 'locked' && !this.isOver;
  }

  /** The session has ended, or this store is closed. */
  get isOver(): boolean {
    return this.closed.aborted || this.#current.reason !== null;
  }

  get isLocked(): boolean {
    return this.#current.state === 'locked';
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Makes a new state, unless the changes change nothing. */
  update(changes: Partial<IdleSessionState>): void {
    const keys = Object.keys(changes) as (keyof IdleSessionState)[];
    if (this.closed.aborted || keys.every((key) => this.#current[key] === changes[key])) return;
    this.#current = { ...this.#current, ...changes };
    for (const listener of new Set(this.#listeners)) {
      try {
        listener();
      } catch (error) {
        // An error of the page's own is reported as uncaught, and stops nothing here. `reportError` is missing in jsdom.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** From now on the state stays as it is. */
  close(): void {
    this.#closing.abort();
  }
}
