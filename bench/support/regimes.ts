import type { LoadProcess } from './load-process.js';
import { shuffled } from './statistics.js';
import type { VariantProcess } from './variant-process.js';

/** How requests come: at a rate, as people send them, or over connections that are never idle. */
export interface Regime {
  readonly name: string;
  readonly connections: number;
  readonly perSecond?: number;
}

export const REGIMES = [
  { name: '1,000 a second', connections: 64, perSecond: 1000 },
  { name: '1 connection', connections: 1 },
  { name: '16 connections', connections: 16 },
  { name: '64 connections', connections: 64 },
] as const satisfies readonly Regime[];

const LEAD_IN_MS = 50;
const TIMED_MS = 400;

/** What one variant came to in one regime: a value for each cycle. */
export interface Measured {
  /** CPU of the app, in µs a request. */
  readonly cpuUs: number[];
  readonly rates: number[];
  readonly p50Ms: number[];
  readonly p99Ms: number[];
}

/**
 * In each cycle one block of each variant, in random order, so that what disturbs the machine hits all alike. The CPU of a
 * block is what the app uses from its beginning to the beginning of its next one: work that is put off is paid for.
 */
export async function measure(
  load: LoadProcess,
  variants: readonly VariantProcess[],
  { connections, perSecond }: Regime,
  cycles: number,
): Promise<Map<VariantProcess, Measured>> {
  const results = new Map(
    variants.map((variant) => [
      variant,
      { cpuUs: [], rates: [], p50Ms: [], p99Ms: [] } as Measured,
    ]),
  );
  const begun = new Map<VariantProcess, { readonly cpuUs: number; readonly answered: number }>();
  const close = async (variant: VariantProcess) => {
    const cpuUs = await variant.cpuUs();
    const before = begun.get(variant);
    if (before) results.get(variant)?.cpuUs.push((cpuUs - before.cpuUs) / before.answered);
    return cpuUs;
  };
  for (let cycle = 0; cycle < cycles; cycle++) {
    for (const variant of shuffled(variants)) {
      const { socketPath, sessions } = variant;
      const job = { socketPath, sessions, connections, perSecond };
      const cpuUs = await close(variant);
      const { answered, rate, p50Ms, p99Ms } = await load.forAWhile(
        { ...job, leadInMs: LEAD_IN_MS, timedMs: TIMED_MS },
        () => {},
      );
      begun.set(variant, { cpuUs, answered });
      const result = results.get(variant);
      result?.rates.push(rate);
      result?.p50Ms.push(p50Ms);
      result?.p99Ms.push(p99Ms);
    }
  }
  for (const variant of variants) await close(variant);
  return results;
}
