import { Injectable } from '@nestjs/common';
import type { EndReason } from 'idle-session-client/protocol';
import { toldReason } from '../../activity/activity-storage.js';
import { SessionEvents } from '../session-events.js';

/** How a session ended, for what this process held open for it. */
export interface OpenSessionEnd {
  readonly reason: EndReason;
  /** The session goes on under another id: what was open may be opened again. */
  readonly isReplaced: boolean;
}

type OnEnd = (end: OpenSessionEnd) => void;

/** What this process holds open for sessions: streams and sockets. */
@Injectable()
export class OpenSessions {
  private readonly held = new Map<string, Set<OnEnd>>();

  constructor(events: SessionEvents) {
    events.ends.subscribe(({ sessionRef, reason }) =>
      this.end(sessionRef, { reason: toldReason(reason), isReplaced: reason === 'replaced' }),
    );
  }

  /**
   * Calls back once the session has ended, in whichever process; also if it ended before this call.
   * @returns to be called when nothing is open any more
   */
  hold(sessionRef: string, onEnd: OnEnd): () => void {
    const holders = this.held.get(sessionRef) ?? new Set();
    // An object of its own, so that one function may be given twice.
    const holder: OnEnd = (end) => onEnd(end);
    this.held.set(sessionRef, holders.add(holder));
    return () => {
      holders.delete(holder);
      if (holders.size === 0 && this.held.get(sessionRef) === holders) this.held.delete(sessionRef);
    };
  }

  private end(sessionRef: string, end: OpenSessionEnd): void {
    const holders = this.held.get(sessionRef) ?? [];
    this.held.delete(sessionRef);
    for (const onEnd of holders) onEnd(end);
  }
}
