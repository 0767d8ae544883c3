/** An estimate with its 95 % confidence interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2000;

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(at)] ?? NaN, sorted[Math.ceil(at)] ?? NaN];
  return below + (above - below) * (at % 1);
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The median with its bootstrap percentile interval: assumes nothing about how the values are distributed. */
function estimate(values: readonly number[]): Estimate {
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(values.map(() => pick(values) ?? NaN)),
  );
  return {
    value: median(values),
    low: quantile(medians, 0.025),
    high: quantile(medians, 0.975),
  };
}

/** Of what was measured side by side, the median of the quotients: what slows both down cancels out. */
export function ratio(values: readonly number[], references: readonly number[]): Estimate {
  return estimate(values.map((value, index) => value / (references[index] ?? NaN)));
}

/** As {@link ratio}, of the differences. */
export function difference(values: readonly number[], references: readonly number[]): Estimate {
  return estimate(values.map((value, index) => value - (references[index] ?? NaN)));
}

export function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}

function pick<T>(values: readonly T[]): T | undefined {
  return values[Math.floor(Math.random() * values.length)];
}
