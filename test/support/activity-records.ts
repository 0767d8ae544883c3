import { RESP_TYPES } from 'redis';
import type { RedisClient } from './redis-server.js';

const PARTITIONS = 4;

/** What comes before owner and rest: version, seven numbers of six bytes, the length of owner. */
const FIXED_LENGTH = 1 + 7 * 6 + 1;

/** A record of RedisActivityStorage as it is written down. */
interface Written {
  version: number;
  lastActivityAt: number;
  idleTimeoutMs: number;
  startedAt: number;
  authenticatedAt: number;
  absoluteTimeoutMs: number;
  lockAfterMs: number;
  /** 0 if it has not ended. */
  endedAt: number;
  owner: string;
  /** The session id; for a record that ended the reason, and until that was told the session id behind it. */
  rest: string;
}

/** The keys of all partitions that are called so. */
export function keysOf(
  name: 'records' | 'deadlines' | 'changes' | 'untold',
  prefix = 'idle-session:',
): string[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => `${prefix}{${partition}}:${name}`);
}

/** All activity records, by the sessions' references. */
export async function recordsOf(
  client: RedisClient,
  prefix?: string,
): Promise<Map<string, Written>> {
  const records = new Map<string, Written>();
  await changeRecords(client, prefix, (ref, record) => void records.set(ref, record));
  return records;
}

/** Changes what is written of each session, behind everybody's back. */
export async function changeRecords(
  client: RedisClient,
  prefix: string | undefined,
  change: (ref: string, record: Written) => Written | void,
): Promise<void> {
  for (const key of keysOf('records', prefix)) {
    const bytes = await client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).hGetAll(key);
    for (const [ref, value] of Object.entries(bytes)) {
      if (ref.startsWith('#')) continue;
      const changed = change(ref, unpack(value));
      if (changed) await client.hSet(key, ref, pack(changed));
    }
  }
}

/** Loses the record, as a flush would. */
export async function loseRecord(client: RedisClient, ref: string, prefix?: string): Promise<void> {
  for (const key of keysOf('records', prefix)) await client.hDel(key, ref);
}

/** All keys as they are now, as a replica has them that learns of no more. */
export async function copyOf(client: RedisClient): Promise<{ takeOver(): Promise<void> }> {
  const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const keys = await client.keys('*');
  const dumps = await Promise.all(keys.map(async (key) => [key, await binary.dump(key)] as const));
  return {
    async takeOver() {
      await client.flushAll();
      for (const [key, dump] of dumps) await client.restore(key, 0, dump!);
    },
  };
}

/** Moves all times of a partition into the past, at once: an app that sweeps beside it sees none of them half moved. */
const PASS_TIME = `
  local records, milliseconds = KEYS[1], tonumber(ARGV[1])
  local fields = redis.call('HGETALL', records)
  for i = 1, #fields, 2 do
    local ref, value = fields[i], fields[i + 1]
    if ref == '#' then
      -- What somebody remembers is not true any more.
      local count, lastKey = value:match('^(%S+) (.*)$')
      redis.call('HSET', records, ref, string.format('%d %s', count + 100000, lastKey))
    elseif ref:sub(1, 1) ~= '#' then
      local version, last, idle, start, auth, absolute, lock, ended, at = struct.unpack('>BI6I6I6I6I6I6I6', value)
      if ended ~= 0 then ended = ended - milliseconds end
      redis.call('HSET', records, ref, struct.pack('>BI6I6I6I6I6I6I6', version, last - milliseconds, idle,
        start - milliseconds, auth - milliseconds, absolute, lock, ended) .. value:sub(at))
    end
  end
  for i = 2, #KEYS do
    local scores = redis.call('ZRANGE', KEYS[i], 0, -1, 'WITHSCORES')
    for j = 1, #scores, 2 do redis.call('ZADD', KEYS[i], scores[j + 1] - milliseconds, scores[j]) end
  end`;

/**
 * Lets time pass for the activity records of a prefix: moves all that is in them into the past. For the scripts, which
 * go by the difference to Redis's clock, that is the same as the clock moving on. A process that remembers records
 * takes its `syncInterval` to notice.
 */
export async function passTime(
  client: RedisClient,
  milliseconds: number,
  prefix?: string,
): Promise<void> {
  const [deadlines, untold] = [keysOf('deadlines', prefix), keysOf('untold', prefix)];
  // Sent together, so that no app sweeps between two partitions of one Redis.
  await Promise.all(
    keysOf('records', prefix).map((records, partition) =>
      client.eval(PASS_TIME, {
        keys: [records, deadlines[partition]!, untold[partition]!],
        arguments: [String(milliseconds)],
      }),
    ),
  );
  const owned = (name: string) => client.keys(`${prefix ?? 'idle-session:'}{*}:${name}`);
  for (const key of await owned('expiries')) {
    for (const { value, score } of await client.zRangeWithScores(key, 0, -1))
      await client.zAdd(key, { value, score: score - milliseconds });
  }
  for (const key of await owned('sessions')) await passTimeOfIndex(client, key, milliseconds);
}

async function passTimeOfIndex(
  client: RedisClient,
  key: string,
  milliseconds: number,
): Promise<void> {
  for (const [ref, value] of Object.entries(await client.hGetAll(key))) {
    const [addedAt, ...description] = value.split(' ');
    await client.hSet(key, ref, [Number(addedAt) - milliseconds, ...description].join(' '));
  }
}

function unpack(bytes: Buffer): Written {
  const number = (index: number) => bytes.readUIntBE(1 + 6 * index, 6);
  const ownerEnd = FIXED_LENGTH + bytes.readUInt8(FIXED_LENGTH - 1);
  return {
    version: bytes.readUInt8(0),
    lastActivityAt: number(0),
    idleTimeoutMs: number(1),
    startedAt: number(2),
    authenticatedAt: number(3),
    absoluteTimeoutMs: number(4),
    lockAfterMs: number(5),
    endedAt: number(6),
    owner: bytes.toString('utf8', FIXED_LENGTH, ownerEnd),
    rest: bytes.toString('utf8', ownerEnd),
  };
}

function pack({ version, owner, rest, ...numbers }: Written): Buffer {
  const fixed = Buffer.alloc(FIXED_LENGTH);
  fixed.writeUInt8(version, 0);
  for (const [index, number] of Object.values(numbers).entries())
    fixed.writeUIntBE(number, 1 + 6 * index, 6);
  fixed.writeUInt8(Buffer.byteLength(owner), FIXED_LENGTH - 1);
  return Buffer.concat([fixed, Buffer.from(owner + rest)]);
}
