import type { ActivityRecord } from '../activity-storage.js';
import { activitySpanOf } from '../evaluate.js';

/** What newer activity brings along. */
export type Activity = Pick<ActivityRecord, 'lastActivityAt' | 'idleTimeoutMs'>;

/** What a process remembers of a session that has not ended, with activity that the storage may not know yet. */
export class KnownActivity {
  /** When the person last did something, as far as the storage knows. */
  storedActivityAt: number;
  /** When the storage gave the newest answer, by its own clock. */
  private saidAt = -Infinity;
  /** When that answer came, on this process's monotonic clock. */
  private heardAt = -Infinity;
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

  /** Whether this process knows something newer than an answer: of two that overlap, the storage's clock tells. */
  isNewerThan(answer: { readonly askedAt: number; readonly now: number }): boolean {
    return answer.askedAt < this.heardAt && answer.now < this.saidAt;
  }

  /** Takes over what the storage says, and keeps the activity that it does not know yet. */
  update(
    { record, now }: { readonly record: ActivityRecord; readonly now: number },
    pending: Activity | undefined,
    asOf: number,
  ): void {
    this.record = { ...record, ...pending };
    this.storedActivityAt = record.lastActivityAt;
    this.asOf = asOf;
    this.hear(now);
  }

  /** Notes activity that the storage is still to be told of. */
  touch(at: number): void {
    this.record = { ...this.record, lastActivityAt: at };
  }

  /**
   * The storage knows of this activity.
   * @param now the storage's time, if it told that
   */
  markStored(at: number, now: number | undefined): void {
    this.storedActivityAt = at;
    if (now !== undefined) this.hear(now);
  }

  private hear(now: number): void {
    this.saidAt = now;
    this.heardAt = performance.now();
  }
}
