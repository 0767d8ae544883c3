/** Such as '2 minutes' or '40 seconds', and in seconds what is between the first few minutes; short, '2 min'. */
export function duration(
  language: string,
  seconds: number,
  unitDisplay: 'long' | 'short' = 'long',
): string {
  const inMinutes = seconds % 60 === 0 || seconds > 180;
  const count = inMinutes ? Math.floor(seconds / 60) : seconds;
  // Browsers come without Welsh numbers.
  if (language === 'cy') return `${count} ${welshUnit(count, inMinutes)}`;
  const unit = inMinutes ? 'minute' : 'second';
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay }).format(count);
}

function welshUnit(count: number, inMinutes: boolean): string {
  if (!inMinutes) return 'eiliad';
  return count < 3 ? 'funud' : 'munud';
}
