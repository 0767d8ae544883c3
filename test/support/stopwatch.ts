import { clearInterval, setInterval } from 'node:timers';

const STEP_MS = 10;

/**
 * Measures what has to be quick. It stands still while a busy machine gives this process no time, so that only what the
 * process itself takes counts. What must not be too early is measured by `performance.now()`.
 */
export class Stopwatch {
  private steps = 0;
  private readonly timer = setInterval(() => this.steps++, STEP_MS).unref();

  /** Milliseconds since it was made. */
  get ms(): number {
    return this.steps * STEP_MS;
  }

  /** Ends it; returns its milliseconds. */
  stop(): number {
    clearInterval(this.timer);
    return this.ms;
  }
}
