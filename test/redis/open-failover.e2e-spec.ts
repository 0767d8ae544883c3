import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  RedisActivityStorage,
  type IoredisClient,
  type RedisScriptClient,
} from 'nestjs-idle-session/redis';
import { OpenStream } from '../support/open-stream.js';
import { Stopwatch } from '../support/stopwatch.js';
import { createRedisApp, type RedisApp } from '../support/redis-app.js';
import { RedisNode } from '../support/redis-node.js';
import { RedisSentinels } from '../support/redis-sentinel.js';
import { RedisServer } from '../support/redis-server.js';
import { SECOND } from '../support/durations.js';
import { ClaimsGateway, join, withGateways } from '../support/socket-app.js';
import { openedStream, StreamsController } from '../support/streams-controller.js';
import { SHORT_STORAGE_TIMEOUT } from '../support/short-storage-timeout.js';
import { until } from '../support/until.js';

let sessions: RedisServer;
let redis: RedisSentinels;
const apps: RedisApp[] = [];
const disconnects: (() => unknown)[] = [];

beforeEach(async () => {
  StreamsController.reset();
  [sessions, redis] = await Promise.all([RedisServer.start(), RedisSentinels.start()]);
});
afterEach(async () => {
  OpenStream.leaveAll();
  await Promise.all(apps.splice(0).map((app) => app.close()));
  await Promise.all(disconnects.splice(0).map((disconnect) => disconnect()));
  await Promise.all([RedisServer.stopAll(), RedisNode.stopAll()]);
});

async function nodeRedis(): Promise<RedisScriptClient> {
  const client = await redis.client();
  disconnects.push(() => client.destroy());
  return client;
}

async function ioredis(): Promise<IoredisClient> {
  const client = redis.ioredis();
  disconnects.push(() => client.disconnect());
  return client;
}

/** A process whose activity is behind the sentinels. */
async function startApp(client: RedisScriptClient | IoredisClient) {
  const app = await createRedisApp(sessions, {
    storage: () => new RedisActivityStorage(client),
    // Short, so that a request may be given up while the failover lasts.
    options: { storageTimeout: SHORT_STORAGE_TIMEOUT },
    metadata: {
      ...withGateways.metadata,
      controllers: [...withGateways.metadata.controllers, StreamsController],
    },
    configure: withGateways.configure,
  });
  apps.push(app);
  return { ...app, gateway: app.app.get(ClaimsGateway) };
}

const signOut = ({ ask }: RedisApp, cookie: string) =>
  ask.post('/idle-session/sign-out').set('Cookie', cookie);

describe.each([
  ['node-redis', 'was killed', nodeRedis, (master: RedisNode) => master.kill()],
  ['node-redis', 'hung', nodeRedis, (master: RedisNode) => master.freeze()],
  ['ioredis', 'was killed', ioredis, (master: RedisNode) => master.kill()],
])('Through %s, a stream and a socket', (_, how, connect, begin) => {
  it(`outlive a master that ${how}, and end with their session on the next one`, async () => {
    const [here, there] = [await startApp(await connect()), await startApp(await connect())];
    const [ada, eve] = [await there.signIn(), await there.signIn()];
    const streams = await Promise.all(
      [ada, eve].map((cookie) => openedStream(here.app, '/events', cookie)),
    );
    const socket = await join(here, { Cookie: ada });
    await redis.failOver();
    await begin(redis.master);
    await until('it is signed out', async () => (await signOut(there, ada)).status === 204);
    const stopwatch = new Stopwatch();
    expect(await socket.closed).toEqual({ code: 1008, reason: 'signed-out' });
    await streams[0]!.end();
    expect(stopwatch.stop()).toBeLessThan(30 * SECOND);
    expect(streams[0]!.received).toContain('"reason":"signed-out"');
    StreamsController.pushed.next('data: after\n\n');
    await streams[1]!.has('after');
  });
});
