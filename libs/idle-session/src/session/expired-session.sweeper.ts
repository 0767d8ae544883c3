import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { Expiry } from '../activity/activity-storage.js';
import { withinTimeLimit } from '../utils/time-limit.js';
import { SessionActivity } from './session-activity.js';
import { UserStore } from './user-store.js';

/** How late a session may end. */
const INTERVAL_MS = 1000;

/** Sessions looked at in one go: few, so that requests get their turn in between, however many end at once. */
const AT_ONCE = 64;

/** How many sessions are remembered whose data is still to be removed. */
const LEFTOVERS = 10_000;

/**
 * Ends sessions when their time is up, without a request: the storage says which, each to one process only; their
 * events are emitted and their data is removed from the session store. What a process that died left undone is done, too.
 */
@Injectable()
export class ExpiredSessionSweeper implements BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> = Promise.resolve();
  private stopped = false;
  /** Sessions that ended and whose data could not be removed. A process that crashes leaves them to the store's expiry. */
  private readonly leftover = new Set<string>();

  constructor(
    private readonly activity: SessionActivity,
    private readonly userStore: UserStore,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
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
    // A storage that hangs does not hold up the shutdown.
    const { storageTimeoutMs } = this.options;
    await withinTimeLimit(storageTimeoutMs, () => this.sweeping).catch(() => {});
  }

  /** Ends all that is due. What cannot be asked or removed now gets its next chance with the next sweep. */
  async sweep(): Promise<void> {
    let cleared = this.removeData([...this.leftover].slice(0, AT_ONCE));
    try {
      let more = true;
      while (more && !this.stopped) {
        const expiry = await this.activity.expire(AT_ONCE);
        // While the storage ends the next ones, the session store removes these.
        await cleared;
        cleared = this.clearAfter(expiry);
        more = expiry.more;
        await nextTurn();
      }
    } catch {
      // The outage has been logged.
    }
    await cleared;
  }

  /** Removes data of ended sessions from the session store, later if that does not take it now. Never rejects. */
  async removeData(sessionIds: readonly string[]): Promise<void> {
    await Promise.all(
      sessionIds.map(async (sessionId) => {
        try {
          await this.userStore.destroy(sessionId);
          this.leftover.delete(sessionId);
        } catch {
          // At the end, so that the others are tried before this one is again.
          this.leftover.delete(sessionId);
          if (this.leftover.size < LEFTOVERS) this.leftover.add(sessionId);
        }
      }),
    );
  }

  private async clearAfter({ expired }: Expiry): Promise<void> {
    await this.removeData(expired.map(({ sessionId }) => sessionId).filter(Boolean));
    await this.activity.told(expired);
  }
}
