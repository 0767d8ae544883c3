import { Inject, Injectable, Logger } from '@nestjs/common';
import type { ActivityEnd, ActivityReading, RecordedEnd } from '../activity/activity-storage.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { withinTimeLimit } from '../utils/time-limit.js';
import type { EndOrigin } from './end-origin.js';
import { SessionActivity } from './session-activity.js';
import { SessionEvents } from './session-events.js';
import { sessionRef } from './session-ref.js';
import { isMarked } from './stored-session.js';
import { UnrecordedEnds } from './unrecorded-ends.js';
import { UserStore } from './user-store.js';

/** Ends sessions by their id, in the record and in the app's store. */
@Injectable()
export class SessionEnding {
  private readonly logger = new Logger('IdleSessionModule');

  constructor(
    private readonly activity: SessionActivity,
    private readonly userStore: UserStore,
    private readonly unrecorded: UnrecordedEnds,
    private readonly events: SessionEvents,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Ends a session for good; does nothing for one that has ended. While the activity storage takes no writes, the data is
   * removed all the same: no process lets a request in without data, and no save writes it back.
   *
   * @param origin how it came to that
   * @param known what the request knows of its activity; read if left out
   * @returns its activity afterwards; undefined if its end could not be recorded
   * @throws {StorageUnavailableException} if it could not be ended
   */
  async end(
    sessionId: string,
    reason: RecordedEnd,
    origin: EndOrigin,
    known?: ActivityReading,
  ): Promise<ActivityReading | undefined> {
    const ref = sessionRef(sessionId);
    const began = performance.now();
    const before = known ?? (await this.activity.orUnchecked(this.activity.read(ref)));
    if (!before) return this.endUnchecked(sessionId, ref, reason, origin);
    if (!before.record || before.record.ended !== undefined) {
      await this.userStore.destroy(sessionId);
      return before;
    }
    let reading: ActivityReading;
    try {
      reading = await this.activity.end(ref, reason, origin);
    } catch (error) {
      const leftMs = this.options.storageTimeoutMs - (performance.now() - began);
      await withinTimeLimit(leftMs, () =>
        this.endWithoutRecord(sessionId, ref, reason, origin),
      ).catch(async () => {
        this.activity.throwUnlessUnchecked(error);
        await this.endUnchecked(sessionId, ref, reason, origin);
      });
      return undefined;
    }
    await this.userStore.destroy(sessionId);
    return reading;
  }

  /**
   * Ends a session by its reference, for good, and removes its data where the storage says which that is. Without a record it
   * leaves an ended one, so that a session that is about to start does not.
   * @returns whether this call ended it, and its activity afterwards
   * @throws {StorageUnavailableException} if it could not be ended
   */
  async endByRef(ref: string, reason: RecordedEnd, origin: EndOrigin): Promise<ActivityEnd> {
    const end = await this.activity.end(ref, reason, origin);
    const { won, sessionId } = end;
    // If the store fails here, the data stays behind, withheld, until the next request or its own expiry.
    if (won && sessionId) await this.userStore.destroy(sessionId).catch(() => {});
    return end;
  }

  /** During an outage in which sessions go unchecked: only its data says whether the session has a record that has to end. */
  private async endUnchecked(
    sessionId: string,
    ref: string,
    reason: RecordedEnd,
    origin: EndOrigin,
  ): Promise<undefined> {
    const data = await this.userStore.get(sessionId).catch(() => undefined);
    await this.userStore.destroy(sessionId);
    if (!data) return;
    if (isMarked(data, ref)) this.unrecorded.add(ref, reason, origin);
    else this.events.endedUnrecorded(ref, reason);
  }

  /** Rejects if the storage cannot be read either: a sign-out that is answered 503 does not happen later. */
  private async endWithoutRecord(
    sessionId: string,
    ref: string,
    reason: RecordedEnd,
    origin: EndOrigin,
  ): Promise<void> {
    await this.activity.read(ref, true);
    await this.userStore.destroy(sessionId);
    this.unrecorded.add(ref, reason, origin);
    this.logger.error(
      `The activity storage did not take the end of session ${ref}. It ended because its data was removed from the session store.`,
    );
  }
}
