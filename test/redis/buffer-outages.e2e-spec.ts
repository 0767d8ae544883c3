import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { answered } from '../support/answered.js';
import { recordsOf } from '../support/activity-records.js';
import { BufferedApps, page, poll } from '../support/buffered-app.js';
import { SECOND } from '../support/durations.js';
import { Stopwatch } from '../support/stopwatch.js';
import type { RedisApp } from '../support/redis-app.js';
import { RedisServer } from '../support/redis-server.js';
import { SHORT_STORAGE_TIMEOUT } from '../support/short-storage-timeout.js';
import { until } from '../support/until.js';

const apps = BufferedApps.forEachTest();

describe('An outage of the activity storage alone', () => {
  const INTERVAL = 300;
  // A busy machine may keep Redis from answering for some hundred milliseconds.
  const STORAGE_TIMEOUT = SECOND;
  let away: RedisServer;
  let app: RedisApp;
  let ada: string;
  beforeEach(async () => {
    away = await RedisServer.start();
    app = await apps.start(
      { syncInterval: INTERVAL },
      { activity: away, options: { storageTimeout: STORAGE_TIMEOUT } },
    );
    ada = await app.signIn();
    await served();
  });
  afterEach(() => away.kill());

  const kinds = [
    { kind: 'stopped', begin: () => away.kill(), end: () => away.launch() },
    { kind: 'hung', begin: async () => away.freeze(), end: async () => away.thaw() },
  ];

  /** Waits until she was served: before an outage too, a busy machine may have the storage answer too late. */
  async function served(): Promise<void> {
    await until('she is served', async () => (await page(app, ada)).status === 200);
  }

  async function recovered(): Promise<void> {
    let status = 503;
    await until('the storage answers', async () => {
      // Passive, so that it tells nothing new.
      ({ status } = await poll(app, ada));
      return status !== 503;
    });
    expect(status).toBe(200);
  }

  it.each(kinds)(
    'is answered 503 within an interval and storageTimeout, and loses nothing ($kind)',
    async ({ begin, end }) => {
      const client = await away.client();
      const lastActivity = async () => {
        const [record] = (await recordsOf(client)).values();
        return record!.lastActivityAt;
      };
      await delay(INTERVAL);
      await served();
      const before = await lastActivity();
      await delay(30);
      // Not sent yet.
      await served();
      await begin();
      const stopwatch = new Stopwatch();
      let status = 200;
      while (status === 200) {
        ({ status } = await page(app, ada));
        await delay(10);
      }
      expect(status).toBe(503);
      expect(stopwatch.stop()).toBeLessThan(INTERVAL + STORAGE_TIMEOUT + 15 * SECOND);
      await end();
      await recovered();
      await until('it is sent', async () => (await lastActivity()) >= before + 20);
      expect(await lastActivity()).toBeGreaterThanOrEqual(before + 20);
      expect(app.events.map(({ type }) => type)).toEqual(['started']);
    },
  );

  it.each(kinds)(
    'does not keep the app from closing, and is one line ($kind)',
    async ({ begin }) => {
      // So that there is something to send.
      const late = await apps.start(
        { syncInterval: '1m' },
        { activity: away, options: { storageTimeout: SHORT_STORAGE_TIMEOUT } },
      );
      const cookie = await late.signIn();
      expect((await answered(() => page(late, cookie))).status).toBe(200);
      await begin();
      const stopwatch = new Stopwatch();
      const all = apps.opened.splice(0);
      await Promise.all(all.map((each) => each.close()));
      expect(stopwatch.stop()).toBeLessThan(15 * SECOND);
      // What all apps of a process log comes to the newest of them.
      expect(late.log.length).toBeLessThanOrEqual(all.length);
      expect(new Set(late.log.map(({ level }) => level))).toEqual(new Set(['error']));
    },
  );

  it.each(kinds)(
    'does not keep the app from closing in the middle of a sweep ($kind)',
    async ({ begin, end }) => {
      await begin();
      // Sessions are swept each second.
      const expire = jest.spyOn(RedisActivityStorage.prototype, 'expire');
      await until('a sweep is under way', () => expire.mock.calls.length > 0);
      apps.opened.splice(0);
      let isClosed = false;
      const closed = app.close().then(() => (isClosed = true));
      try {
        await until('it is closed', () => isClosed);
      } finally {
        await end();
        await closed;
      }
    },
  );
});
