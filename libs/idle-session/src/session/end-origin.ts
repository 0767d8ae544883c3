import type { Request } from 'express';
import type { EventCause } from './idle-session.events.js';

/** How it came that a session is ended. */
export interface EndOrigin {
  readonly cause: Exclude<EventCause, 'elsewhere'>;
  /** One of the session, to know its owner by. */
  readonly request?: Request;
  /** Who ended the session of another person. */
  readonly endedBy?: string;
}
