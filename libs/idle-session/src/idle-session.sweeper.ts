import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { IdleClock } from './idle-clock.js';
import { IdleSessionStore } from './idle-session.store.js';

/** How late a session may end. */
const INTERVAL_MS = 1000;

/** Sessions looked at in one go: what takes well under 20 ms, however many end at once. */
const AT_ONCE = 160;

/**
 * Ends sessions when their time is up, without a request: the storage says which, each to one process only; their
 * events are emitted and their data is removed from the session store.
 */
@Injectable()
export class IdleSessionSweeper implements BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly clock: IdleClock,
    private readonly store: IdleSessionStore,
  ) {}

  /** Begins to sweep. */
  start(): void {
    if (this.stopped) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.sweeping = this.sweep().finally(() => this.start());
    }, INTERVAL_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.sweeping;
  }

  /** Ends all that is due. What cannot be asked or removed now gets its next chance with the next sweep. */
  async sweep(): Promise<void> {
    try {
      let more = true;
      while (more && !this.stopped) {
        const expiry = await this.clock.expire(AT_ONCE);
        // Without its data in the store the session is as good as gone; without its record's end it is not.
        const removals = expiry.expired.map(({ sessionId }) => this.store.remove(sessionId));
        await Promise.allSettled(removals);
        more = expiry.more;
        await nextTurn();
      }
    } catch {
      // The outage has been logged.
    }
  }
}
