import { channel } from 'node:diagnostics_channel';
import { Injectable } from '@nestjs/common';
import type { EndReason } from 'idle-session-client/protocol';
import { Subject } from 'rxjs';
import {
  toldReason,
  type ActivityReading,
  type ActivityRecord,
  type ExpiredSession,
  type RecordedEnd,
} from '../activity/activity-storage.js';
import type { EventCause, IdleSessionEvent } from './idle-session.events.js';

/** What the record of an ended session does not say. */
export interface EndContext {
  readonly cause: EventCause;
  readonly owner?: string | undefined;
  readonly endedBy?: string | undefined;
}

/** The end of a session as its record has it: `replaced`, if the session goes on under another id. */
export interface SessionEnd {
  readonly sessionRef: string;
  readonly reason: RecordedEnd;
}

interface Known {
  readonly startedAt: number | null;
  readonly lastActivityAt: number | null;
  readonly owner: string | null;
}

/** There was no record, and the one that its end left says nothing of the session. */
const NOTHING: Known = { startedAt: null, lastActivityAt: null, owner: null };

const diagnostics = channel('nestjs-idle-session:event');

/** Makes the events of sessions, emits them in this process, and counts the ends. */
@Injectable()
export class SessionEvents {
  private readonly eventSubject = new Subject<IdleSessionEvent>();
  private readonly endSubject = new Subject<SessionEnd>();
  private readonly counts = { idle: 0, absolute: 0, 'signed-out': 0, revoked: 0, lost: 0 };

  /** What apps are told. */
  readonly events = this.eventSubject.asObservable();
  /** The ends, for what this process holds open. */
  readonly ends = this.endSubject.asObservable();

  /** How many ends this process decided, by their reasons. */
  get endCounts(): Readonly<Record<EndReason, number>> {
    return { ...this.counts };
  }

  /** @param previousRef of the session that goes on in this one */
  started(
    key: string,
    { record, now }: ActivityReading,
    owner: string | undefined,
    previousRef?: string,
  ): void {
    if (!record) return;
    const details = detailsOf(key, now, record, { cause: 'request', owner });
    this.emit({ type: 'started', ...details, ...(previousRef !== undefined && { previousRef }) });
  }

  /** @param before as the session was while it was locked */
  unlocked(key: string, before: ActivityRecord, at: number, owner: string | undefined): void {
    this.emit({ type: 'unlocked', ...detailsOf(key, at, before, { cause: 'request', owner }) });
  }

  /** This process ended the session. */
  ended(
    key: string,
    reason: RecordedEnd,
    { record, now }: ActivityReading,
    context: EndContext,
  ): void {
    this.tellEnd(key, reason, now, record ?? NOTHING, context);
  }

  /** The session is over, although its record does not say so yet, if it has one: apps are told once that does. */
  endedUnrecorded(key: string, reason: RecordedEnd): void {
    this.endSubject.next({ sessionRef: key, reason });
  }

  /** The storage ended the session by itself, and said so to this process only. */
  expired(session: ExpiredSession): void {
    this.tellEnd(session.key, session.reason, session.endedAt, session, { cause: 'clock' });
  }

  /** This process learned that another one ended the session; nothing happens if the record has not ended. */
  learned(key: string, { record, now }: ActivityReading): void {
    if (record?.ended !== undefined)
      this.tellEnd(key, record.ended, now, record, { cause: 'elsewhere' });
  }

  private tellEnd(
    key: string,
    end: RecordedEnd,
    at: number,
    known: Known,
    context: EndContext,
  ): void {
    // Nobody signed out, and the session goes on.
    const reason = end === 'confirmed' ? end : toldReason(end);
    if (context.cause !== 'elsewhere' && reason !== 'confirmed') this.counts[reason] += 1;
    const details = detailsOf(key, at, reason === 'lost' ? NOTHING : known, context);
    const { endedBy } = context;
    this.emit(
      reason === 'idle' || reason === 'absolute'
        ? { type: 'expired', reason, ...details }
        : { type: 'ended', reason, ...details, ...(endedBy !== undefined && { endedBy }) },
    );
    this.endSubject.next({ sessionRef: key, reason: end });
  }

  private emit(event: IdleSessionEvent): void {
    this.eventSubject.next(event);
    if (diagnostics.hasSubscribers) diagnostics.publish(event);
  }
}

function detailsOf(
  sessionRef: string,
  at: number,
  { startedAt, lastActivityAt, owner: ownerHash }: Known,
  { cause, owner }: EndContext,
) {
  const details = { sessionRef, at, startedAt, lastActivityAt, ownerHash, cause };
  return owner === undefined ? details : { ...details, owner };
}
