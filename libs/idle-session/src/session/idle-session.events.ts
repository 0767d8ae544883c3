import type { EndReason } from 'idle-session-client/protocol';

/**
 * What happened to a session, once for each time it happens, in the process where it did. `expired`: its time was up
 * (idle, absolute). `ended`: anything else (signed-out, revoked, lost). The session is named by a hash, never by its id.
 */
export type IdleSessionEvent =
  | { readonly type: 'started'; readonly sessionRef: string }
  | {
      readonly type: 'expired';
      readonly sessionRef: string;
      readonly reason: Extract<EndReason, 'idle' | 'absolute'>;
    }
  | {
      readonly type: 'ended';
      readonly sessionRef: string;
      readonly reason: Exclude<EndReason, 'idle' | 'absolute'>;
    };
