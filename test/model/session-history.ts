import type { ActivityRecord, RecordedEnd } from 'nestjs-idle-session';

/** A record, and from when until when the storage had it. */
interface Written {
  readonly record: ActivityRecord;
  readonly from: number;
  until: number;
}

/** A request, or what a person does with a session. */
export interface Attempt {
  readonly server: number;
  readonly idleTimeoutMs: number;
  readonly startedAt: number;
  readonly unlocks: boolean;
  /** Infinity while it has no answer: it may be executed at any time. */
  endedAt: number;
  /** When the person was active, once that was accepted. */
  activityAt?: number;
}

/** What happened to one session. */
export class Session {
  readonly history: Written[] = [];
  readonly attempts: Attempt[] = [];
  readonly events: string[] = [];
  readonly asked = new Set<RecordedEnd>();
  /** The servers that know that it ended. */
  readonly endKnownBy = new Set<number>();
  eventMayBeLost = false;
}
