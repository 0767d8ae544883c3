/** What holds in a run. */
export interface Rules {
  readonly syncIntervalMs: number;
  readonly touchIntervalMs: number;
  readonly absoluteTimeoutMs: number | false;
  readonly lockAfterMs: number | false;
}

/** For how long after the last activity the next one counts. */
export function countsForMs({ lockAfterMs }: Rules, idleTimeoutMs: number): number {
  return Math.min(idleTimeoutMs, lockAfterMs || Infinity);
}

/** For how long activity may wait in a process. */
export function unsentMs(rules: Rules, idleTimeoutMs: number): number {
  const { syncIntervalMs, touchIntervalMs } = rules;
  return syncIntervalMs + Math.min(touchIntervalMs, countsForMs(rules, idleTimeoutMs) / 20);
}
