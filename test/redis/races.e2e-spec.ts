import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RedisStore } from 'connect-redis';
import type { SessionData } from 'express-session';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { createRedisApp, type RedisApp, type RedisAppOptions } from '../support/redis-app.js';
import { Gate } from '../support/gate.js';
import { sessionIdOf } from '../support/cookies.js';
import { changeRecords, passTime, recordsOf } from '../support/activity-records.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { MINUTE } from '../support/test-app.js';

const TRIALS = 50;

let redis: RedisServer;
let admin: RedisClient;
let one: RedisApp;
let two: RedisApp;
beforeAll(async () => {
  redis = await RedisServer.start();
  admin = await redis.client();
});
afterAll(() => RedisServer.stopAll());
beforeEach(async () => {
  await admin.flushAll();
  [one, two] = await Promise.all([createRedisApp(redis), createRedisApp(redis)]);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((app) => app.close()));
  await Promise.all([one?.close(), two?.close()]);
});

const opened: RedisApp[] = [];
async function another(options: RedisAppOptions): Promise<RedisApp> {
  const app = await createRedisApp(redis, options);
  opened.push(app);
  return app;
}

const inTrials = async (trial: (index: number) => Promise<void>) => {
  for (let done = 0; done < TRIALS; done += 10)
    await Promise.all(Array.from({ length: 10 }, (_, index) => trial(done + index)));
};

const storedSession = (cookie: string) => admin.get(`sess:${sessionIdOf(cookie)}`);

/** Makes it so late that so many milliseconds are left to the session. */
async function expireIn(cookie: string, milliseconds: number): Promise<void> {
  const { body } = await one.ask.get('/idle-session/status').set('Cookie', cookie).expect(200);
  const later = milliseconds - body.expiresInMs;
  await changeRecords(admin, undefined, (ref, record) =>
    ref === body.sessionRef
      ? {
          ...record,
          startedAt: record.startedAt + later,
          lastActivityAt: record.lastActivityAt + later,
        }
      : undefined,
  );
}

async function expectOut(cookie: string): Promise<void> {
  // Before anybody asks for it: what is found then is removed then.
  expect(await storedSession(cookie)).toBeNull();
  const [member, visitor] = await Promise.all([
    one.ask.get('/members').set('Cookie', cookie),
    two.ask.get('/exempt').set('Cookie', cookie),
  ]);
  expect(member.status).toBe(401);
  expect(visitor.body.user).toBeNull();
}

/** A request that has begun and been let in, and waits for its gate to open. */
async function slowly(app: RedisApp, kind: 'read' | 'write', cookie: string) {
  const gate = new Gate();
  const answer = app.ask.post(`/slow/${kind}?gate=${gate.name}`).set('Cookie', cookie);
  const slow = answer.expect(200).then(() => {});
  await gate.reached;
  return { gate, slow };
}

/** Each trial with another order of the two; in every third, what ends the session is over before the slow one goes on. */
async function behind<T>(trial: number, gate: Gate, end: () => Promise<T>): Promise<T> {
  if (trial % 3 === 0) {
    const result = await end();
    gate.open();
    return result;
  }
  setTimeout(gate.open, trial % 7);
  return end();
}

