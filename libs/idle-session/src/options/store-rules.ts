import type { Logger } from '@nestjs/common';
import type { Store } from 'express-session';
import { KEPT_FOR_TIMEOUTS } from '../utils/kept-for.js';

/** What stores of the field have, on themselves or among their options, that makes them drop a session of their own accord. */
interface StoreOptions {
  readonly disableTouch?: unknown;
  /** connect-mongo: in seconds. */
  readonly touchAfter?: unknown;
  /** session-file-store: in seconds; memorystore: in milliseconds; connect-redis and memorystore: a function, too. */
  readonly ttl?: unknown;
}

/** The units of `ttl` in stores that hold it against the last write, and not against the session's date. */
const TTL_UNIT_MS: Readonly<Record<string, number>> = { FileStore: 1000, MemoryStore: 1 };

/**
 * Warns of a store that would drop sessions of people who are active. The module renews a session in the store once in an
 * idle timeout, and asks it to keep the session for four.
 * @param idleTimeoutMs null where it is not the same for everybody
 */
export function warnOfStore(store: Store, idleTimeoutMs: number | null, logger: Logger): void {
  const { disableTouch, touchAfter, ttl } = {
    ...(store as unknown as { options?: StoreOptions }).options,
    ...given(store as StoreOptions),
  } as StoreOptions;
  const warn = (option: string, why: string) =>
    logger.warn(
      `Option "session.store" has ${option}: ${why}, so the store drops sessions of people who are active. The module renews a session in the store once in an idle timeout.`,
    );

  if (disableTouch === true) warn('disableTouch', 'it cannot be renewed');
  if (typeof ttl === 'function') {
    logger.warn(
      `Option "session.store" has a function as ttl. Unless it goes by session.cookie.expires, or is at least ${KEPT_FOR_TIMEOUTS} idle timeouts, the store drops sessions of people who are active.`,
    );
  }
  if (idleTimeoutMs === null) return;
  if (Number(touchAfter) * 1000 > (KEPT_FOR_TIMEOUTS / 2) * idleTimeoutMs)
    warn(`touchAfter: ${String(touchAfter)}`, 'it skips renewals for over two idle timeouts');
  const unitMs = TTL_UNIT_MS[store.constructor.name] ?? NaN;
  if (Number(ttl) * unitMs < KEPT_FOR_TIMEOUTS * idleTimeoutMs)
    warn(`ttl: ${String(ttl)}`, `that is under ${KEPT_FOR_TIMEOUTS} idle timeouts`);
}

function given({ disableTouch, touchAfter, ttl }: StoreOptions): StoreOptions {
  const own = Object.entries({ disableTouch, touchAfter, ttl });
  return Object.fromEntries(own.filter(([, value]) => value !== undefined));
}
