import { wordsOf } from './languages.js';

/** Such as '2 minutes' or '40 seconds', and in seconds what is between the first few minutes; short, '2 min'. */
export function duration(
  language: string,
  seconds: number,
  unitDisplay: 'long' | 'short' = 'long',
): string {
  const inMinutes = seconds % 60 === 0 || seconds > 180;
  const count = inMinutes ? Math.floor(seconds / 60) : seconds;
  const unit = inMinutes ? 'minute' : 'second';
  const own = wordsOf(language)?.unit?.(count, unit);
  if (own) return `${count} ${own}`;
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay }).format(count);
}
