import { setImmediate as nextTurn } from 'node:timers/promises';
import { withinTimeLimit } from '../utils/time-limit.js';

/** A call that takes longer is made again with the next. */
const TIMEOUT_MS = 1000;

/** The ends of a partition whose events were told: those of one turn of the event loop are acknowledged in one call. */
export class ToldEnds {
  private readonly keys = new Set<string>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly acknowledge: (keys: readonly string[]) => Promise<unknown>) {}

  get size(): number {
    return this.keys.size;
  }

  add(key: string): void {
    this.keys.add(key);
  }

  /** Acknowledges all that was added. What Redis did not take is kept for the next call. */
  send(): Promise<void> {
    const sent = this.last.then(() => this.sendNow());
    this.last = sent.catch(() => {});
    return sent;
  }

  private async sendNow(): Promise<void> {
    await nextTurn();
    if (this.keys.size === 0) return;
    const keys = [...this.keys];
    this.keys.clear();
    try {
      await withinTimeLimit(TIMEOUT_MS, () => this.acknowledge(keys));
    } catch (error) {
      for (const key of keys) this.keys.add(key);
      throw error;
    }
  }
}
