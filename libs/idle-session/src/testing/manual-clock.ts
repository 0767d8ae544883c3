/** A clock that stands still until it is told to move: `new MemoryActivityStorage({ now: clock.now })`. */
export class ManualClock {
  /** @param time where it starts, in milliseconds */
  constructor(private time = 1_000_000) {}

  /** The clock's time, in milliseconds. Bound, so that it can be handed over as it is. */
  readonly now = (): number => this.time;

  /** Moves the clock on; a negative number moves it back. */
  advance(milliseconds: number): void {
    this.time += milliseconds;
  }
}
