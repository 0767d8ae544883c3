/** What a request carries. */
export interface Visit {
  readonly idleTimeoutMs: number;
  /** Checked, but not activity. */
  readonly passive?: boolean;
  /** How long ago the person did something. */
  readonly idleForMs?: number;
  /** The person unlocks the session. */
  readonly unlocks?: boolean;
}

/** What counts of a visit: to unlock is activity at that moment, also of a session that is not locked. */
export function whatCounts({
  idleTimeoutMs,
  passive = false,
  idleForMs = 0,
  unlocks = false,
}: Visit): Required<Visit> {
  return unlocks
    ? { idleTimeoutMs, passive: false, idleForMs: 0, unlocks }
    : { idleTimeoutMs, passive, idleForMs, unlocks };
}
