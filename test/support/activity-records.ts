import type { RedisClient } from './redis-server.js';

const PARTITIONS = 16;

/** A record of RedisActivityStorage as it is written down. */
interface Written {
  lastActivityAt: number;
  idleTimeoutMs: number;
  ended: string;
  startedAt: number;
  /** The session id, or for a record that ended when it did. */
  rest: string;
}

/** The keys of all partitions that are called so. */
export function keysOf(
  name: 'records' | 'deadlines' | 'changes',
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
    for (const [ref, text] of Object.entries(await client.hGetAll(key))) {
      if (ref === '#') continue;
      const changed = change(ref, parse(text));
      if (changed) await client.hSet(key, ref, Object.values(changed).join(' '));
    }
  }
}

/** Loses the record, as a flush would. */
export async function loseRecord(client: RedisClient, ref: string, prefix?: string): Promise<void> {
  for (const key of keysOf('records', prefix)) await client.hDel(key, ref);
}

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
  await changeRecords(client, prefix, (_, record) => ({
    ...record,
    lastActivityAt: record.lastActivityAt - milliseconds,
    startedAt: record.startedAt - milliseconds,
    rest: record.ended === '-' ? record.rest : String(Number(record.rest) - milliseconds),
  }));
  for (const key of keysOf('deadlines', prefix)) {
    for (const { value, score } of await client.zRangeWithScores(key, 0, -1))
      await client.zAdd(key, { value, score: score - milliseconds });
  }
  // What somebody remembers is not true any more.
  for (const key of keysOf('records', prefix)) {
    if (await client.exists(key)) await client.hIncrBy(key, '#', 100_000);
  }
}

function parse(text: string): Written {
  const [lastActivityAt, idleTimeoutMs, ended = '', startedAt, ...rest] = text.split(' ');
  return {
    lastActivityAt: Number(lastActivityAt),
    idleTimeoutMs: Number(idleTimeoutMs),
    ended,
    startedAt: Number(startedAt),
    rest: rest.join(' '),
  };
}
