import { Logger } from '@nestjs/common';
import { DEFAULT_RETENTION } from '../activity/activity-storage.js';
import {
  BufferedActivityStorage,
  type BufferedActivityStorageOptions,
} from '../activity/buffer/buffered-activity-storage.js';
import { describeError } from '../utils/describe-error.js';
import { DURATION_TAKES, parseDuration, type Duration } from '../utils/duration.js';
import { IdleSessionOptionsError, valueOf } from '../utils/option-error.js';
import { RedisActivityRecords, type RedisScriptClient } from './redis-activity-records.js';

/** What is used of a node-redis connection for messages: a client of its own, a cluster or a sentinel. */
export interface RedisSubscriber {
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
}

export interface RedisActivityStorageOptions extends BufferedActivityStorageOptions {
  /** What every key begins with; default `'idle-session:'`. */
  readonly prefix?: string;
  /** How long a record is kept after its deadline or its end; default `'24h'`. */
  readonly retention?: Duration;
  /**
   * A connection for messages, with which a sign-out is known to all processes at once instead of within
   * `syncInterval`: `await client.duplicate().connect()`, or the cluster or sentinel itself. Default: none.
   */
  readonly subscriber?: RedisSubscriber;
}

/**
 * Keeps activity records in Redis, for more than one process, on Redis's own clock; with a buffer in front, so that a
 * session in use costs no command. Needs Redis 6 or newer, and node-redis as a client, cluster, sentinel or pool.
 *
 * Records lie in sixteen hashes, each in one slot of a cluster, and are removed once they are past their retention.
 *
 * @example
 * const client = await createClient({ url }).on('error', log).connect();
 * IdleSessionModule.forRoot({ storage: new RedisActivityStorage(client), … });
 */
export class RedisActivityStorage extends BufferedActivityStorage {
  constructor(client: RedisScriptClient, options: RedisActivityStorageOptions = {}) {
    if (typeof client?.evalSha !== 'function') {
      throw new IdleSessionOptionsError(
        'client',
        client,
        'a node-redis client, cluster, sentinel or pool',
      );
    }
    const { prefix = 'idle-session:', retention = DEFAULT_RETENTION, subscriber } = options;
    if (subscriber !== undefined && typeof subscriber?.subscribe !== 'function') {
      throw new IdleSessionOptionsError('subscriber', subscriber, 'a connected node-redis client');
    }
    const retentionMs = parseDuration(retention);
    if (retentionMs === undefined)
      throw new IdleSessionOptionsError('retention', retention, DURATION_TAKES, valueOf(retention));
    const channel = subscriber ? `${prefix}changes` : '';
    super(new RedisActivityRecords(client, prefix, retentionMs, channel), options);
    if (subscriber) void this.listen(subscriber, channel);
  }

  /** Until it listens, and if it never does, changes come with the next synchronization. */
  private async listen(subscriber: RedisSubscriber, channel: string): Promise<void> {
    try {
      await subscriber.subscribe(channel, (key) => this.forget(key));
    } catch (error) {
      new Logger('IdleSessionModule').error(
        `The subscriber cannot subscribe to ${channel}: ${describeError(error)}. Ends in other processes are known within "syncInterval".`,
      );
    }
  }
}
