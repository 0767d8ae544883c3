import { RedisServer } from '../../test/support/redis-server.js';
import { closeApps, listen } from '../support/app.js';
import { measure, type Measured, type Subject } from '../support/blocks.js';
import { signIn } from '../support/known-sessions.js';
import { LoadProcess } from '../support/load-process.js';
import { oursOnRedis, PATIENT, SYNC_INTERVAL_MS } from '../support/ours.js';
import { SET_UP, startRedis } from '../support/redis.js';
import { inWords, number, type Report } from '../support/report.js';
import { median, ratio } from '../support/statistics.js';

const FEW = 1000;

/** What a request costs as the number of known sessions grows. */
export async function run({ cycles = 60, sessions = 1_000_000 }): Promise<Report> {
  const { server, admin } = await startRedis();
  const load = new LoadProcess();
  try {
    const known = async (count: number) => {
      const client = await server.client(SET_UP);
      const prefix = `${count}:`;
      const syncInterval = SYNC_INTERVAL_MS;
      const module = oursOnRedis({ client, prefix, syncInterval, options: PATIENT });
      const { app, socketPath } = await listen({ imports: [module] });
      await signIn(app, count);
      return socketPath;
    };
    const ofFew = { socketPath: await known(FEW), defers: true };
    const ofMany = { socketPath: await known(sessions), defers: true };
    const few: Subject = { ...ofFew, name: `${number(FEW)} known`, sessions: FEW };
    const someOfMany = {
      ...ofMany,
      name: `${number(sessions)} known, requests of ${number(FEW)}`,
      sessions: FEW,
    };
    const allOfMany = { ...ofMany, name: `${number(sessions)} known, requests of all`, sessions };
    const subjects = [few, someOfMany, allOfMany];
    for (const subject of [few, someOfMany]) await load.eachOnce({ ...subject, connections: 16 });

    const measured = await measure({ load, admin }, subjects, 16, cycles);
    const of = (subject: Subject): Measured => measured.get(subject)!;
    const cost = (subject: Subject) => ratio(of(subject).costsUs, of(few).costsUs);
    return {
      title: 'Many sessions',
      goals: [someOfMany, allOfMany].map((subject) => ({
        what: `CPU of app and Redis a request, ${subject.name}, against ${few.name}`,
        is: 'at most',
        target: 1.1,
        measured: cost(subject),
      })),
      tables: [
        {
          columns: ['Sessions', 'Rate', 'CPU', 'CPU, µs a request'],
          rows: subjects.map((subject) => [
            subject.name,
            inWords(ratio(of(subject).rates, of(few).rates)),
            inWords(cost(subject)),
            number(median(of(subject).costsUs)),
          ]),
        },
      ],
      notes: [
        'Rate and CPU are ratios to the first row; CPU is that of the app and of Redis together. Requests of all are mostly of sessions that this process has not seen for long, and asks Redis for.',
      ],
    };
  } finally {
    load.stop();
    await closeApps();
    await RedisServer.stopAll();
  }
}
