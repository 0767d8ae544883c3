import { setTimeout as delay } from 'node:timers/promises';
import type { RedisServer } from '../support/redis-server.js';
import type { AppProcess } from './app-process.js';
import { SYNC_INTERVAL } from '../model/answers-oracle.js';
import type { Random } from './random.js';

/** From when to when Redis was away, by this process's monotonic clock. */
interface Outage {
  readonly from: number;
  to: number;
}

interface Kill {
  /** Redis has no number. */
  readonly process: number | 'redis';
  readonly from: number;
  to: number;
}

/** What is done to Redis and to the app's processes, and what that leaves of what they had promised. */
export class Faults {
  readonly told: string[] = [];
  readonly counts = { hangs: 0, restarts: 0, processes: 0 };
  private readonly outages: Outage[] = [];
  private readonly kills: Kill[] = [];

  constructor(
    private readonly random: Random,
    private readonly redis: RedisServer,
    /** Those that may be killed; none if that is not part of it. */
    private readonly mortal: readonly AppProcess[],
    /** How long at least and at most nothing happens between two faults. */
    private readonly pauseMs: readonly [number, number],
  ) {}

  /** One after the other until it is told to stop; then everything is there again. */
  async run(stop: AbortSignal): Promise<void> {
    for (;;) {
      const pause = this.random.between(...this.pauseMs);
      await delay(pause, undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) return;
      const dice = this.random.next();
      if (this.mortal.length > 0 && dice < 0.2) await this.killProcess();
      else if (dice < 0.7) await this.freezeRedis();
      else await this.killRedis();
    }
  }

  /**
   * Whether activity that a process had accepted at that time died with the process: it may have been on its way to
   * Redis for as long as `SYNC_INTERVAL`, and for as long as Redis was away meanwhile.
   */
  lost(process: number, acceptedAt: number): boolean {
    return this.kills.some(
      ({ process: killed, from, to }) =>
        killed === process && acceptedAt <= to && acceptedAt > this.deliveredUntil(from),
    );
  }

  /**
   * Whether something died in that time, and maybe with it an event: a process that was about to tell it, or Redis when
   * it had decided an end and not said so.
   */
  killedBetween(from: number, to: number): boolean {
    return this.kills.some((kill) => kill.to >= from && kill.from <= to);
  }

  /** Up to when activity that a process accepted had reached Redis by `time` in any case. */
  deliveredUntil(time: number): number {
    // Twice the interval: a busy machine sends late.
    const delivered = time - 2 * SYNC_INTERVAL;
    const outage = this.outages.findLast(({ from, to }) => from < time && to > delivered);
    return outage ? this.deliveredUntil(outage.from) : delivered;
  }

  private async freezeRedis(): Promise<void> {
    this.counts.hangs++;
    const duration = this.random.between(200, 3000);
    await this.away(`Redis hangs for ${Math.round(duration)} ms`, async () => {
      this.redis.freeze();
      await delay(duration);
      this.redis.thaw();
    });
  }

  private async killRedis(): Promise<void> {
    this.counts.restarts++;
    const duration = this.random.between(100, 2000);
    await this.away(`Redis is killed for ${Math.round(duration)} ms`, async () => {
      await this.noting('redis', () => this.redis.kill());
      await delay(duration);
      await this.redis.launch();
    });
  }

  private async away(what: string, during: () => Promise<void>): Promise<void> {
    const outage: Outage = { from: performance.now(), to: Infinity };
    this.outages.push(outage);
    this.tell(outage.from, what);
    await during();
    outage.to = performance.now();
  }

  private async killProcess(): Promise<void> {
    this.counts.processes++;
    const victim = this.random.pick(this.mortal);
    this.tell(performance.now(), `process ${victim.index} is killed`);
    await this.noting(victim.index, () => victim.kill());
    await victim.start();
  }

  private async noting(process: Kill['process'], killing: () => Promise<void>): Promise<void> {
    const kill: Kill = { process, from: performance.now(), to: Infinity };
    this.kills.push(kill);
    await killing();
    kill.to = performance.now();
  }

  private tell(at: number, what: string): void {
    this.told.push(`${(at / 1000).toFixed(3)} ${what}`);
  }
}
