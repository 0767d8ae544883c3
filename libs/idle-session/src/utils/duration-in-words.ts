const UNITS: readonly [name: string, ms: number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
  ['millisecond', 1],
];

/** Exactly, unlike `ms(…, { long: true })`, which rounds: `'1 hour 30 minutes'`. Under two days it counts hours. */
export function durationInWords(milliseconds: number): string {
  const units = milliseconds < 2 * UNITS[0]![1] ? UNITS.slice(1) : UNITS;
  const words: string[] = [];
  let rest = milliseconds;
  for (const [name, ms] of units) {
    const count = Math.floor(rest / ms);
    rest %= ms;
    if (count > 0) words.push(`${count} ${name}${count === 1 ? '' : 's'}`);
  }
  return words.join(' ') || '0 milliseconds';
}
