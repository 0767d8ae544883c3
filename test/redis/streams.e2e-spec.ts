import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BufferedApps, SLACK } from '../support/buffered-app.js';
import { SECOND } from '../support/durations.js';
import { OpenStream } from '../support/open-stream.js';
import { Stopwatch } from '../support/stopwatch.js';
import type { RedisApp } from '../support/redis-app.js';
import { openedStream, StreamsController } from '../support/streams-controller.js';

afterEach(() => OpenStream.leaveAll());
const apps = BufferedApps.forEachTest();
beforeEach(() => StreamsController.reset());

const metadata = { controllers: [StreamsController] };

/** Two processes: one signs people in and out, the other has their streams open. */
async function startTwo(syncInterval: number, idleTimeout: number): Promise<[RedisApp, RedisApp]> {
  const start = () => apps.start({ syncInterval }, { metadata, options: { idleTimeout } });
  return [await start(), await start()];
}

const opened = ({ app }: RedisApp, path: string, cookie: string) => openedStream(app, path, cookie);

/** How long the stream delivered after something happened; it pushes all the time. */
async function deliveredFor(stream: OpenStream, happen: () => PromiseLike<unknown>) {
  await happen();
  const stopwatch = new Stopwatch();
  for (let count = 0; stream.outcome === undefined; count++) {
    StreamsController.pushed.next(`data: ${count}\n\n`);
    await delay(20);
  }
  return stopwatch.stop();
}

describe('While a process stops, which waits for its streams, one ends with its session', () => {
  it.each<[string, (one: RedisApp, cookie: string) => PromiseLike<unknown>, number, string]>([
    [
      'that another process ends',
      (one, cookie) => one.ask.post('/idle-session/sign-out').set('Cookie', cookie).expect(204),
      500 + SECOND,
      'signed-out',
    ],
    ['whose time is up', async () => {}, 2500, 'idle'],
  ])('%s', (_, end, limit, reason) =>
    apps.undisturbed(async () => {
      const [one, two] = await startTwo(500, 2500);
      const ada = await one.signIn();
      const stream = await opened(two, '/events', ada);
      const stopped = two.close();
      await delay(100);
      expect(await deliveredFor(stream, () => end(one, ada))).toBeLessThan(limit + SLACK);
      expect(stream.received).toContain(`"reason":"${reason}"`);
      await stopped;
    }),
  );
});

describe('A stream ends with a session whose time is up', () => {
  it('by a timer of its own, while its pushes go on', () =>
    apps.undisturbed(async () => {
      const [one, two] = await startTwo(60_000, 2500);
      const ada = await one.signIn();
      const stream = await opened(two, '/events', ada);
      const took = await deliveredFor(stream, async () => {});
      expect(took).toBeLessThan(2500 + SLACK);
      expect(stream.received).toContain('"reason":"idle"');
    }));

  it('at the idle timeout of the process that had the last request, where the two differ', () =>
    apps.undisturbed(async () => {
      const start = (idleTimeout: number | '15m') =>
        apps.start({ syncInterval: 300 }, { metadata, options: { idleTimeout } });
      const [one, two] = [await start('15m'), await start(2500)];
      const ada = await one.signIn();
      const stream = await opened(two, '/events', ada);
      // So that the other process knows of that.
      await delay(1000);
      const other = await opened(one, '/events', ada);
      expect(await Promise.race([stream.end(), delay(4000, 'open')])).toBe('open');
      // Nobody was there for longer than this one takes.
      await two.ask.get('/page').set('Cookie', ada).expect(401);
      await Promise.all([stream.end(), other.end()]);
      for (const { received } of [stream, other]) expect(received).toContain('"reason":"idle"');
    }));
});
