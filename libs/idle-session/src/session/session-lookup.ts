import { Inject, Injectable } from '@nestjs/common';
import type { SessionData } from 'express-session';
import type { EndReason } from 'idle-session-client/protocol';
import type { ActivityReading } from '../activity/activity-storage.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { UnusableAnswerError } from '../utils/outage-log.js';
import { logMissing } from './end-log.js';
import { StorageUnavailableException } from './idle-session.exceptions.js';
import type { FoundSession } from './found-session.js';
import { SessionActivity } from './session-activity.js';
import { sessionRef } from './session-ref.js';
import { fromStored, isMarked, isUnconfirmed } from './stored-session.js';
import { UnrecordedEnds } from './unrecorded-ends.js';
import { UserStore } from './user-store.js';

/** What a session cookie led to: what is known of the session, and its data, unless it has ended. */
export interface LookedUpSession {
  readonly found: FoundSession;
  readonly data?: SessionData | null;
}

/**
 * Looks up the session that a cookie names, in the app's store and in the activity storage. A session that is over is
 * ended here, for good, and its data is removed.
 */
@Injectable()
export class SessionLookup {
  constructor(
    private readonly activity: SessionActivity,
    private readonly userStore: UserStore,
    private readonly unrecorded: UnrecordedEnds,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Never rejects: what could not be looked up comes with its `failure`. */
  async find(sessionId: string): Promise<LookedUpSession> {
    const ref = sessionRef(sessionId);
    try {
      const stored = this.userStore.get(sessionId);
      const known = this.activity.recall(ref);
      // In the same tick, so that it costs no round trip of its own.
      const asked = known ? undefined : this.activity.orUnchecked(this.activity.read(ref));
      // It is waited for below; by then it may have failed.
      asked?.catch(() => {});
      const row = await stored;
      const data = row && fromStored(row, ref);
      const first = known ?? (await asked);
      // Another process may have ended it, and what this one knows may be older.
      const mustAsk = row ? isUnconfirmed(row) : first?.record !== undefined;
      const reading = first && mustAsk ? await this.activity.read(ref, true) : first;
      if (reading === undefined) return { found: { ref, stored: data != null }, data };
      const reason = this.endReasonOf(ref, reading, data);
      if (reason !== undefined) return await this.endOver(sessionId, ref, reason, reading, data);
      return found(ref, reading, data);
    } catch (error) {
      // What the store has is no session, and the request is anonymous. Nothing is ended: that may be the store's doing.
      if (error instanceof UnusableAnswerError) return { found: {} };
      return { found: { ref, failure: asUnavailable(error) } };
    }
  }

  /** Ends a session whose time is up; activity that arrived in between may have kept it alive. */
  private async endOver(
    sessionId: string,
    ref: string,
    reason: EndReason,
    before: ActivityReading,
    data: SessionData | null | undefined,
  ): Promise<LookedUpSession> {
    const stored = data != null;
    const reading = await this.end(sessionId, ref, reason, before, stored);
    const isOver = this.activity.evaluate(reading)?.state === 'expired';
    return isOver ? { found: { ref, stored, reading } } : found(ref, reading, data);
  }

  /** Why a session is over; undefined if it is not. */
  private endReasonOf(
    ref: string,
    reading: ActivityReading,
    data: SessionData | null | undefined,
  ): EndReason | undefined {
    const evaluation = this.activity.evaluate(reading);
    // Fail closed: a session that had a record and lost it is not a new one.
    if (evaluation === undefined) return data && isMarked(data, ref) ? 'lost' : undefined;
    if (evaluation.state === 'expired') return evaluation.reason;
    if (data || reading.record === undefined) return undefined;
    // Another party removed it from the store, unless its first save is still on its way there: express-session lets a
    // redirect go before it has saved.
    return reading.now - reading.record.startedAt > 2 * this.options.storageTimeoutMs
      ? 'revoked'
      : undefined;
  }

  /** Ends the record, if it has not ended yet, and removes what the store still has. */
  private async end(
    sessionId: string,
    ref: string,
    reason: EndReason,
    before: ActivityReading,
    stored: boolean,
  ): Promise<ActivityReading> {
    const hasEnded = before.record?.ended !== undefined;
    const reading = hasEnded ? before : await this.recordEnd(ref, reason, before);
    // Activity that arrived in between may have kept the session alive.
    if (stored && reading.record?.ended !== undefined) {
      // If the store fails here, the data stays behind, withheld, until the next request or its own expiry.
      await this.userStore.destroy(sessionId).catch(() => {});
    }
    return reading;
  }

  /** A storage that can be read but takes no writes is no reason to let a session live that is over for certain. */
  private async recordEnd(
    ref: string,
    reason: EndReason,
    { record, now }: ActivityReading,
  ): Promise<ActivityReading> {
    const origin = { cause: reason === 'revoked' ? 'store' : 'request' } as const;
    try {
      const reading = await this.activity.end(ref, reason, origin);
      if (reading.won && reason === 'revoked') logMissing('data', ref);
      if (reading.won && reason === 'lost') logMissing('record', ref);
      return reading;
    } catch (error) {
      // Activity that another process has not sent yet may still move an idle deadline.
      if (record === undefined || reason === 'idle') throw error;
      this.unrecorded.add(ref, reason, origin);
      return { record: { ...record, ended: reason }, now };
    }
  }
}

/** What a session that is not over led to; nothing, if the store has no data of it. */
function found(
  ref: string,
  reading: ActivityReading,
  data: SessionData | null | undefined,
): LookedUpSession {
  return data == null ? { found: {} } : { found: { ref, stored: true, reading }, data };
}

function asUnavailable(error: unknown): StorageUnavailableException {
  return error instanceof StorageUnavailableException
    ? error
    : new StorageUnavailableException(error);
}
