import { openSync, readSync } from 'node:fs';

/** How often is looked. */
const INTERVAL_MS = 1;

export interface LongestTurns {
  readonly allMs: number;
  /** Without the time for which the process waited for a processor. Null: this system does not say. */
  readonly runningMs: number | null;
}

/** How long the turns of the event loop take: for so long nobody else is answered. */
export class TurnMeter {
  private readonly waitedMs = openSchedule();
  private timer: NodeJS.Timeout | undefined;
  private allMs = 0;
  private runningMs = 0;

  begin(): void {
    this.allMs = this.runningMs = 0;
    let [at, waited] = [performance.now(), this.waitedMs?.() ?? 0];
    this.timer = setInterval(() => {
      const [now, waitedNow] = [performance.now(), this.waitedMs?.() ?? 0];
      const turn = now - at - INTERVAL_MS;
      this.allMs = Math.max(this.allMs, turn);
      this.runningMs = Math.max(this.runningMs, turn - (waitedNow - waited));
      [at, waited] = [now, waitedNow];
    }, INTERVAL_MS);
  }

  end(): LongestTurns {
    clearInterval(this.timer);
    return { allMs: this.allMs, runningMs: this.waitedMs ? this.runningMs : null };
  }
}

/** For how long the main thread was ready to run and did not, since it began: the second number of Linux's schedstat. */
function openSchedule(): (() => number) | undefined {
  try {
    const file = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
    const bytes = Buffer.alloc(64);
    return () => {
      const length = readSync(file, bytes, 0, bytes.length, 0);
      return Number(bytes.toString('latin1', 0, length).split(' ')[1]) / 1e6;
    };
  } catch {
    return undefined;
  }
}
