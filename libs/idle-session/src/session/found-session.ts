import type { ActivityReading } from '../activity/activity-storage.js';

/** What the session store found out about the session of a request. */
export interface FoundSession {
  /** The reference of the session that the cookie names; undefined without a validly signed cookie. */
  readonly ref?: string;
  /** The session's activity; without a record in it, the session is not under the idle timeout. */
  readonly reading?: ActivityReading;
  /** Whether the session's data was in the store, even if it was withheld because the session had ended. */
  readonly stored?: boolean;
  /** Why nothing is known of the session: the store or the storage did not answer, or neither was asked. */
  readonly failure?: Error;
}

/** A session that something may be open for. */
export interface GuardedSession {
  readonly ref: string;
  /** Whether it has a record, or had one. */
  readonly hasRecord: boolean;
}
