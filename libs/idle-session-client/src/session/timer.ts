import type { Environment } from '../browser/environment.js';
import type { SessionContext } from './session-context.js';

/** Browsers fire timers beyond this at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** One timer, which stops with its session. Starting it again replaces what was planned before. */
export class Timer {
  #cancel: (() => void) | undefined;
  readonly #environment: Environment;

  constructor({ environment, store }: SessionContext) {
    this.#environment = environment;
    store.closed.addEventListener('abort', () => this.stop());
  }

  start(delayMs: number, run: () => void): void {
    this.stop();
    this.#cancel = this.#environment.after(Math.min(delayMs, LONGEST_MS), run);
  }

  stop(): void {
    this.#cancel?.();
  }
}
