import { Logger } from '@nestjs/common';
import { DEFAULT_RETENTION } from '../activity/activity-storage.js';
import {
  BUFFER_OPTIONS,
  type BufferedActivityStorageOptions,
} from '../activity/buffer/buffer-options.js';
import { BufferedActivityStorage } from '../activity/buffer/buffered-activity-storage.js';
import { describeError } from '../utils/describe-error.js';
import type { Duration } from '../utils/duration.js';
import { durationOption } from '../utils/duration-option.js';
import { checkNames, IdleSessionOptionsError } from '../utils/option-error.js';
import {
  isIoredis,
  scriptClientOf,
  subscribeWithIoredis,
  type IoredisClient,
  type IoredisSubscriber,
} from './ioredis-client.js';
import { RedisActivityRecords } from './redis-activity-records.js';
import type { RedisScriptClient } from './script-call.js';

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
   * `syncInterval`. Of node-redis: `await client.duplicate().connect()`, or the cluster or sentinel itself. Of ioredis:
   * `client.duplicate()`. Default: none.
   */
  readonly subscriber?: RedisSubscriber | IoredisSubscriber;
}

/**
 * Keeps activity records in Redis, for more than one process, on Redis's own clock; with a buffer in front, so that a
 * session in use costs no command. Needs Redis 6 or newer, and a client, cluster, sentinel or pool of node-redis, or a
 * client or cluster of ioredis.
 *
 * Records lie in four hashes, each in one slot of a cluster, and are removed once they are past their retention.
 *
 * @example
 * const client = await createClient({ url }).on('error', log).connect();
 * IdleSessionModule.forRoot({ storage: new RedisActivityStorage(client), … });
 */
export class RedisActivityStorage extends BufferedActivityStorage {
  constructor(
    client: RedisScriptClient | IoredisClient,
    options: RedisActivityStorageOptions = {},
  ) {
    const scriptClient = toScriptClient(client);
    checkNames(options, ['prefix', 'retention', 'subscriber', ...BUFFER_OPTIONS]);
    const {
      prefix = 'idle-session:',
      retention = DEFAULT_RETENTION,
      subscriber,
      syncInterval,
      touchInterval,
      rememberedSessions,
    } = options;
    // Each by its name: those of a class may be getters, which a rest leaves out.
    const buffer = { syncInterval, touchInterval, rememberedSessions };
    if (typeof prefix !== 'string') throw new IdleSessionOptionsError('prefix', prefix, 'a string');
    if (subscriber !== undefined && typeof subscriber?.subscribe !== 'function') {
      throw new IdleSessionOptionsError(
        'subscriber',
        subscriber,
        'a connected client of node-redis or ioredis',
      );
    }
    if (subscriber === client && !mayListen(client)) {
      const takes =
        'a connection of its own, such as client.duplicate(): with messages, the client takes no commands';
      throw new IdleSessionOptionsError('subscriber', subscriber, takes);
    }
    const retentionMs = durationOption('retention', retention);
    const channel = subscriber ? `${prefix}changes` : '';
    super(new RedisActivityRecords(scriptClient, prefix, retentionMs, channel), buffer);
    if (subscriber) void this.listen(subscriber, channel);
  }

  /** Until it listens, and if it never does, changes come with the next synchronization. */
  private async listen(
    subscriber: RedisSubscriber | IoredisSubscriber,
    channel: string,
  ): Promise<void> {
    try {
      await subscribe(subscriber, channel, (key) => this.forget(key));
    } catch (error) {
      new Logger('IdleSessionModule').error(
        `The subscriber cannot subscribe to ${channel}: ${describeError(error)}. Ends in other processes are known within "syncInterval".`,
      );
    }
  }
}

/** Whether the client still takes commands once it has subscribed. */
function mayListen(client: object): boolean {
  if (isIoredis(client)) return client.isCluster === true;
  const { options } = client as { readonly options?: { readonly RESP?: unknown } };
  return options?.RESP !== 2;
}

function toScriptClient(client: RedisScriptClient | IoredisClient): RedisScriptClient {
  if (isIoredis(client)) return scriptClientOf(client);
  if (typeof client?.evalSha === 'function') return client;
  throw new IdleSessionOptionsError(
    'client',
    client,
    'a client, cluster, sentinel or pool of node-redis, or a client or cluster of ioredis',
  );
}

function subscribe(
  subscriber: RedisSubscriber | IoredisSubscriber,
  channel: string,
  listener: (message: string) => void,
): Promise<unknown> {
  return isIoredis(subscriber)
    ? subscribeWithIoredis(subscriber, channel, listener)
    : subscriber.subscribe(channel, listener);
}
