import type { ActivityRecord } from '../activity-storage.js';
import { activitySpanOf } from '../evaluate.js';

/** What a process remembers of a session that has not ended, with activity that the storage may not know yet. */
export class KnownActivity {
  /** When the person last did something, as far as the storage knows. */
  storedActivityAt: number;
  /** When the storage said so, by its own clock. */
  private saidAt = -Infinity;
  /** Whether it has a place in the queue of what the storage is to be told. */
  isQueued = false;

  constructor(
    /** With the newest activity that this process has seen. */
    public record: ActivityRecord,
    /** Since when, on this process's monotonic clock, the storage may say something else. */
    public asOf: number,
  ) {
    this.storedActivityAt = record.lastActivityAt;
  }

  /** Until when activity counts, by what the storage itself knows. */
  get storedDeadline(): number {
    return this.storedActivityAt + activitySpanOf(this.record);
  }

  /** Whether an answer was asked for and given before what is known. */
  isNewerThan(askedAt: number, saidAt: number): boolean {
    return askedAt < this.asOf && saidAt < this.saidAt;
  }

  /** Takes over what the storage says, and keeps the activity that it does not know yet. */
  update(
    { record, now }: { readonly record: ActivityRecord; readonly now: number },
    pendingActivityAt: number | undefined,
    asOf: number,
  ): void {
    this.record = withActivity(record, pendingActivityAt);
    this.saidAt = now;
    this.storedActivityAt = record.lastActivityAt;
    this.asOf = asOf;
  }

  /** Notes activity that the storage is still to be told of. */
  touch(at: number): void {
    this.record = withActivity(this.record, at);
  }

  /** The storage knows of this activity now. */
  markStored(at: number): void {
    this.storedActivityAt = at;
  }
}

export function withActivity(
  record: ActivityRecord,
  lastActivityAt: number | undefined,
): ActivityRecord {
  return lastActivityAt === undefined ? record : { ...record, lastActivityAt };
}
