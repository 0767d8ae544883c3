import { setImmediate as nextTurn } from 'node:timers/promises';
import { jest } from '@jest/globals';
import type { ActivityStorage } from '../../activity/activity-storage.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { OutageLog } from '../../utils/outage-log.js';
import { ExpiredSessionSweeper } from '../expired-session.sweeper.js';
import type { IdleSessionEvent } from '../idle-session.events.js';
import { SessionActivity } from '../session-activity.js';
import { SessionEvents } from '../session-events.js';
import type { UserStore } from '../user-store.js';
import { OpenSessions, type Closing } from './open-sessions.js';

/** One process with its way to the storage that all share. It sweeps only if the test says so. */
export class Process {
  readonly events = new SessionEvents();
  readonly activity: SessionActivity;
  readonly sweeper: ExpiredSessionSweeper;
  readonly open: OpenSessions;
  /** What apps are told, but starts. */
  readonly told: IdleSessionEvent[] = [];
  /** The ids of sessions whose data was removed. */
  readonly removed: string[] = [];

  constructor(
    storage: ActivityStorage,
    onStorageError: ResolvedOptions['onStorageError'] = 'reject',
    storageTimeoutMs = 1000,
  ) {
    const options = {
      storage,
      storageTimeoutMs,
      warnBeforeFor: () => false,
      onStorageError,
    } as Partial<ResolvedOptions> as ResolvedOptions;
    const userStore = { destroy: async (id: string) => void this.removed.push(id) };
    const log = new OutageLog({ error() {}, log() {} });
    this.activity = new SessionActivity(options, log, this.events);
    this.sweeper = new ExpiredSessionSweeper(
      this.activity,
      userStore as Partial<UserStore> as UserStore,
      options,
    );
    this.open = new OpenSessions(this.activity, this.events, this.sweeper, options);
    this.events.events.subscribe((event) => {
      if (event.type !== 'started') this.told.push(event);
    });
  }

  /** Holds something open for a session. */
  hold(ref: string, hasRecord = true): { readonly ends: Closing[]; readonly release: () => void } {
    const ends: Closing[] = [];
    return { ends, release: this.open.hold({ ref, hasRecord }, (end) => ends.push(end)) };
  }

  signOut(sessionRef: string) {
    return this.activity.end(sessionRef, 'signed-out', { cause: 'request' });
  }

  /** Reasons and causes of what apps are told. */
  get causes(): string[] {
    return this.told.map((event) => `${'reason' in event ? event.reason : ''} ${event.cause}`);
  }
}

const STEP_MS = 50;

/** Lets time pass, with turns of the event loop in between. */
export async function passInTurns(milliseconds: number): Promise<void> {
  for (let left = milliseconds; left >= 0; left -= STEP_MS) {
    await jest.advanceTimersByTimeAsync(Math.min(STEP_MS, left));
    for (let turn = 0; turn < 4; turn++) await nextTurn();
  }
}
