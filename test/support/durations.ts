export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** What takes a page longer than this hangs, however busy the machine is. */
export const PATIENCE_MS = 60_000;
