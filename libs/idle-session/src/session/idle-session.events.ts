import type { EndReason } from 'idle-session-client/protocol';

/**
 * How this process knows.
 *
 * - `clock`: this process found it without a request of the session: its time was up, or its record is gone.
 * - `request`: a request found it, or the app called a method of `IdleSessionService`.
 * - `store`: the app called `request.session.destroy()`, or another party deleted the data from the session store.
 * - `elsewhere`: another process decided, and emits the event with a cause of its own.
 */
export type EventCause = 'clock' | 'request' | 'store' | 'elsewhere';

interface EventDetails {
  /** Names the session by a hash, never by its id. */
  readonly sessionRef: string;
  /** When it happened; with the cause `elsewhere`, when this process learned of it. The storage's time in milliseconds. */
  readonly at: number;
  /** The storage's time in milliseconds; null if there was no record. */
  readonly startedAt: number | null;
  /** The storage's time in milliseconds; null if there was no record. */
  readonly lastActivityAt: number | null;
  /** A keyed hash of who the session belongs to; null without `ownerOf`, or if it named nobody. */
  readonly ownerHash: string | null;
  /** What `ownerOf` says: in `started`, in `unlocked`, and after `end(request)`; seldom else. */
  readonly owner?: string;
  readonly cause: EventCause;
}

/**
 * What happened to a session.
 *
 * - `started`: it began, at a sign-in or under the new id of a confirm.
 * - `unlocked`: the person went on with a locked session.
 * - `expired`: its time was up (`idle`, `absolute`).
 * - `ended`: it ended for another reason (`signed-out`, `revoked`, `lost`), or goes on under a new id (`confirmed`).
 *
 * The process that decided an end emits it once, with a cause other than `elsewhere`.
 */
export type IdleSessionEvent =
  | (EventDetails & {
      readonly type: 'started';
      /** The reference that the session had until the person confirmed, which ended as `confirmed`. */
      readonly previousRef?: string;
    })
  | (EventDetails & {
      /** `lastActivityAt` is that from before: since when nobody had been there. */
      readonly type: 'unlocked';
    })
  | (EventDetails & {
      readonly type: 'expired';
      readonly reason: Extract<EndReason, 'idle' | 'absolute'>;
    })
  | (EventDetails & {
      readonly type: 'ended';
      readonly reason: Exclude<EndReason, 'idle' | 'absolute'> | 'confirmed';
      /** The `by` of `revoke()`, `endByRef()` or `endAll()`; the owner where `maxSessions` or the sessions endpoint ended it. */
      readonly endedBy?: string;
    });
