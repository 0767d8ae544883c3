import { RedisServer } from '../../test/support/redis-server.js';
import { noopGuard, closeApps, listen, plainSession } from '../support/app.js';
import { ask, type Answer } from '../support/ask.js';
import { oursOnRedis } from '../support/ours.js';
import { startRedis } from '../support/redis.js';
import { number, type Report } from '../support/report.js';
import { cookieOf, fill } from '../support/sessions.js';
import { quantile } from '../support/statistics.js';
import { RedisStore } from 'connect-redis';

const AT_ONCE = 200;
const GIVE_UP_MS = 5000;
const GOAL_MS = 1000;

const OUTAGES = {
  stopped: (server: RedisServer) => server.kill(),
  frozen: (server: RedisServer) => server.freeze(),
} as const;
type Outage = keyof typeof OUTAGES;

const KINDS = ['base', 'ours'] as const;
type Kind = (typeof KINDS)[number];

interface Result {
  readonly outage: Outage;
  readonly kind: Kind;
  readonly alone: Answer;
  readonly many: readonly Answer[];
}

/** How long people wait for an answer while Redis is away. */
export async function run(): Promise<Report> {
  const results: Result[] = [];
  for (const outage of Object.keys(OUTAGES) as Outage[])
    for (const kind of KINDS) results.push(await during(outage, kind));
  return report(results);
}

async function during(outage: Outage, kind: Kind): Promise<Result> {
  const { server } = await startRedis();
  try {
    const client = await server.client();
    const store = new RedisStore({ client });
    await fill(store, AT_ONCE);
    const { socketPath } =
      kind === 'ours'
        ? await listen({ imports: [oursOnRedis({ client, prefix: 'ours:', store })] })
        : await listen({ providers: [noopGuard] }, plainSession({ store }));
    const page = (index: number) => ask(socketPath, 'GET /page', cookieOf(index), GIVE_UP_MS);
    const all = () => Promise.all(Array.from({ length: AT_ONCE }, (_, index) => page(index)));
    // Everybody has been here, so the app knows what it can know.
    await all();
    await OUTAGES[outage](server);
    return { outage, kind, alone: await page(0), many: await all() };
  } finally {
    server.thaw();
    await closeApps();
    await RedisServer.stopAll();
  }
}

function report(results: readonly Result[]): Report {
  const times = (answers: readonly Answer[]) => answers.map(({ afterMs }) => afterMs);
  const worst = (answers: readonly Answer[]) => Math.max(...times(answers));
  const milliseconds = (value: number) =>
    value >= GIVE_UP_MS ? `none in ${number(GIVE_UP_MS)}` : number(value);
  return {
    title: 'Redis away',
    goals: results
      .filter(({ kind }) => kind === 'ours')
      .flatMap(({ outage, alone, many }) => {
        const goal = (what: string, answers: readonly Answer[]) => ({
          what: `Redis ${outage}, ${what}: slowest 503`,
          is: 'at most' as const,
          target: GOAL_MS,
          unit: 'ms',
          measured: answers.every(({ status }) => status === 503) ? worst(answers) : undefined,
        });
        return [goal('one request', [alone]), goal(`${AT_ONCE} at once`, many)];
      }),
    tables: [
      {
        columns: [
          'Redis is',
          'App',
          'Alone, ms',
          `${AT_ONCE} at once, median, ms`,
          'Slowest, ms',
          'Statuses',
        ],
        rows: results.map(({ outage, kind, alone, many }) => [
          outage,
          kind,
          milliseconds(alone.afterMs),
          milliseconds(quantile(times(many), 0.5)),
          milliseconds(worst(many)),
          [...new Set([alone, ...many].map(({ status }) => status ?? 'none'))].join(', '),
        ]),
      },
    ],
    notes: ['`storageTimeout` is the default, 1 s.'],
  };
}
