import type { Visit } from '../../model/visit.js';
import type { Fault } from './link.js';

/** A moment in the life of a session, as the storage knows it. */
export type Moment = 'half' | 'lock' | 'deadline' | 'limit';

export interface By {
  readonly server: number;
  readonly person: string;
}

/** Something that happens. Nothing of it is waited for, except time. */
export type Action =
  /** A person gets a new session, whatever becomes of the old one. */
  | ({ readonly type: 'sign-in'; readonly idleTimeoutMs: number } & By)
  | ({ readonly type: 'visit' } & By & Visit)
  /** Visits from now on, while other things happen. */
  | ({ readonly type: 'stay'; readonly times: number; readonly everyMs: number } & By & Visit)
  | ({ readonly type: 'sign-out' | 'revoke' } & By)
  | { readonly type: 'sweep'; readonly servers: readonly number[] }
  | { readonly type: 'pass'; readonly ms: number }
  | {
      readonly type: 'pass-to';
      readonly moment: Moment;
      readonly person: string;
      readonly ms: number;
    }
  | { readonly type: 'crash' | 'stop'; readonly server: number }
  | { readonly type: 'network'; readonly server: number; readonly delays: readonly number[] }
  | {
      readonly type: 'outage';
      readonly servers: readonly number[];
      readonly fault: Fault;
      readonly ms: number;
      readonly newestFirst: boolean;
    }
  /** All outages are over, and what they held up is caught up with. */
  | { readonly type: 'calm' };
