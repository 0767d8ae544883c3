import type { Memory } from './app-process.js';

interface Counts {
  requests: number;
  served: number;
  /** How often people came back to a locked session, and unlocked it. */
  unlocked: number;
  unavailable: number;
  broken: number;
  /** People who were out in the end because outages kept them from being heard. */
  unheard: number;
  /** Sessions whose end was not told, and may have been lost with Redis or a process that was killed just then. */
  untold: number;
}

export interface SoakReport extends Readonly<Counts> {
  readonly seed: number;
  readonly sessions: number;
  readonly faults: Readonly<Record<'hangs' | 'restarts' | 'processes', number>>;
  /** What a process used, after garbage collections, on average: in its first third, and in its last. */
  readonly memory: readonly { readonly first: Memory; readonly last: Memory }[];
  /** What was wrong, each with the history of whom it happened to. */
  readonly violations: readonly string[];
}

const MIB = 2 ** 20;

export function noCounts(): Counts {
  return { requests: 0, served: 0, unlocked: 0, unavailable: 0, broken: 0, unheard: 0, untold: 0 };
}

/** @param status 0 if the connection broke */
export function count(counts: Counts, status: number): void {
  counts.requests++;
  if (status === 503) counts.unavailable++;
  if (status === 0) counts.broken++;
}

/** The mean of the first third and of the last. */
export function thirds(samples: readonly Memory[]): { first: Memory; last: Memory } {
  const size = Math.ceil(samples.length / 3);
  const mean = (some: readonly Memory[], of: keyof Memory) =>
    some.reduce((sum, sample) => sum + sample[of], 0) / some.length;
  const means = (some: readonly Memory[]) => ({
    rss: mean(some, 'rss'),
    heapUsed: mean(some, 'heapUsed'),
  });
  return { first: means(samples.slice(0, size)), last: means(samples.slice(-size)) };
}

/** The report in a few lines, for people. */
export function inWords(report: SoakReport): string {
  const { hangs, restarts, processes } = report.faults;
  const mib = ({ rss, heapUsed }: Memory) =>
    `${(rss / MIB).toFixed(0)} MiB, of which heap ${(heapUsed / MIB).toFixed(1)}`;
  return [
    `seed ${report.seed}: ${report.sessions} sessions`,
    `Redis hung ${hangs} times and was killed ${restarts} times, processes were killed ${processes} times`,
    `${report.requests} requests: ${report.served} served, ${report.unavailable} answered 503, ${report.broken} broken`,
    `${report.unlocked} sessions unlocked`,
    `${report.unheard} people out because outages kept them from being heard`,
    `${report.untold} ends not told, maybe since Redis or a process was killed just then`,
    ...report.memory.map(({ first, last }) => `memory: ${mib(first)}, then ${mib(last)}`),
    `${report.violations.length} violations`,
    ...report.violations,
  ].join('\n');
}
