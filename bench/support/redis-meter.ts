import type { RedisClient } from '../../test/support/redis-server.js';

/** CPU that a redis-server has used so far, in µs. */
export async function redisCpuUs(client: RedisClient): Promise<number> {
  const info = await client.info('cpu');
  let seconds = 0;
  for (const [, used] of info.matchAll(/^used_cpu_(?:sys|user):(\S+)/gm)) seconds += Number(used);
  return seconds * 1e6;
}

/** How often a redis-server has run each command, those that scripts called included, since it was last asked. */
export async function takeCommandCounts(client: RedisClient): Promise<ReadonlyMap<string, number>> {
  const info = await client.info('commandstats');
  await client.configResetStat();
  return new Map(
    Array.from(info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm), ([, name = '', calls]) => [
      name.toUpperCase(),
      Number(calls),
    ]),
  );
}
