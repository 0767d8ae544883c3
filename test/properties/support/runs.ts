/** How many times as many runs as usual; the time limits grow along. For long hunts: `PROPERTY_RUNS=100`. */
const TIMES = Number(process.env.PROPERTY_RUNS ?? 1);
/** As a failure prints them, to see it again. */
const { PROPERTY_SEED, PROPERTY_PATH } = process.env;

/** What a property is to be checked with. */
export function runs(usually: number) {
  return {
    numRuns: Math.ceil(usually * TIMES),
    ...(PROPERTY_SEED !== undefined && { seed: Number(PROPERTY_SEED) }),
    ...(PROPERTY_PATH !== undefined && { path: PROPERTY_PATH }),
  };
}

/** How long a property may take: its runs only compute, which other work on the machine slows down. */
export const TIME_LIMIT_MS = 90_000 * Math.max(1, TIMES);
