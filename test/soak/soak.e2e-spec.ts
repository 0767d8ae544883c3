import { expect, it } from '@jest/globals';
import { MINUTE, SECOND } from '../support/durations.js';
import type { SoakOptions } from './options.js';
import { inWords } from './report.js';
import { Soak } from './soak.js';

const { SOAK } = process.env;

/** What `npm run soak` says; without it, half a minute with the time that the last ones take to leave. */
const options: SoakOptions = {
  seed: Math.floor(Math.random() * 2 ** 31),
  durationMs: 11 * SECOND,
  sessions: 200,
  // Long enough that half of it is more than any outage: see what is promised of those that last longer.
  idleTimeoutMs: 10 * SECOND,
  lockAfterMs: 6 * SECOND,
  killsProcesses: false,
  everyEndIsTold: true,
  ...(SOAK !== undefined && (JSON.parse(SOAK) as Partial<SoakOptions>)),
  ...(SOAK !== undefined && { onProgress: say }),
};

it(
  'Nobody at work is signed out and nobody gone is served, whatever happens to Redis and the processes',
  async () => {
    const report = await new Soak(options).run();
    if (SOAK !== undefined || report.violations.length > 0) say(inWords(report));
    // The first is enough here; all have been said.
    expect(report.violations.slice(0, 1)).toEqual([]);
    expect(report.unlocked).toBeGreaterThan(0);
    // Answers that are all 503 would be right, too; how many are, the machine decides.
    expect(report.served).toBeGreaterThan(report.sessions);
    expect(report.faults.hangs + report.faults.restarts).toBeGreaterThan(0);
    // What dies with a server is little: each loses what it was about to tell.
    expect(report.untold).toBeLessThanOrEqual(report.sessions / 20);
    for (const { first, last } of report.memory) {
      expect(last.heapUsed).toBeLessThan(1.3 * first.heapUsed + 10 * 2 ** 20);
      expect(last.rss).toBeLessThan(1.3 * first.rss + 50 * 2 ** 20);
    }
  },
  options.durationMs + 5 * MINUTE,
);

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
