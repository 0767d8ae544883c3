import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import type { SessionData } from 'express-session';
import type { ActivityRecord } from '../activity/activity-storage.js';
import { SessionActivity } from './session-activity.js';
import { fromStored, keepFor, toStored, unconfirmed } from './stored-session.js';
import { UserStore } from './user-store.js';

/** The last that a Date can be. */
const LAST_DATE = 8.64e15;

/** Writes sessions to the app's store, and none that has ended, wherever and whenever it did. */
@Injectable()
export class SessionWriter {
  constructor(
    private readonly activity: SessionActivity,
    private readonly userStore: UserStore,
  ) {}

  /** Has the app's store keep the session of a request for longer. One that cannot now is asked an idle timeout later. */
  async renew(request: Request, ref: string, { idleTimeoutMs }: ActivityRecord): Promise<void> {
    const { sessionID, session } = request;
    if (session == null) return;
    const renewed = this.userStore.canTouch
      ? this.userStore.touch(sessionID, toStored(session, ref, this.keepUntil(idleTimeoutMs)))
      : this.rewrite(sessionID, ref, idleTimeoutMs);
    await renewed.catch(() => {});
  }

  /** Saving is all that a store without `touch` can do; what the request has may be older than what is stored. */
  private async rewrite(sessionId: string, ref: string, idleTimeoutMs: number): Promise<void> {
    const row = await this.userStore.get(sessionId);
    if (row) await this.write(sessionId, ref, fromStored(row, ref), idleTimeoutMs);
  }

  /** Writes a live session, and takes it back if it ended meanwhile, in this process or another. */
  async write(
    sessionId: string,
    ref: string,
    session: SessionData,
    idleTimeoutMs: number,
    onWritten = () => {},
  ): Promise<void> {
    const data = toStored(session, ref, this.keepUntil(idleTimeoutMs));
    await this.userStore.set(sessionId, data);
    onWritten();
    try {
      const after = await this.activity.orUnchecked(this.activity.read(ref, true));
      if (after?.record?.ended !== undefined) await this.userStore.destroy(sessionId);
    } catch (error) {
      // The storage was away for a moment: that signs nobody out, and nobody who signed out in again.
      await this.userStore.set(sessionId, unconfirmed(data));
      throw error;
    }
  }

  /** In memory for as long as the session lives: a wall clock that is set an hour ahead signs nobody out. */
  private keepUntil(idleTimeoutMs: number): number {
    return this.userStore.isInMemory ? LAST_DATE : Date.now() + keepFor(idleTimeoutMs);
  }
}
