/** By how many seconds a busy machine may hold up an answer after its session was read. */
const HELD_UP_S = 9;

/**
 * The `Server-Timing` of an answer. The client's clock goes on by real time from what it says, so that it says less where
 * the answer was held up.
 *
 * @param more what follows
 */
export function serverTiming(state: string, leftMs: number, more = ''): RegExp {
  const left = Array.from({ length: HELD_UP_S + 1 }, (_, seconds) => leftMs - seconds * 1000);
  return new RegExp(`^idle-session;desc=${state};dur=(${left.join('|')})${more}$`);
}
