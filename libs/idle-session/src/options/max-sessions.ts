export const MAX_SESSIONS_TAKES = 'a whole number from 1 on or Infinity';

export function isMaxSessions(value: unknown): value is number {
  return value === Infinity || (Number.isInteger(value) && (value as number) >= 1);
}
