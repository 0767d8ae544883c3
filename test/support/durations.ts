export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** For how long a page may take to show something, however busy the machine is. */
export const PATIENCE_MS = 15_000;
