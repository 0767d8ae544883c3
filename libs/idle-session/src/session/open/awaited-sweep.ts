import type { ExpiredSessionSweeper } from '../expired-session.sweeper.js';
import { withinTimeLimit } from '../../utils/time-limit.js';

/** For how many sessions whose deadline passed one sweep is better than a question for each. */
const SWEEP_FOR = 64;

/** How long what is open waits for a sweep: of all sessions, those that something is open for may be the least. */
const SWEEP_TAKES_MS = 500;

/** Sweeps for what is open, and waits for each sweep, but not for long. */
export class AwaitedSweep {
  private isAwaited = false;

  constructor(private readonly sweeper: ExpiredSessionSweeper) {}

  /** Resolves to false, at once, while an earlier call waits. */
  async once(): Promise<boolean> {
    if (this.isAwaited) return false;
    this.isAwaited = true;
    await withinTimeLimit(SWEEP_TAKES_MS, () => this.sweeper.sweep()).catch(() => {});
    this.isAwaited = false;
    return true;
  }

  /**
   * Waits for as long as the sweep ends enough of what is left; does nothing if few are due.
   * @param left how many sessions are left
   */
  async whileUseful(due: number, left: () => number): Promise<void> {
    if (due <= SWEEP_FOR) return;
    let isSwept = false;
    const swept = this.sweeper.sweep().finally(() => (isSwept = true));
    for (let ended = Infinity; !isSwept && ended > SWEEP_FOR;) {
      const before = left();
      await withinTimeLimit(SWEEP_TAKES_MS, () => swept).catch(() => {});
      ended = before - left();
    }
  }
}
