import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { SECOND } from '../support/durations.js';
import { OpenStream } from '../support/open-stream.js';
import { Stopwatch } from '../support/stopwatch.js';
import { createRedisApp, type RedisApp, type RedisAppOptions } from '../support/redis-app.js';
import { RedisServer } from '../support/redis-server.js';
import { openedStream, StreamsController } from '../support/streams-controller.js';
import { SHORT_STORAGE_TIMEOUT } from '../support/short-storage-timeout.js';
import { until } from '../support/until.js';

let sessions: RedisServer;
let activity: RedisServer;
const apps: RedisApp[] = [];

beforeEach(async () => {
  StreamsController.reset();
  [sessions, activity] = [await RedisServer.start(), await RedisServer.start()];
});
afterEach(async () => {
  OpenStream.leaveAll();
  activity.thaw();
  await Promise.all(apps.splice(0).map((app) => app.close()));
  await RedisServer.stopAll();
});

/** A process whose activity is on a Redis of its own. */
async function start(options: RedisAppOptions['options']): Promise<RedisApp> {
  const app = await createRedisApp(sessions, {
    activity,
    options,
    storage: (client) => new RedisActivityStorage(client),
    metadata: { controllers: [StreamsController] },
  });
  apps.push(app);
  return app;
}

const page = ({ ask }: RedisApp, cookie: string) => ask.get('/page').set('Cookie', cookie);

/** Reasons and causes of the ends that apps are told. */
const ends = () =>
  apps.flatMap(({ events }) =>
    events.flatMap((event) => ('reason' in event ? [`${event.reason} ${event.cause}`] : [])),
  );

it('A stream past its deadline closes while Redis hangs, however long an answer may take', async () => {
  const one = await start({
    idleTimeout: '8s',
    warnBefore: false,
    storageTimeout: '30s',
  });
  const stream = await openedStream(one.app, '/events', await one.signIn());
  const stopwatch = new Stopwatch();
  activity.freeze();
  expect(await stream.end()).toBe('whole');
  expect(stopwatch.stop()).toBeLessThan(20 * SECOND);
  expect(stream.received).not.toContain('session-ended');
  expect(ends()).toEqual([]);
  activity.thaw();
  await until('the end is told', () => ends().length > 0);
  expect(ends()).toEqual(['idle clock']);
});

describe.each<[string, () => void | Promise<void>, () => void | Promise<void>]>([
  ['is stopped', () => activity.kill(), () => activity.launch()],
  ['hangs', () => activity.freeze(), () => activity.thaw()],
])('With onStorageError "allow", while the Redis of the activity %s,', (_, begin, end) => {
  const startTwo = async () => {
    const options = { onStorageError: 'allow', storageTimeout: SHORT_STORAGE_TIMEOUT } as const;
    return [await start(options), await start(options)] as const;
  };

  it('a sign-out ends the streams of its process, and those of others once Redis is back', async () => {
    const [one, two] = await startTwo();
    const ada = await one.signIn();
    const [here, there] = [
      await openedStream(one.app, '/events', ada),
      await openedStream(two.app, '/events', ada),
    ];
    await begin();
    await one.ask.post('/idle-session/sign-out').set('Cookie', ada).expect(204);
    await here.end();
    expect(here.received).toContain('"reason":"signed-out"');
    expect([there.outcome, ends()]).toEqual([undefined, []]);
    await end();
    await there.end();
    expect(there.received).toContain('"reason":"signed-out"');
    await until('both are told', () => ends().length > 1);
    expect(ends().sort()).toEqual(['signed-out elsewhere', 'signed-out request']);
  });

  it('a stream does not outlive a session that begins then', async () => {
    const [one, two] = await startTwo();
    await begin();
    const ada = await one.signIn();
    const stream = await openedStream(two.app, '/events', ada);
    await end();
    // Redis may still be asked to start the record; if not, the stream ends, and this request has it started.
    await until('it is there', async () => 'server-timing' in (await page(one, ada)).headers);
    await one.ask.post('/idle-session/sign-out').set('Cookie', ada).expect(204);
    expect(await stream.end()).toBe('whole');
  });
});
