import type { Evaluation } from '../activity/evaluate.js';

const UNAUTHORIZED = 401;
const FIRST_ERROR = 400;

/**
 * The value of a `Server-Timing` header that tells the browser what is left, and that the answer is an error, or that a
 * 401 is to a session that has ended: not every browser tells a page the status of what it got. Undefined if there is
 * nothing to tell.
 */
export function serverTimingOf(
  evaluation: Evaluation | undefined,
  statusCode: number,
): string | undefined {
  if (!evaluation) return undefined;
  if (evaluation.state !== 'expired') {
    const left = `idle-session;desc=${evaluation.state};dur=${evaluation.expiresInMs}`;
    return statusCode < FIRST_ERROR ? left : `${left}, http-status;dur=${statusCode}`;
  }
  // Others tell of the end themselves, such as the status; a page that heard it from them would ask again and again.
  return statusCode === UNAUTHORIZED ? 'idle-session;desc=expired;dur=0' : undefined;
}
