import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { RecordedEnd } from '../activity/activity-storage.js';
import type { EndOrigin } from './end-origin.js';
import { SessionActivity } from './session-activity.js';
import { SessionEvents } from './session-events.js';

const TRY_AGAIN_MS = 1000;

/** How many ends are remembered. What is beyond that ends in the record when its time is up. */
const REMEMBERED = 10_000;

interface UnrecordedEnd {
  readonly reason: RecordedEnd;
  readonly origin: EndOrigin;
}

/**
 * Ends that the activity storage did not take, such as a sign-out while Redis is full or, with `onStorageError: 'allow'`,
 * away. What this process has open is closed at once; the other processes and the app are told once the storage takes the
 * end.
 */
@Injectable()
export class UnrecordedEnds implements BeforeApplicationShutdown {
  private readonly ends = new Map<string, UnrecordedEnd>();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly activity: SessionActivity,
    private readonly events: SessionEvents,
  ) {}

  add(sessionRef: string, reason: RecordedEnd, { cause, endedBy }: EndOrigin): void {
    this.events.endedUnrecorded(sessionRef, reason);
    if (this.ends.size >= REMEMBERED || this.ends.has(sessionRef)) return;
    // Without the request, which would be kept for as long.
    this.ends.set(sessionRef, {
      reason,
      origin: { cause, ...(endedBy !== undefined && { endedBy }) },
    });
    this.tryLater();
  }

  beforeApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private tryLater(): void {
    if (this.stopped || this.ends.size === 0) return;
    this.timer ??= setTimeout(() => {
      void this.recordAll().finally(() => {
        this.timer = undefined;
        this.tryLater();
      });
    }, TRY_AGAIN_MS).unref();
  }

  /** One after the other: while the storage takes none, one is tried. */
  private async recordAll(): Promise<void> {
    for (const [ref, end] of this.ends) {
      try {
        await this.activity.end(ref, end.reason, end.origin);
        this.ends.delete(ref);
      } catch {
        // The outage has been logged. It may be that of one node, so the others are tried before this one is again.
        this.ends.delete(ref);
        this.ends.set(ref, end);
        return;
      }
    }
  }
}
