import type { Environment } from './environment.js';

/** What the clocks may differ by without one of them having leapt. */
const LEAP_MS = 1000;

/**
 * A clock that goes on in sleep, as the wall clock does, and never goes back, as the monotonic one. Where the wall clock
 * leaps ahead of the other, the machine has slept, or somebody has set it: time counts as passed, and the server is to
 * be asked.
 */
export class SteadyClock {
  #slept = 0;
  #ahead: number;
  #leapt = false;
  #leaptAt = -Infinity;

  readonly #environment: Pick<Environment, 'now' | 'elapsed'>;

  constructor(environment: Pick<Environment, 'now' | 'elapsed'>) {
    this.#environment = environment;
    this.#ahead = environment.now() - environment.elapsed();
  }

  now(): number {
    const elapsed = this.#environment.elapsed();
    const gained = this.#environment.now() - elapsed - this.#ahead;
    if (Math.abs(gained) > LEAP_MS) {
      this.#ahead += gained;
      this.#slept += Math.max(0, gained);
      this.#leapt = true;
      this.#leaptAt = elapsed + this.#slept;
    }
    return elapsed + this.#slept;
  }

  /** Whether the wall clock has leapt since this was last asked. */
  hasLeapt(): boolean {
    this.now();
    const leapt = this.#leapt;
    this.#leapt = false;
    return leapt;
  }

  /**
   * When it last leapt, ahead or back. What came before may be longer ago than it seems: a clock that was set back hides
   * for how long the machine slept.
   */
  get leaptAt(): number {
    this.now();
    return this.#leaptAt;
  }

  toWall(time: number): number {
    return this.#environment.now() + time - this.now();
  }

  fromWall(time: number): number {
    return this.now() + time - this.#environment.now();
  }
}
