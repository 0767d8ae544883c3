import type { CookieOptions } from 'express-session';
import type { ActivityReading, ActivityRecord } from '../activity/activity-storage.js';
import type { StorageUnavailableException } from './idle-session.exceptions.js';

/**
 * What became of a request's session cookie: found by {@link IdleSessionStore} when express-session asked for the
 * session, brought up to date as the request goes on.
 */
export interface SessionLookup {
  /** The reference of the session that the cookie names; undefined without a validly signed one. */
  readonly sessionRef?: string;
  /** The session's record as the request found it. */
  readonly before?: ActivityRecord;
  /** The session's activity as last heard; without a record, nobody put the session under the idle clock. */
  reading?: ActivityReading;
  /** When `reading` came, on this process's monotonic clock. */
  readAt?: number;
  /** Whether the session's data was in the store, even if it was withheld because the session had ended. */
  readonly stored?: boolean;
  /** The storage did not answer, so nothing is known of the session. */
  readonly failure?: StorageUnavailableException;
  /** `appliesTo` said no, in this request. */
  exempted?: boolean;
  /** All guards let the request pass, or ours found the route exempt: a refusal now is not about the session. */
  admitted?: boolean;
  /** When the guard let the request pass, if it is to count as activity with its response and does not yet. */
  activeAt?: number;
  /** Settles when the response has been counted as activity. */
  counting?: Promise<unknown>;
  /** How the cookie was configured for this request, for clearing it. */
  cookie?: CookieOptions;
}
