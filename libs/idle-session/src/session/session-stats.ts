import { Injectable } from '@nestjs/common';
import type { EndReason } from 'idle-session-client/protocol';
import { OutageLog } from '../utils/outage-log.js';
import { OpenSessions } from './open/open-sessions.js';
import { SessionActivity } from './session-activity.js';
import { SessionEvents } from './session-events.js';

/** Numbers for monitoring. */
export interface IdleSessionStats {
  /** Sessions that have started and not ended, in all processes; null if the activity storage cannot count them now. */
  readonly active: number | null;
  /** How many ends this process decided since it started, by their reasons. */
  readonly ended: Readonly<Record<EndReason, number>>;
  /** How many streams and sockets this process holds open for sessions. */
  readonly open: number;
  readonly storage: {
    /**
     * False if the activity storage or the session store failed within the last 5 s, or the store has no connection. The
     * storage is asked for this.
     */
    readonly isAvailable: boolean;
    /** How long the last answer of the activity storage took; null if there was none yet. */
    readonly latencyMs: number | null;
  };
}

@Injectable()
export class SessionStats {
  constructor(
    private readonly activity: SessionActivity,
    private readonly events: SessionEvents,
    private readonly openSessions: OpenSessions,
    private readonly outageLog: OutageLog,
  ) {}

  /** Never rejects: monitoring goes on during an outage. */
  async read(): Promise<IdleSessionStats> {
    // Also tells whether the storage answers, and how fast.
    const active = await this.activity.count().catch(() => null);
    return {
      active,
      ended: this.events.endCounts,
      open: this.openSessions.count,
      storage: { isAvailable: !this.outageLog.hasFailedLately, latencyMs: this.activity.latencyMs },
    };
  }
}
