import { describe, expect, it } from '@jest/globals';
import { RedisStore } from 'connect-redis';
import type { SessionData } from 'express-session';
import { IdleSessionService } from 'nestjs-idle-session';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { BufferedApps, page } from '../support/buffered-app.js';
import { sessionIdOf } from '../support/cookies.js';
import { Gate } from '../support/gate.js';
import { patient } from '../support/patient.js';
import type { RedisApp } from '../support/redis-app.js';

const apps = BufferedApps.forEachTest();

const rowOf = (cookie: string) => apps.admin.get(`sess:${sessionIdOf(cookie)}`);

/** A process that goes by what it knows for as long as it may, whose storage fails and whose store waits on demand. */
async function aProcess() {
  const control = { failsToLook: false, beforeWriting: undefined as Gate | undefined };

  class Storage extends RedisActivityStorage {
    override read(key: string, fresh?: boolean) {
      if (fresh && control.failsToLook) return Promise.reject(new Error('away for a moment'));
      return super.read(key, fresh);
    }
  }
  class SlowStore extends RedisStore {
    override async set(id: string, data: SessionData, done?: (error?: unknown) => void) {
      const gate = control.beforeWriting;
      control.beforeWriting = undefined;
      await gate?.pass();
      // From here on the session is being written, and nobody can look whether it has ended.
      if (gate) control.failsToLook = true;
      await super.set(id, data, done);
    }
  }
  const app = await apps.start(
    {},
    {
      store: (client) => new SlowStore({ client }),
      storage: (client) => patient(new Storage(client, { syncInterval: '20s' })),
    },
  );
  return { app, control };
}

const write = (app: RedisApp, cookie: string) =>
  app.ask.post('/page').set('Cookie', cookie).send({ note: 'late' });

/** A request that has been let in, and writes to its session once its gate opens. */
async function slowly(app: RedisApp, cookie: string) {
  const gate = new Gate();
  const slow = app.ask
    .post(`/slow/write?gate=${gate.name}`)
    .set('Cookie', cookie)
    .then(({ status }) => status);
  await gate.reached;
  return { gate, slow };
}

describe('A sign-out in another process', () => {
  it('is not undone by a save whose process goes by what it knows, and cannot look', async () => {
    const { app: one } = await aProcess();
    const { app: two, control } = await aProcess();
    const ada = await one.signIn();
    await page(two, ada).expect(200);
    const { gate, slow } = await slowly(two, ada);
    await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
    control.failsToLook = true;
    gate.open();
    await slow;
    expect(await rowOf(ada)).toBeNull();
    control.failsToLook = false;
    await two.ask.get('/members').set('Cookie', ada).expect(401);
  });

  it('is not undone by a save that is being written, although its process cannot look afterwards', async () => {
    const { app: one } = await aProcess();
    const { app: two, control } = await aProcess();
    const { app: three } = await aProcess();
    const ada = await one.signIn();
    for (const app of [two, three]) await page(app, ada).expect(200);
    const gate = new Gate();
    control.beforeWriting = gate;
    const slow = write(two, ada).then(({ status }) => status);
    await gate.reached;
    await one.ask.post('/sign-out').set('Cookie', ada).expect(204);
    gate.open();
    await slow;
    await page(two, ada).expect(503);
    control.failsToLook = false;
    for (const app of [three, two, one])
      await app.ask.get('/members').set('Cookie', ada).expect(401);
    expect(await rowOf(ada)).toBeNull();
  });
});

it('A person who is there stays signed in when nobody could look after a save', async () => {
  const { app: one, control } = await aProcess();
  const { app: two } = await aProcess();
  const ada = await one.signIn();
  const gate = new Gate();
  control.beforeWriting = gate;
  const slow = write(one, ada).then(({ status }) => status);
  await gate.reached;
  gate.open();
  await slow;
  control.failsToLook = false;
  for (const app of [one, two]) await page(app, ada).expect(200, { user: 'ada' });
  await one.ask.post('/page').set('Cookie', ada).send({ note: 'later' }).expect(200);
  expect(JSON.parse((await rowOf(ada))!)).not.toHaveProperty('__idleSessionUnconfirmed');
});

describe('A session that is deleted in the store', () => {
  it('does not come back when a request that is still running saves it', async () => {
    const { app: one } = await aProcess();
    const ada = await one.signIn();
    const { gate, slow } = await slowly(one, ada);
    await apps.admin.del(`sess:${sessionIdOf(ada)}`);
    gate.open();
    await slow;
    expect(await rowOf(ada)).toBeNull();
    const { body } = await one.ask.get('/members').set('Cookie', ada).expect(401);
    expect(body.reason).toBe('revoked');
    expect(one.events.slice(1)).toMatchObject([
      { type: 'ended', sessionRef: expect.any(String), reason: 'revoked' },
    ]);
    expect(one.log).toEqual([
      { level: 'warn', text: expect.stringMatching(/^The data of live session .* is gone from/) },
    ]);
    expect(one.log[0]!.text).not.toContain(sessionIdOf(ada));
  });

  it('does not come back either where the module does not guard it', async () => {
    const one = await apps.start({}, { options: { appliesTo: () => false } });
    const ada = await one.signIn();
    const { gate, slow } = await slowly(one, ada);
    await apps.admin.del(`sess:${sessionIdOf(ada)}`);
    gate.open();
    await slow;
    expect(await rowOf(ada)).toBeNull();
    await page(one, ada).expect(200, { user: null });
  });
});

describe('IdleSessionService.revoke()', () => {
  it('ends a session by its id in every process, also for a request that is still running', async () => {
    const [{ app: one }, { app: two }] = [await aProcess(), await aProcess()];
    const ada = await one.signIn();
    await page(two, ada).expect(200);
    const { gate, slow } = await slowly(two, ada);
    await one.app.get(IdleSessionService).revoke(sessionIdOf(ada));
    gate.open();
    await slow;
    expect(await rowOf(ada)).toBeNull();
    for (const app of [one, two]) {
      const { body } = await page(app, ada).expect(401);
      expect(body.reason).toBe('revoked');
    }
    expect([...one.events, ...two.events].filter(({ type }) => type === 'ended')).toHaveLength(1);
  });

  it('does nothing for an id that there is no session of', async () => {
    const { app: one } = await aProcess();
    await one.app.get(IdleSessionService).revoke('no session');
    expect(one.events).toEqual([]);
    expect(await apps.admin.keys('sess:*')).toEqual([]);
  });
});
