/**
 * `storageTimeout` for tests of servers that hang, which wait for it: short, but longer than Redis takes for an answer on a
 * busy machine. In milliseconds.
 */
export const SHORT_STORAGE_TIMEOUT = 1500;
