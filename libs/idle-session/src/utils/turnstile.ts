import { setImmediate as nextTurn } from 'node:timers/promises';

/** Lets so many pass in each turn of the event loop, so that requests get their turn in between. */
export class Turnstile {
  private passed = 0;
  private reset: Promise<void> | undefined;

  constructor(private readonly inOneTurn: number) {}

  async pass(): Promise<void> {
    while (this.passed >= this.inOneTurn) await this.reset;
    this.passed += 1;
    this.reset ??= nextTurn().then(() => {
      this.passed = 0;
      this.reset = undefined;
    });
  }
}
