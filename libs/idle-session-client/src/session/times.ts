export const SECOND_MS = 1000;

/** The longest and the shortest that heartbeats are apart, over all tabs. */
export const HEARTBEAT_MS = 60_000;
export const HEARTBEATS_PER_TIMEOUT = 4;

/** How long to wait after a request without an answer: twice as long after each, up to the second. */
export const FIRST_RETRY_MS = 2000;
export const LAST_RETRY_MS = 30_000;
