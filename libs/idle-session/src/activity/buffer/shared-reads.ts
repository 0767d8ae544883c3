import type { ActivityReading } from '../activity-storage.js';
import { evaluate } from '../evaluate.js';

interface ReadInFlight {
  readonly reading: Promise<ActivityReading>;
  readonly startedAt: number;
}

/** Reads that are on their way: requests that come at once share one. */
export class SharedReads {
  private readonly reads = new Map<string, ReadInFlight>();

  /**
   * @param withinMs how long after its start a read is shared
   * @param read called if there is none to share
   */
  share(
    key: string,
    withinMs: number,
    now: () => number,
    read: () => Promise<ActivityReading>,
  ): Promise<ActivityReading> {
    const [inFlight, startedAt] = [this.reads.get(key), performance.now()];
    if (!inFlight || startedAt > inFlight.startedAt + withinMs) return this.begin(key, read);
    return inFlight.reading.then((reading) => {
      // A request that comes later comes at a later time.
      const later = { ...reading, now: now() };
      const state = stateOf(later);
      // That a deadline has passed since is an estimate, and the person may have unlocked the session since. So the request
      // asks the storage again, and waits for two answers.
      if (state !== 'locked' && state === stateOf(reading)) return later;
      const next = this.reads.get(key);
      return next && next.startedAt >= startedAt ? next.reading : this.begin(key, read);
    });
  }

  private begin(key: string, read: () => Promise<ActivityReading>): Promise<ActivityReading> {
    const reading = read();
    const done = () => {
      if (this.reads.get(key)?.reading === reading) this.reads.delete(key);
    };
    this.reads.set(key, { reading, startedAt: performance.now() });
    reading.then(done, done);
    return reading;
  }

  delete(key: string): void {
    this.reads.delete(key);
  }

  clear(): void {
    this.reads.clear();
  }
}

function stateOf({ record, now }: ActivityReading) {
  return record && evaluate(record, { warnBeforeMs: false }, now).state;
}
