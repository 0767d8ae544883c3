import { END_REASONS, type EndReason } from './end-reason.js';
import type { IdleSessionStatus } from './idle-session-status.js';

/** What the server answers of the session: where it stands, or the problem body of a 401 that tells of its end. */
export interface SessionAnswer extends Omit<IdleSessionStatus, 'sessionRef'> {
  /** A problem body names none: it is about the session that asked. */
  readonly sessionRef?: string | null;
}

/**
 * Whether the server itself answered where the session stands, and not a proxy or a sign-on page in between.
 */
export function isStatus(body: unknown): body is SessionAnswer {
  const { state, expiresInMs, sessionRef, loginUrl, unlockUrl } = (body ??
    {}) as Partial<IdleSessionStatus>;
  if (!isPage(loginUrl) || !isPage(unlockUrl)) return false;
  if (state === 'none' || reasonOf(body)) return true;
  return typeof expiresInMs === 'number' && typeof sessionRef === 'string';
}

/** The client goes to these addresses, so that one with a script in it is not the server's. */
function isPage(url: string | null = null): boolean {
  try {
    return /^https?:/.test(new URL(url ?? '', 'http://a').href);
  } catch {
    return false;
  }
}

/** The reason why the session ended; undefined if the body does not tell of its end. */
export function reasonOf(body: unknown): EndReason | undefined {
  const { reason } = (body ?? {}) as { reason?: unknown };
  return END_REASONS.find((known) => known === reason);
}
