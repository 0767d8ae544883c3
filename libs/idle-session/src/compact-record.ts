import type { ActivityRecord } from './activity/activity-storage.js';

/** Times are kept from here on: as small integers they need no place of their own in memory. */
const EPOCH = Date.now();

export function toCompact(time: number): number {
  const since = time - EPOCH;
  // The difference of two large numbers stays a large one for the engine, however small it is. Times of a clock that is
  // weeks away are kept as they are.
  return (since | 0) === since ? since | 0 : since;
}

export function fromCompact(time: number): number {
  return time + EPOCH;
}

/** An activity record as a process keeps it by the hundred thousand; how it ended is not in it. */
export class CompactRecord {
  private startedAt = 0;
  private activityAt = 0;
  private timeoutMs = 0;

  get record(): ActivityRecord {
    const { idleTimeoutMs, lastActivityAt } = this;
    return { startedAt: fromCompact(this.startedAt), lastActivityAt, idleTimeoutMs };
  }

  set record({ startedAt, lastActivityAt, idleTimeoutMs }: ActivityRecord) {
    this.startedAt = toCompact(startedAt);
    this.lastActivityAt = lastActivityAt;
    this.timeoutMs = idleTimeoutMs;
  }

  get lastActivityAt(): number {
    return fromCompact(this.activityAt);
  }

  set lastActivityAt(time: number) {
    this.activityAt = toCompact(time);
  }

  get idleTimeoutMs(): number {
    return this.timeoutMs;
  }
}
