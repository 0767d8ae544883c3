import { RedisServer, type RedisClient } from '../../test/support/redis-server.js';
import { LoadProcess } from '../support/load-process.js';
import { redisCpuUs, takeCommandCounts } from '../support/redis-meter.js';
import { startRedis } from '../support/redis.js';
import { measure, REGIMES, type Measured, type Regime } from '../support/regimes.js';
import { inWords, number, type Goal, type Report } from '../support/report.js';
import { median, ratio, sum, type Estimate } from '../support/statistics.js';
import { VariantProcess } from '../support/variant-process.js';
import { VARIANTS, type VariantName } from '../support/variants.js';

const BASE = 'base';
const INTERCEPTOR = 'base with a no-op interceptor';
const LAST_SEEN = '`lastSeen` written into the session';
const OURS = 'ours on Redis';
const CACHING = 'ours on Redis, client-side caching';
const ON_MEMORY = 'express-session on memory, no-op guard and interceptor';
const OURS_ON_MEMORY = 'ours on memory';

/** Of ours, longer than activity is collected for. */
const STEADY_MS = 40_000;
const STEADY_OF_OTHERS_MS = 5000;
const [OPEN_LOOP] = REGIMES;

/** CPU, requests a second and waiting times of every variant, as ratios to what most apps have today, and what Redis does. */
export async function run({ cycles = 11, sessions = 2000, only }: Options): Promise<Report> {
  const { server, admin } = await startRedis();
  const load = new LoadProcess();
  const variants: VariantProcess[] = [];
  try {
    const names = (Object.keys(VARIANTS) as VariantName[]).filter(
      (name) => !only || only.includes(name),
    );
    for (const [index, name] of names.entries())
      variants.push(
        await VariantProcess.start(name, { redisUrl: server.url, prefix: `${index}:`, sessions }),
      );
    // Twice: the first request starts a session's record, which changes it; and the compiler has its turn.
    for (const { socketPath } of [...variants, ...variants])
      await load.eachOnce({ socketPath, sessions, connections: 16 });

    const byRegime = new Map<Regime, Map<VariantProcess, Measured>>();
    for (const regime of REGIMES)
      byRegime.set(regime, await measure(load, variants, regime, cycles));
    const redis = new Map<string, RedisWork>();
    for (const variant of variants)
      redis.set(variant.name, await redisWorkOf(variant, load, admin));
    return report(new Results(byRegime, redis));
  } finally {
    await Promise.all(variants.map((variant) => variant.stop()));
    load.stop();
    await RedisServer.stopAll();
  }
}

interface Options {
  readonly cycles?: number;
  readonly sessions?: number;
  /** Measures these variants alone. */
  readonly only?: readonly string[];
}

/** What Redis did for a request. */
interface RedisWork {
  readonly cpuUs: number;
  readonly commands: ReadonlyMap<string, number>;
}

/** In a time of its own, so that all that was put off is in it. */
async function redisWorkOf(
  { name, socketPath, sessions }: VariantProcess,
  load: LoadProcess,
  admin: RedisClient,
): Promise<RedisWork> {
  await takeCommandCounts(admin);
  const before = await redisCpuUs(admin);
  const timedMs = name.startsWith('ours') ? STEADY_MS : STEADY_OF_OTHERS_MS;
  const job = { ...OPEN_LOOP, socketPath, sessions, leadInMs: 0, timedMs };
  const { answered } = await load.forAWhile(job, () => {});
  const cpuUs = (await redisCpuUs(admin)) - before;
  const counts = await takeCommandCounts(admin);
  const commands = Array.from(counts, ([name, calls]): [string, number] => [
    name,
    calls / answered,
  ]);
  return {
    cpuUs: cpuUs / answered,
    commands: new Map(commands.filter(([name]) => !/^(INFO|CONFIG)/.test(name))),
  };
}

class Results {
  constructor(
    private readonly byRegime: ReadonlyMap<Regime, ReadonlyMap<VariantProcess, Measured>>,
    readonly redis: ReadonlyMap<string, RedisWork>,
  ) {}

  get names(): string[] {
    return [...this.redis.keys()];
  }

  of(name: string, regime: Regime): Measured | undefined {
    const measured = this.byRegime.get(regime) ?? [];
    return Array.from(measured).find(([variant]) => variant.name === name)?.[1];
  }

