/** What holds in a run. */
export interface Rules {
  readonly syncIntervalMs: number;
  readonly touchIntervalMs: number;
  readonly absoluteTimeoutMs: number | false;
}

/** For how long activity may wait in a process. */
export function unsentMs(
  { syncIntervalMs, touchIntervalMs }: Rules,
  idleTimeoutMs: number,
): number {
  return syncIntervalMs + Math.min(touchIntervalMs, idleTimeoutMs / 20);
}
