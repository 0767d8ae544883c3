/** How many idle timeouts a session is kept in the user's store, counted from the last renewal there. */
export const KEPT_FOR_TIMEOUTS = 4;
