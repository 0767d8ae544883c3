import { describe, expect, it } from '@jest/globals';
import type { RedisActivityStorageOptions } from 'nestjs-idle-session/redis';
import { BufferedApps, page, SLACK } from '../support/buffered-app.js';
import { SECOND } from '../support/durations.js';
import { Stopwatch } from '../support/stopwatch.js';
import type { RedisApp } from '../support/redis-app.js';
import { ClaimsGateway, join, open, withGateways } from '../support/socket-app.js';

const apps = BufferedApps.forEachTest();

async function start(storage: RedisActivityStorageOptions = {}, options = {}) {
  const app = await apps.start(storage, { ...withGateways, options });
  return { ...app, gateway: app.app.get(ClaimsGateway) };
}

const signOut = (app: RedisApp, cookie: string) =>
  app.ask.post('/sign-out').set('Cookie', cookie).expect(204);

describe.each([
  {
    how: 'without a subscriber',
    storage: async () => ({ syncInterval: '500ms' }) as const,
    within: 500 + SECOND + SLACK,
  },
  {
    how: 'with a subscriber',
    storage: async () => ({ syncInterval: '1m', subscriber: await apps.redis.client() }) as const,
    within: SLACK,
  },
])('Of two processes, $how,', ({ storage, within }) => {
  it('one closes its socket when the person signs out in the other', async () => {
    const [here, there] = [await start(await storage()), await start(await storage())];
    const Cookie = await there.signIn();
    const client = await join(here, { Cookie });
    await signOut(there, Cookie);
    const stopwatch = new Stopwatch();
    expect(await client.closed).toEqual({ code: 1008, reason: 'signed-out' });
    expect(stopwatch.stop()).toBeLessThan(within);
  });

  it('one closes its socket when the session gets another id in the other', async () => {
    const [here, there] = [await start(await storage()), await start(await storage())];
    const Cookie = await there.signIn();
    const client = await join(here, { Cookie });
    const renewed = await there.signIn(Cookie);
    expect(await client.closed).toEqual({ code: 1012, reason: 'replaced' });
    const again = await join(here, { Cookie: renewed });
    expect(await again.ask('edit', 'a')).toEqual({ event: 'edited', data: 'active' });
  });

  it('none lets in a socket with the cookie of a session that has ended', async () => {
    const [here, there] = [await start(await storage()), await start(await storage())];
    const Cookie = await there.signIn();
    await page(here, Cookie).expect(200);
    await signOut(there, Cookie);
    for (const app of [here, there]) {
      const client = await open(app, { Cookie });
      client.send('edit', 'a');
      expect(await client.closed).toEqual({ code: 1008, reason: 'signed-out' });
      expect(app.gateway.handled).toEqual([]);
    }
  });
});

it('A silent socket is closed when its time is up, by the real clock', async () => {
  const app = await start({}, { idleTimeout: '2s', warnBefore: false });
  const Cookie = await app.signIn();
  const client = await join(app, { Cookie });
  const stopwatch = new Stopwatch();
  expect(await client.closed).toEqual({ code: 1008, reason: 'idle' });
  expect(stopwatch.stop()).toBeLessThan(2 * SECOND + 2 * SECOND + SLACK);
});
