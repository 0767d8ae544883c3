import type { ActivityReading } from '../activity/activity-storage.js';

/** How long a reading may decide whether a handler runs. */
const FRESH_FOR_MS = 1000;

/** The newest reading that a request has of its session, and the storage's time as it goes on from there. */
export class NewestReading {
  private reading: ActivityReading | undefined;
  /** When `reading` came, on this process's monotonic clock. */
  private readAt = 0;

  /** As it came. */
  get asRead(): ActivityReading | undefined {
    return this.reading;
  }

  get isOld(): boolean {
    return this.reading !== undefined && performance.now() - this.readAt > FRESH_FOR_MS;
  }

  /** As it is once a slow handler is done; to the second, since this process's time is not the storage's. */
  get asOfNow(): ActivityReading | undefined {
    const tookMs = 1000 * Math.floor((performance.now() - this.readAt) / 1000);
    if (!this.reading || tookMs === 0) return this.reading;
    return { ...this.reading, now: this.reading.now + tookMs };
  }

  /** The storage's time, as far as it is known. */
  get now(): number {
    return (this.reading?.now ?? 0) + (performance.now() - this.readAt);
  }

  take(reading: ActivityReading | undefined): void {
    this.reading = reading;
    this.readAt = performance.now();
  }
}
