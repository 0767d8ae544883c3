import type { Environment } from '../browser/environment.js';

/** What the clocks may differ by without one of them having leapt. */
const LEAP_MS = 1000;

/**
 * A clock that goes on in sleep, as the wall clock does, and never goes back, as the monotonic clock. Where the wall
 * clock leaps ahead of the other, the machine has slept or its clock was set: the time counts as passed, and the server
 * has to be asked.
 */
export class SteadyClock {
  #sleptMs = 0;
  /** How far the wall clock is ahead of the monotonic one. */
  #aheadMs: number;
  #leaptAt = -Infinity;

  readonly #environment: Pick<Environment, 'now' | 'elapsed'>;

  constructor(environment: Pick<Environment, 'now' | 'elapsed'>) {
    this.#environment = environment;
    this.#aheadMs = environment.now() - environment.elapsed();
  }

  now(): number {
    const elapsed = this.#environment.elapsed();
    const gained = this.#environment.now() - elapsed - this.#aheadMs;
    if (Math.abs(gained) > LEAP_MS) {
      this.#aheadMs += gained;
      this.#sleptMs += Math.max(0, gained);
      this.#leaptAt = elapsed + this.#sleptMs;
    }
    return elapsed + this.#sleptMs;
  }

  /**
   * When the wall clock last leapt, ahead or back. What came before may be longer ago than it seems: a clock that was set
   * back hides how long the machine slept.
   */
  get leaptAt(): number {
    this.now();
    return this.#leaptAt;
  }

  /** What to add to a time of this clock for that of the wall clock. */
  get toWallMs(): number {
    return this.#environment.now() - this.now();
  }
}
