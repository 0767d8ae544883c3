import { setTimeout as delay } from 'node:timers/promises';
import type { RedisServer } from '../support/redis-server.js';
import { Stopwatch } from '../support/stopwatch.js';
import type { AppProcess } from './app-process.js';
import { LONGEST_HANG_MS, SYNC_INTERVAL, type Person } from '../model/answers-oracle.js';
import type { Random } from './random.js';

/** How long an event may take, once a session is over for sure. */
export const EVENT_SLACK_MS = 5000;

/** As often, what is watched is asked whether it is there. */
const WATCH_INTERVAL_MS = 100;
/** What takes as long to say that it is there is not. */
const STALL_MS = 300;

/** From when to when something was away, by this process's monotonic clock. */
interface Outage {
  /** Redis has no number. */
  readonly of: number | 'redis';
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
   * Redis for as long as `SYNC_INTERVAL`, and for as long as Redis was away or the process stood still meanwhile.
   */
  lost(process: number, acceptedAt: number): boolean {
    return this.kills.some(
      ({ process: killed, from, to }) =>
        killed === process && acceptedAt <= to && acceptedAt > this.deliveredUntil(from, [process]),
    );
  }

  /**
   * Whether the end of a session may have died before it was told: with a process that was about to tell it, or with Redis
   * when it had decided an end and not said so.
   */
  mayHaveLostEndOf(person: Person): boolean {
    const [from, to] = [person.provenUntil() - EVENT_SLACK_MS, person.overFrom() + EVENT_SLACK_MS];
    return this.kills.some((kill) => kill.to >= from && kill.from <= to);
  }

  /** Up to when activity had come through Redis and these processes by `time` in any case. */
  deliveredUntil(time: number, processes: readonly number[]): number {
    // Twice the interval: a busy machine sends late.
    const delivered = time - 2 * SYNC_INTERVAL;
    const outage = this.outages.findLast(
      ({ of, from, to }) =>
        (of === 'redis' || processes.includes(of)) && from < time && to > delivered,
    );
    return outage ? this.deliveredUntil(outage.from, processes) : delivered;
  }

  /** A busy machine may let anything stand still. */
  async watchAll(processes: readonly AppProcess[], stop: AbortSignal): Promise<Promise<void>[]> {
    const client = await this.redis.client();
    return [
      this.watch('redis', () => client.ping(), stop),
      ...processes.map((process) => this.watch(process.index, () => process.ping(), stop)),
    ];
  }

  /** Takes it for an outage when the machine gives no time to something that is to answer at once. */
  private async watch(
    of: Outage['of'],
    ask: () => Promise<unknown>,
    stop: AbortSignal,
  ): Promise<void> {
    while (!stop.aborted) {
      const stall: Outage = { of, from: performance.now(), to: Infinity };
      // It stands still with this process, which may have the answer and not have read it.
      const stopwatch = new Stopwatch();
      const timer = setInterval(() => {
        if (stopwatch.ms < STALL_MS) return;
        clearInterval(timer);
        this.tell(stall.from, of === 'redis' ? 'Redis stands still' : `process ${of} stands still`);
        this.outages.push(stall);
      }, 10);
      await ask().catch(() => {});
      clearInterval(timer);
      stopwatch.stop();
      stall.to = performance.now();
      await delay(WATCH_INTERVAL_MS);
    }
  }

  private async freezeRedis(): Promise<void> {
    this.counts.hangs++;
    const duration = this.random.between(200, LONGEST_HANG_MS);
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
    const outage: Outage = { of: 'redis', from: performance.now(), to: Infinity };
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
