import type { ActivityRecord, EndReason } from './activity-storage.js';

/** Times are kept from here on: as small integers they need no place of their own in memory. */
const EPOCH = Date.now();

export const toCompact = (time: number): number => time - EPOCH;
export const fromCompact = (time: number): number => time + EPOCH;

/** An activity record as a process keeps it by the hundred thousand. */
export class CompactRecord {
  private startedAt = 0;
  private activityAt = 0;
  private timeoutMs = 0;
  private reason: EndReason | undefined = undefined;

  get record(): ActivityRecord {
    const { idleTimeoutMs, lastActivityAt, reason: ended } = this;
    const startedAt = fromCompact(this.startedAt);
    return ended === undefined
      ? { startedAt, lastActivityAt, idleTimeoutMs }
      : { startedAt, lastActivityAt, idleTimeoutMs, ended };
  }

  set record({ startedAt, lastActivityAt, idleTimeoutMs, ended }: ActivityRecord) {
    this.startedAt = toCompact(startedAt);
    this.lastActivityAt = lastActivityAt;
    this.timeoutMs = idleTimeoutMs;
    this.reason = ended;
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

  get ended(): EndReason | undefined {
    return this.reason;
  }
}