describe('A slow request that writes to the session', () => {
  it.each(['/sign-out', '/idle-session/sign-out'])(
    'does not undo a sign-out at %s, whichever of the two comes first',
    async (path) => {
      await inTrials(async (trial) => {
        const cookie = await one.signIn();
        const { gate, slow } = await slowly(one, 'write', cookie);
        const app = trial % 2 === 0 ? one : two;
        await behind(trial, gate, () =>
          app.ask
            .post(path)
            .set('Cookie', cookie)
            .expect(204)
            .then(() => {}),
        );
        await slow;
        await expectOut(cookie);
      });
    },
  );

  it('does not bring back the id that was replaced meanwhile', async () => {
    await inTrials(async (trial) => {
      const old = await one.signIn();
      const { gate, slow } = await slowly(one, 'write', old);
      const renewed = await behind(trial, gate, () => (trial % 2 === 0 ? one : two).signIn(old));
      await slow;
      await expectOut(old);
      expect(sessionIdOf(renewed)).not.toBe(sessionIdOf(old));
      await one.ask.get('/members').set('Cookie', renewed).expect(200);
    });
  });

  it('leaves nothing behind when the sign-out comes while the store is already writing', async () => {
    const gate = new Gate();
    const app = await another({ store: (client) => new SlowToWrite({ client, gate }) });
    const cookie = await one.signIn();
    const write = app.ask.post('/page').set('Cookie', cookie).expect(200);
    const written = write.then(() => {});
    await gate.reached;
    await one.ask.post('/sign-out').set('Cookie', cookie).expect(204);
    gate.open();
    await written;
    await expectOut(cookie);
  });

  it('is not even sent to the store after a sign-out', async () => {
    const written: string[] = [];
    const app = await another({ store: (client) => new RecordsWrites({ client, written }) });
    const cookie = await one.signIn();
    const { gate, slow } = await slowly(app, 'write', cookie);
    await one.ask.post('/sign-out').set('Cookie', cookie).expect(204);
    gate.open();
    await slow;
    expect(written).toEqual([]);
    await expectOut(cookie);
  });

  it('does not give an expired session another life', async () => {
    const cookie = await one.signIn();
    const { gate, slow } = await slowly(one, 'write', cookie);
    await passTime(admin, 15 * MINUTE);
    gate.open();
    await slow;
    const { body } = await one.ask.get('/page').set('Cookie', cookie).expect(401);
    expect(body.reason).toBe('idle');
    await expectOut(cookie);
  });

  it('keeps what it wrote, and all others wrote before it began, if nobody signed out', async () => {
    const cookie = await one.signIn();
    await two.ask.post('/page').set('Cookie', cookie).send({ note: 'first' }).expect(200);
    const gate = new Gate();
    gate.open();
    await one.ask.post(`/slow/write?gate=${gate.name}`).set('Cookie', cookie).expect(200);
    expect(JSON.parse((await storedSession(cookie)) ?? '')).toMatchObject({
      user: 'ada',
      note: 'written late',
    });
  });
});

it('A slow request that only reads brings back nothing, either', async () => {
  await inTrials(async (trial) => {
    const cookie = await one.signIn();
    const { gate, slow } = await slowly(one, 'read', cookie);
    await behind(trial, gate, () => two.ask.post('/sign-out').set('Cookie', cookie).expect(204));
    await slow;
    await expectOut(cookie);
  });
});

describe('Activity', () => {
  const lastActivity = async () => {
    const [record, ...others] = (await recordsOf(admin)).values();
    expect(others).toEqual([]);
    return record!.lastActivityAt;
  };

  it('is not moved back by a slow request behind a newer heartbeat', async () => {
    const cookie = await one.signIn();
    const { gate, slow } = await slowly(one, 'write', cookie);
    await delay(20);
    await two.ask
      .post('/idle-session/heartbeat')
      .set('Cookie', cookie)
      .send({ idleForMs: 0 })
      .expect(200);
    const newest = await lastActivity();
    gate.open();
    await slow;
    expect(await lastActivity()).toBe(newest);
  });

  it('is not moved back by a touch that arrives late', async () => {
    const gate = new Gate();
    const app = await another({ storage: (client) => new SlowToTouch(client, gate) });
    const cookie = await one.signIn();
    const late = app.ask
      .get('/page')
      .set('Cookie', cookie)
      .expect(200)
      .then(() => {});
    await gate.reached;
    await delay(20);
    await one.ask.get('/page').set('Cookie', cookie).expect(200);
    const newest = await lastActivity();
    gate.open();
    await late;
    expect(await lastActivity()).toBe(newest);
  });

  it('is when it was, however late the touch arrives', async () => {
    const gate = new Gate();
    const app = await another({ storage: (client) => new SlowToTouch(client, gate) });
    const cookie = await one.signIn();
    await passTime(admin, 10 * MINUTE);
    const before = await lastActivity();
    const late = app.ask
      .get('/page')
      .set('Cookie', cookie)
      .expect(200)
      .then(() => {});
    await gate.reached;
    await delay(300);
    gate.open();
    await late;
    const [seconds] = await admin.sendCommand<string[]>(['TIME']);
    expect(await lastActivity()).toBeGreaterThan(before + 9 * MINUTE);
    expect(await lastActivity()).toBeLessThan((Number(seconds) + 1) * 1000 - 300);
  });

  it('is not moved back by a heartbeat of a tab that has been idle for longer', async () => {
    const cookie = await one.signIn();
    await passTime(admin, 10 * MINUTE);
    await one.ask.get('/page').set('Cookie', cookie).expect(200);
    const newest = await lastActivity();
    const { body } = await two.ask
      .post('/idle-session/heartbeat')
      .set('Cookie', cookie)
      .send({ idleForMs: 5 * MINUTE })
      .expect(200);
    expect(body.expiresInMs).toBeGreaterThan(14 * MINUTE);
    expect(await lastActivity()).toBe(newest);
  });
});

