import { createHash } from 'node:crypto';
import {
  ActivityStorage,
  DEFAULT_RETENTION,
  type ActivityReading,
  type EndReason,
} from '../activity-storage.js';
import { DURATION_TAKES, parseDuration, type Duration } from '../duration.js';
import { IdleSessionOptionsError } from '../options-error.js';
import * as scripts from './scripts.js';

/** What is used of node-redis: a client, a cluster, a sentinel and a pool all have it. */
export interface RedisScriptClient {
  eval(script: string, options: ScriptCall): Promise<unknown>;
  evalSha(sha1: string, options: ScriptCall): Promise<unknown>;
}

interface ScriptCall {
  keys: string[];
  arguments: string[];
}

export interface RedisActivityStorageOptions {
  /** What every key begins with; default `'idle-session:'`. */
  readonly prefix?: string;
  /** How long a record is kept after its deadline or its end; default `'24h'`. */
  readonly retention?: Duration;
}

interface Script {
  readonly source: string;
  readonly sha1: string;
}

const script = (source: string): Script => ({
  source,
  sha1: createHash('sha1').update(source).digest('hex'),
});

const READ = script(scripts.READ);
const START = script(scripts.START);
const TOUCH = script(scripts.TOUCH);
const END = script(scripts.END);

/**
 * Keeps activity records in Redis, for more than one process: one hash and one script call per operation, on Redis's
 * own clock. Needs Redis 5 or newer, and node-redis as a client, cluster, sentinel or pool.
 *
 * The script calls are answered by whoever holds the key, so this works on a cluster; records expire by themselves.
 *
 * @example
 * const client = await createClient({ url }).on('error', log).connect();
 * IdleSessionModule.forRoot({ storage: new RedisActivityStorage(client), … });
 */
export class RedisActivityStorage extends ActivityStorage {
  private readonly prefix: string;
  private readonly retentionMs: number;

  constructor(
    private readonly client: RedisScriptClient,
    options: RedisActivityStorageOptions = {},
  ) {
    super();
    if (typeof client?.evalSha !== 'function') {
      throw new IdleSessionOptionsError(
        'client',
        client,
        'a node-redis client, cluster, sentinel or pool',
      );
    }
    const { prefix = 'idle-session:', retention = DEFAULT_RETENTION } = options;
    const retentionMs = parseDuration(retention);
    if (retentionMs === undefined)
      throw new IdleSessionOptionsError('retention', retention, DURATION_TAKES);
    this.prefix = prefix;
    this.retentionMs = retentionMs;
  }

  override async read(key: string): Promise<ActivityReading> {
    return toReading(await this.run(READ, key));
  }

  override async start(
    key: string,
    idleTimeoutMs: number,
  ): Promise<ActivityReading & { started: boolean }> {
    const reply = await this.run(START, key, idleTimeoutMs);
    return { ...toReading(reply), started: wasDone(reply) };
  }

  override async touch(key: string, idleTimeoutMs: number, at: number): Promise<ActivityReading> {
    return toReading(await this.run(TOUCH, key, idleTimeoutMs, at));
  }

  override async end(key: string, reason: EndReason): Promise<ActivityReading & { won: boolean }> {
    const reply = await this.run(END, key, reason);
    return { ...toReading(reply), won: wasDone(reply) };
  }

  private async run(
    { source, sha1 }: Script,
    key: string,
    ...values: (string | number)[]
  ): Promise<ScriptReply> {
    const call: ScriptCall = {
      // The braces are a hash tag: all that belongs to one session shares a slot of a cluster.
      keys: [`${this.prefix}{${key}}`],
      arguments: [this.retentionMs, ...values].map(String),
    };
    try {
      return (await this.client.evalSha(sha1, call)) as ScriptReply;
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return (await this.client.eval(source, call)) as ScriptReply;
    }
  }
}

type Field = string | number | null;
type ScriptReply = readonly [
  done: Field,
  now: Field,
  startedAt: Field,
  lastActivityAt: Field,
  idleTimeoutMs: Field,
  ended: Field,
];

const wasDone = ([done]: ScriptReply): boolean => Number(done) === 1;

function toReading([
  ,
  now,
  startedAt,
  lastActivityAt,
  idleTimeoutMs,
  ended,
]: ScriptReply): ActivityReading {
  const record =
    startedAt === null
      ? undefined
      : {
          startedAt: Number(startedAt),
          lastActivityAt: Number(lastActivityAt),
          idleTimeoutMs: Number(idleTimeoutMs),
          ...(ended !== null && { ended: String(ended) as EndReason }),
        };
  return { record, now: Number(now) };
}
