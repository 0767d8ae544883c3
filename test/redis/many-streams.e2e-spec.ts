import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { WsAdapter } from '@nestjs/platform-ws';
import { OpenSessions } from '../../libs/idle-session/src/session/open/open-sessions.js';
import { passTime } from '../support/activity-records.js';
import { BufferedApps } from '../support/buffered-app.js';
import { HOUR, SECOND } from '../support/durations.js';
import type { RedisApp } from '../support/redis-app.js';
import { until } from '../support/until.js';
import { openSocket, openStream, type Visit } from '../support/visits.js';
import { QuietGateway, QuietStreamController } from '../support/what-stays-open.js';

// `npm run bench -- streams` has many more.
const STREAMS = 140;
const SOCKETS = 70;
/** What a busy machine may take on top of `syncInterval` and a second. */
const SLACK_MS = 8 * SECOND;

const apps = BufferedApps.forEachTest();

async function startBoth(hasSubscriber = false): Promise<[RedisApp, RedisApp]> {
  const start = async () =>
    apps.start(hasSubscriber ? { subscriber: await apps.redis.client() } : {}, {
      metadata: { controllers: [QuietStreamController], providers: [QuietGateway] },
      configure: (app) => app.useWebSocketAdapter(new WsAdapter(app)),
    });
  return [await start(), await start()];
}

interface Held {
  readonly cookies: readonly string[];
  readonly visits: readonly Visit[];
}

/** Each person has a stream in one process; half of them have a socket in the other as well. */
async function openAll(both: readonly RedisApp[]): Promise<Held> {
  const addressOf = (index: number) => {
    const server = both[index % 2]!.app.getHttpServer() as Server;
    return { port: (server.address() as AddressInfo).port };
  };
  const cookies: string[] = [];
  const visits: Visit[] = [];
  for (let index = 0; index < STREAMS; index++) {
    const cookie = await both[0]!.signIn();
    cookies.push(cookie);
    visits.push(await openStream(addressOf(index), '/quiet-stream', cookie));
    if (index < SOCKETS) visits.push(await openSocket(addressOf(index + 1), '/socket', cookie));
  }
  expect(heldBy(both)).toBe(STREAMS + SOCKETS);
  return { cookies, visits };
}

const heldBy = (both: readonly RedisApp[]) =>
  both.reduce((held, { app }) => held + app.get(OpenSessions).count, 0);

async function expectAllTold(both: readonly RedisApp[], { visits }: Held, reason: string) {
  const took = await until('all are closed', () => visits.every(({ isClosed }) => isClosed));
  expect(took).toBeLessThan(2 * SECOND + SLACK_MS);
  expect(visits.filter(({ toldAt, gotMore }) => toldAt.length > 1 || gotMore)).toEqual([]);
  const untold = visits.filter(({ words: [word] }) => word !== reason && word !== '1008');
  expect(untold).toEqual([]);
  const counted = () =>
    both.flatMap(({ events }) =>
      events.filter(({ type, cause }) => type !== 'started' && cause !== 'elsewhere'),
    );
  await until('each end has its event', () => counted().length >= STREAMS);
  expect(counted()).toHaveLength(STREAMS);
  expect(new Set(counted().map(({ sessionRef }) => sessionRef)).size).toBe(STREAMS);
  expect(heldBy(both)).toBe(0);
}

describe('Many streams and sockets over two processes', () => {
  it('are each told once when the time of all sessions is up at once', () =>
    apps.undisturbed(async () => {
      const both = await startBoth();
      const held = await openAll(both);
      await passTime(apps.admin, HOUR);
      await expectAllTold(both, held, 'idle');
    }));

  it.each([
    ['', false],
    [' with a subscriber', true],
  ])('are each told once when the other process signs all out%s', (_, hasSubscriber) =>
    apps.undisturbed(async () => {
      const both = await startBoth(hasSubscriber);
      const held = await openAll(both);
      await Promise.all(
        held.cookies.map((cookie, index) =>
          both[(index + 1) % 2]!.ask.post('/sign-out').set('Cookie', cookie).expect(204),
        ),
      );
      await expectAllTold(both, held, 'signed-out');
    }),
  );
});
