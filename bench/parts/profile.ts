import { RedisServer } from '../../test/support/redis-server.js';
import { LoadProcess } from '../support/load-process.js';
import { timeByFile } from '../support/profile.js';
import { startRedis } from '../support/redis.js';
import { number, type Report } from '../support/report.js';
import { sum } from '../support/statistics.js';
import { VariantProcess } from '../support/variant-process.js';

const PER_SECOND = 1000;
const SECONDS = 20;
const GOAL_US = 12;

/** Packages that only we use. */
const OURS = /^(nestjs-idle-session: |lru-cache$|tinyqueue$)/;

/** Which files of ours spend how much of a request, by the profile of an app on Redis. */
export async function run({ sessions = 2000 }): Promise<Report> {
  const { server } = await startRedis();
  const load = new LoadProcess();
  const options = { redisUrl: server.url, prefix: 'profile:', sessions };
  const app = await VariantProcess.start('ours on Redis', options);
  try {
    const { socketPath } = app;
    const job = { socketPath, sessions, connections: 64, perSecond: PER_SECOND, leadInMs: 5000 };
    await load.eachOnce({ socketPath, sessions, connections: 16 });
    await load.forAWhile({ ...job, timedMs: 0 }, () => {});
    await app.ask('startProfile');
    const { answered } = await load.forAWhile(
      { ...job, leadInMs: 0, timedMs: SECONDS * 1000 },
      () => {},
    );
    const times = timeByFile(await app.ask('stopProfile'));
    const perRequest = Array.from(times, ([file, us]): [string, number] => [file, us / answered]);
    perRequest.sort(([, a], [, b]) => b - a);
    const own = perRequest.filter(([file]) => OURS.test(file));
    return {
      title: 'Profile',
      goals: [
        {
          what: `own JavaScript a request, at ${number(PER_SECOND)} a second`,
          is: 'at most',
          target: GOAL_US,
          unit: 'µs',
          measured: sum(own.map(([, us]) => us)),
        },
      ],
      tables: [
        { columns: ['File', 'µs a request'], rows: rowsOf(own) },
        {
          columns: ['Others', 'µs a request'],
          rows: rowsOf(perRequest.filter(([file]) => !OURS.test(file))),
        },
      ],
      notes: [
        'Of the main thread, by samples every millisecond. What Node.js does for a file counts as that file’s; collecting garbage has a row of its own.',
      ],
    };
  } finally {
    await app.stop();
    load.stop();
    await RedisServer.stopAll();
  }
}

function rowsOf(times: readonly [string, number][]): string[][] {
  return times.filter(([, us]) => us >= 0.1).map(([file, us]) => [file, number(us)]);
}
