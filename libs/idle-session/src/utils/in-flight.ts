/** What is under way. */
export class InFlight {
  private readonly promises = new Set<Promise<unknown>>();

  /** Passes on the answer. */
  async track<T>(answer: Promise<T>): Promise<T> {
    this.promises.add(answer);
    try {
      return await answer;
    } finally {
      this.promises.delete(answer);
    }
  }

  /** Resolves once all is over that is under way now, however it comes out. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.promises);
  }
}
