import type { ActivityReading } from '../activity-storage.js';

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
    if (inFlight && startedAt <= inFlight.startedAt + withinMs) {
      // A request that comes later comes at a later time.
      return inFlight.reading.then((reading) => ({ ...reading, now: now() }));
    }
    const reading = read();
    const done = () => {
      if (this.reads.get(key)?.reading === reading) this.reads.delete(key);
    };
    this.reads.set(key, { reading, startedAt });
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
