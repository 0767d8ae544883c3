import type { EndReason } from 'idle-session-client/protocol';

/**
 * Why this process knows: `clock`: the session's time was up when nobody asked. `request`: a request, or a call of the
 * service. `store`: the session store, by `destroy()`, or because the data was deleted there. `elsewhere`: another process
 * decided, and tells of it with a cause of its own.
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
  /** What `ownerOf` says, where a request of the session is at hand. */
  readonly owner?: string;
  readonly cause: EventCause;
}

/**
 * What happened to a session. `unlocked`: the person went on with a locked session. `expired`: its time was up (idle, absolute). `ended`: anything else (signed-out, revoked,
 * lost), or that the session goes on under a new id (confirmed). Each end is told once with a cause other than `elsewhere`, in the process where it was decided.
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
