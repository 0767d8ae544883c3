import { BasicClientSideCache, createClient } from 'redis';
import { RedisServer } from '../../test/support/redis-server.js';

/** A redis-server that writes nothing to disk. `RedisServer.stopAll()` in the end. */
export async function startRedis() {
  const server = await RedisServer.start();
  const admin = await server.client();
  await admin.configSet('appendonly', 'no');
  return { server, admin, socketPath: new URL(server.url).pathname };
}

/** How docs/redis.md sets a client up. */
export const SET_UP = { disableOfflineQueue: true, commandOptions: { timeout: 0 } } as const;

export async function connectedClient(url: string, options: Partial<typeof SET_UP>) {
  const client = createClient({ url, ...options });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** A client that keeps what it has read until Redis says that it has changed. */
export async function cachingClient(url: string, entries: number) {
  const clientSideCache = new BasicClientSideCache({ maxEntries: entries, recordStats: false });
  const client = createClient({ url, RESP: 3, clientSideCache, ...SET_UP });
  client.on('error', () => {});
  await client.connect();
  return client;
}