  ratio(
    what: keyof Measured,
    name: string,
    reference: string,
    regime: Regime,
  ): Estimate | undefined {
    const [values, references] = [this.of(name, regime), this.of(reference, regime)];
    return values && references && ratio(values[what], references[what]);
  }

  commands(name: string): number {
    return sum([...(this.redis.get(name)?.commands.values() ?? [])]);
  }
}

function report(results: Results): Report {
  const tables = REGIMES.map((regime) => ({
    columns: [
      `${regime.name}: variant`,
      'CPU',
      'Rate',
      'p50',
      'p99',
      'CPU, µs a request',
      'p50, ms',
    ],
    rows: results.names.map((name) => [
      name,
      ...(['cpuUs', 'rates', 'p50Ms', 'p99Ms'] as const).map((what) =>
        inWords(results.ratio(what, name, BASE, regime)!),
      ),
      ...(['cpuUs', 'p50Ms'] as const).map((what) =>
        number(median(results.of(name, regime)?.[what] ?? [])),
      ),
    ]),
  }));
  return {
    title: 'Requests',
    goals: goals(results),
    tables: [
      ...tables,
      {
        columns: ['Variant', 'Redis CPU, µs a request', 'Commands a request', 'Which'],
        rows: results.names.map((name) => [
          name,
          number(results.redis.get(name)?.cpuUs ?? NaN),
          number(results.commands(name)),
          inOrder(results.redis.get(name)?.commands),
        ]),
      },
    ],
    notes: [
      'base: a no-op guard, express-session with `resave: false, saveUninitialized: false`, and connect-redis. CPU, rate, p50 and p99 are ratios to it.',
      'Every Redis client is set up as docs/redis.md says, without a queue and so without a time limit for each command in it; the rows “client with its defaults” have what node-redis does by itself.',
      `Commands, with those that scripts call, and Redis’s CPU are of ${STEADY_MS / 1000} s at 1,000 requests a second, for others than ours of ${STEADY_OF_OTHERS_MS / 1000} s.`,
    ],
  };
}

function inOrder(commands: ReadonlyMap<string, number> = new Map()): string {
  const named = Array.from(commands).filter(([, count]) => count >= 0.005);
  named.sort(([, a], [, b]) => b - a);
  return named.map(([name, count]) => `${name} ${count.toFixed(2)}`).join(', ') || '0';
}

function goals(results: Results): Goal[] {
  type Wanted = [what: keyof Measured, name: string, reference: string, Goal['is'], target: number];
  const everywhere: Wanted[] = [
    ['cpuUs', OURS, LAST_SEEN, 'at most', 0.95],
    ['cpuUs', OURS, INTERCEPTOR, 'at most', 1.03],
    ['rates', OURS, LAST_SEEN, 'at least', 1],
    ['p50Ms', OURS, LAST_SEEN, 'at most', 1],
    ['cpuUs', OURS_ON_MEMORY, ON_MEMORY, 'at most', 1.1],
  ];
  const openLoop: Wanted[] = [
    ['cpuUs', CACHING, OURS, 'at most', 0.9],
    ['p50Ms', CACHING, OURS, 'at most', 0.6],
  ];
  const names = { cpuUs: 'CPU', rates: 'rate', p50Ms: 'p50', p99Ms: 'p99' };
  const goal = ([what, name, reference, is, target]: Wanted, regime: Regime): Goal => ({
    what: `${names[what]} of ${name}, against ${reference}, ${regime.name}`,
    is,
    target,
    measured: results.ratio(what, name, reference, regime),
  });
  const redisCpu = (name: string) => results.redis.get(name)?.cpuUs ?? NaN;
  return [
    ...REGIMES.flatMap((regime) => everywhere.map((wanted) => goal(wanted, regime))),
    ...openLoop.map((wanted) => goal(wanted, OPEN_LOOP)),
    {
      what: `${OURS}: commands a request`,
      is: 'at most',
      target: 1.03,
      measured: results.commands(OURS),
    },
    {
      what: `${OURS}: Redis CPU a request, against ${BASE}`,
      is: 'at most',
      target: 0.6,
      measured: redisCpu(OURS) / redisCpu(BASE),
    },
  ];
}
