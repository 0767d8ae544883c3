import type { ActivityStorage } from '../activity-storage.js';

/** Activity as {@link ActivityStorage.touch} takes it. */
export interface Touch {
  readonly key: string;
  readonly idleTimeoutMs: number;
  readonly at: number;
}

/** What an {@link ActivityFeed} answers. */
export interface Changes {
  /** The storage's time. */
  readonly now: number;
  /** Where the next call goes on; undefined if there is no history to go on in. */
  readonly cursor: string | undefined;
  /**
   * The keys of which something may have become untrue since the last call: ended, or with a deadline that moved back,
   * or whose touch was refused. `'all'` if that is not known.
   */
  readonly changed: readonly string[] | 'all';
}

/**
 * What a storage can do beside {@link ActivityStorage}, so that a {@link BufferedActivityStorage} in front of it may
 * answer from memory. Its keys are divided into partitions, each with a clock and a history of changes.
 */
export interface ActivityFeed {
  readonly partitions: number;
  /** From 0 to `partitions - 1`. */
  partitionOf(key: string): number;
  /**
   * Notes activity, and resolves to what changed; undefined if the storage cannot tell.
   * @param since the cursor of the last answer; undefined the first time
   */
  sync(
    partition: number,
    touches: readonly Touch[],
    since: string | undefined,
  ): Promise<Changes | undefined>;
}

/** The storage's own feed, or one without a history: then a reading holds for its session only, for one interval. */
export function feedOf(storage: ActivityStorage): ActivityFeed {
  return hasHistory(storage) ? storage : withoutHistory(storage);
}

/** Whether the storage can tell what changed. */
export function hasHistory(storage: ActivityStorage): storage is ActivityStorage & ActivityFeed {
  return 'sync' in storage;
}

function withoutHistory(storage: ActivityStorage): ActivityFeed {
  return {
    partitions: 1,
    partitionOf: () => 0,
    async sync(_partition, touches) {
      const readings = await Promise.all(
        touches.map(({ key, idleTimeoutMs, at }) => storage.touch(key, idleTimeoutMs, at)),
      );
      const last = readings.at(-1);
      if (!last) return undefined;
      const refused = touches.filter(({ at }, index) => {
        const { record } = readings[index]!;
        return !record || record.ended !== undefined || record.lastActivityAt < at;
      });
      return { now: last.now, cursor: undefined, changed: refused.map(({ key }) => key) };
    },
  };
}