describe('Of many requests at the same time, in two apps,', () => {
  const events = (type: string) =>
    [...one.events, ...two.events].filter((event) => event.type === type);
  const everywhere = <T>(count: number, ask: (app: RedisApp, index: number) => PromiseLike<T>) =>
    Promise.all(
      Array.from({ length: count }, (_, index) => ask(index % 2 === 0 ? one : two, index)),
    );

  it('all are refused when the session has expired, and one event is emitted', async () => {
    const cookie = await one.signIn();
    await passTime(admin, 15 * MINUTE);
    const answers = await everywhere(40, (app, index) => {
      const path = ['/page', '/poll', '/members', '/status-of-mine'][index % 4]!;
      return app.ask.get(path).set('Cookie', cookie);
    });
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.reason}`))).toEqual(
      new Set(['401 idle']),
    );
    await until('it is told', () => events('expired').length > 0);
    expect(events('expired')).toHaveLength(1);
    expect(events('ended')).toEqual([]);
    expect(await storedSession(cookie)).toBeNull();
  });

  it('one signs out and the others find that it is done', async () => {
    const cookie = await one.signIn();
    await everywhere(20, (app) =>
      app.ask.post('/idle-session/sign-out').set('Cookie', cookie).expect(204),
    );
    expect(events('ended')).toHaveLength(1);
    await expectOut(cookie);
  });

  it('all are let in while the session is alive, and start nothing anew', async () => {
    const cookie = await one.signIn();
    await passTime(admin, 14 * MINUTE);
    await everywhere(40, (app) => app.ask.get('/members').set('Cookie', cookie).expect(200));
    expect(events('started')).toHaveLength(1);
    expect(events('expired')).toEqual([]);
  });

  it('none is let in any more once another was refused, however close to the deadline', async () => {
    const remaining = [0, 1, 2, 3, 4, 5, 6, 8, 12, MINUTE];
    let alive = 0;
    await inTrials(async (trial) => {
      const cookie = await one.signIn();
      const statuses = async (count: number) => {
        const answers = await everywhere(count, (app, index) =>
          app.ask.get(index % 3 === 0 ? '/poll' : '/page').set('Cookie', cookie),
        );
        return answers.map(({ status }) => status);
      };
      await expireIn(cookie, remaining[trial % remaining.length]!);
      const refused = (await statuses(6)).includes(401);
      expect(new Set(await statuses(4))).toEqual(new Set([refused ? 401 : 200]));
      if (!refused) alive++;
    });
    expect(alive).toBeGreaterThanOrEqual(TRIALS / remaining.length);
    expect(alive).toBeLessThan(TRIALS);
    expect(events('expired')).toHaveLength(TRIALS - alive);
  });
});

/** Takes sessions' changes, but writes them once the test lets it. */
class SlowToWrite extends RedisStore {
  private readonly gate: Gate;

  constructor({ gate, ...options }: ConstructorParameters<typeof RedisStore>[0] & { gate: Gate }) {
    super(options);
    this.gate = gate;
  }

  override async set(id: string, session: SessionData, done?: (error?: unknown) => void) {
    await this.gate.pass();
    return super.set(id, session, done);
  }
}

/** Takes down which sessions are written. */
class RecordsWrites extends RedisStore {
  private readonly written: string[];

  constructor({
    written,
    ...options
  }: ConstructorParameters<typeof RedisStore>[0] & { written: string[] }) {
    super(options);
    this.written = written;
  }

  override set(id: string, session: SessionData, done?: (error?: unknown) => void) {
    this.written.push(id);
    return super.set(id, session, done);
  }
}

/** Sends touches once the test lets it. */
class SlowToTouch extends RedisActivityStorage {
  constructor(
    client: ConstructorParameters<typeof RedisActivityStorage>[0],
    private readonly gate: Gate,
  ) {
    super(client);
  }

  override note() {
    return undefined;
  }

  override async touch(...activity: Parameters<RedisActivityStorage['touch']>) {
    await this.gate.pass();
    return super.touch(...activity);
  }
}
