export interface SoakOptions {
  readonly seed: number;
  readonly durationMs: number;
  /** How many sessions there are at any time. */
  readonly sessions: number;
  readonly idleTimeoutMs: number;
  /** Longer than people who are there do nothing, and shorter than the idle timeout. */
  readonly lockAfterMs: number;
  /** Whether the second process is killed at times; the memory of the first one is what is measured. */
  readonly killsProcesses: boolean;
  /** Whether every session has to tell its end once, without being asked; otherwise at most once. */
  readonly everyEndIsTold: boolean;
  /** Told how far it is, now and then. */
  readonly onProgress?: (line: string) => void;
}
