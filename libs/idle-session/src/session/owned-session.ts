import type { ActivityReading, ActivityRecord } from '../activity/activity-storage.js';
import type { OwnerIndex, SessionDescription } from '../activity/owner-index.js';

/**
 * Within what time after it was added to the index a session has its record. Until then, it may be about to start: it
 * counts, and is not shown.
 */
export const STARTS_WITHIN_MS = 30_000;

/** A session that the index has, with its record; without one, it may be about to start. */
export interface OwnedSession {
  readonly ref: string;
  readonly description: SessionDescription;
  readonly addedAt: number;
  readonly reading: ActivityReading;
}

/** A session that ended. */
export interface Ended extends Pick<ActivityRecord, 'owner'> {
  readonly key: string;
}

/** Removes sessions that ended from the indexes of their owners, if there are any. */
export async function removeEnded(
  index: OwnerIndex | undefined,
  ends: readonly Ended[],
): Promise<void> {
  if (!index) return;
  const keysOf = new Map<string, string[]>();
  for (const { key, owner } of ends)
    if (owner !== null) keysOf.set(owner, [...(keysOf.get(owner) ?? []), key]);
  await Promise.all(Array.from(keysOf, ([owner, keys]) => index.remove(owner, keys)));
}
