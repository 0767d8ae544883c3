import type { ActivityReading } from '../activity/activity-storage.js';
import type { StorageUnavailableException } from './idle-session.exceptions.js';

/** What the session store found out about the session of a request. */
export interface FoundSession {
  /** The reference of the session that the cookie names; undefined without a validly signed cookie. */
  readonly ref?: string;
  /** The session's activity; without a record in it, the session is not under the idle timeout. */
  readonly reading?: ActivityReading;
  /** Whether the session's data was in the store, even if it was withheld because the session had ended. */
  readonly stored?: boolean;
  /** The store or the storage did not answer, so nothing is known of the session. */
  readonly failure?: StorageUnavailableException;
}

/** A session that something may be open for. */
export interface GuardedSession {
  readonly ref: string;
  /** Whether it has a record, or had one. */
  readonly hasRecord: boolean;
}
