import type { Evaluation } from '../activity/evaluate.js';

const UNAUTHORIZED = 401;

/**
 * The value of a `Server-Timing` header that tells the browser what is left, or that an answer of 401 is to a session
 * that has ended: not every browser tells a page the status of its requests. Undefined if there is nothing to tell.
 */
export function serverTimingOf(
  evaluation: Evaluation | undefined,
  statusCode: number,
): string | undefined {
  if (!evaluation) return undefined;
  if (evaluation.state !== 'expired')
    return `idle-session;desc=${evaluation.state};dur=${evaluation.expiresInMs}`;
  // Others tell of the end themselves, such as the status; a page that heard it from them would ask again and again.
  return statusCode === UNAUTHORIZED ? 'idle-session;desc=expired;dur=0' : undefined;
}
