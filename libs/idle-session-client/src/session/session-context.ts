import type { Environment } from '../browser/environment.js';
import type { StateStore } from './state-store.js';
import type { SteadyClock } from './steady-clock.js';

/** What the parts of a session share. */
export interface SessionContext {
  /** Where the server's endpoints are. */
  readonly path: string;
  /** What the app wants to be sent with each request. */
  readonly headers: () => Record<string, string>;
  readonly environment: Environment;
  /** All times are of this clock, but those in the state and in messages to other tabs. */
  readonly clock: SteadyClock;
  readonly store: StateStore;
}
