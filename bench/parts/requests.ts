import { RedisServer } from '../../test/support/redis-server.js';
import { closeApps } from '../support/app.js';
import { measure, TIMED_MS, type Measured, type Subject } from '../support/blocks.js';
import { LoadProcess } from '../support/load-process.js';
import { CommandCounter } from '../support/redis-meter.js';
import { startRedis } from '../support/redis.js';
import { inWords, number, type Goal, type Report } from '../support/report.js';
import { median, ratio, sum, type Estimate } from '../support/statistics.js';
import { NAMES, startVariants, type Variant } from '../support/variants.js';

type Name = (typeof NAMES)[keyof typeof NAMES];

const CONNECTIONS = [16, 1] as const;
/** Commands are counted for so long, which is many batches of what is sent later. */
const COUNTED_MS = 10 * TIMED_MS;

/** Requests a second, CPU and Redis commands of every variant, as ratios to what most apps have today. */
export async function run({ cycles = 60, sessions = 10_000 }): Promise<Report> {
  const { server, admin, socketPath } = await startRedis();
  const load = new LoadProcess();
  try {
    const { variants, missing } = await startVariants(server, sessions);
    // Every session twice: the first request starts a session's record, which changes it; from the second on, all
    // that an app remembers of it is there.
    for (const variant of variants) {
      await load.eachOnce({ ...variant, connections: 16 });
      await load.eachOnce({ ...variant, connections: 16 });
    }

    const commands = new Map<string, CommandsARequest>();
    for (const variant of variants)
      commands.set(variant.name, await commandsOf(variant, load, socketPath));
    const many = await measure({ load, admin }, variants, 16, cycles);
    const one = await measure({ load, admin }, variants, 1, cycles);
    return report(new Results(byName(many), byName(one), commands), missing);
  } finally {
    load.stop();
    await closeApps();
    await RedisServer.stopAll();
  }
}

interface CommandsARequest {
  /** By name, as clients sent them. */
  readonly sent: ReadonlyMap<string, number>;
  /** Those that scripts called, too. */
  readonly executed: number;
}

async function commandsOf(
  { socketPath, sessions, prefix }: Variant,
  load: LoadProcess,
  redisSocketPath: string,
): Promise<CommandsARequest> {
  const counter = await CommandCounter.start(redisSocketPath);
  const job = { socketPath, sessions, connections: 16, leadInMs: COUNTED_MS, timedMs: COUNTED_MS };
  const { requests } = await load.forAWhile(job, () => counter.reset());
  const { sent, executed } = counter.stop(prefix);
  return {
    sent: new Map(Array.from(sent, ([name, count]) => [name, count / requests])),
    executed: executed / requests,
  };
}

function byName(measured: ReadonlyMap<Subject, Measured>): Map<string, Measured> {
  return new Map(Array.from(measured, ([{ name }, result]) => [name, result]));
}

class Results {
  constructor(
    private readonly many: ReadonlyMap<string, Measured>,
    private readonly one: ReadonlyMap<string, Measured>,
    private readonly commands: ReadonlyMap<string, CommandsARequest>,
  ) {}

  get names(): string[] {
    return [...this.many.keys()];
  }

  medianRate(name: Name, connections: 16 | 1): number {
    return median(this.measured(connections).get(name)?.rates ?? []);
  }

  rate(name: string, reference: Name, connections: 16 | 1): Estimate | undefined {
    const measured = this.measured(connections);
    const [values, references] = [measured.get(name)?.rates, measured.get(reference)?.rates];
    return values && references && ratio(values, references);
  }

  perRequest(name: string, what: 'appCpuUs' | 'redisCpuUs'): number {
    return this.many.get(name)?.perRequest(what) ?? NaN;
  }

  commandsSent(name: string): number | undefined {
    const counts = this.commands.get(name)?.sent;
    return counts && sum([...counts.values()]);
  }

  commandsExecuted(name: string): number {
    return this.commands.get(name)?.executed ?? NaN;
  }

  commandNames(name: string): string {
    const sent = Array.from(this.commands.get(name)?.sent ?? []);
    return sent.map(([command, count]) => `${command} ${count.toFixed(2)}`).join(', ') || '0';
  }

  private measured(connections: 16 | 1): ReadonlyMap<string, Measured> {
    return connections === 16 ? this.many : this.one;
  }
}

function report(results: Results, missing: readonly string[]): Report {
  const rows = results.names.map((name) => [
    name,
    ...CONNECTIONS.map((connections) => inWords(results.rate(name, NAMES.base, connections)!)),
    number(results.perRequest(name, 'appCpuUs')),
    number(results.perRequest(name, 'redisCpuUs')),
    results.commandNames(name),
    number(results.commandsExecuted(name)),
  ]);
  return {
    title: 'Requests',
    goals: goals(results),
    tables: [
      {
        columns: [
          'Variant',
          '16 connections',
          '1 connection',
          'App CPU, µs a request',
          'Redis CPU, µs a request',
          'Commands a request, as sent',
          'With those in scripts',
        ],
        rows,
      },
    ],
    notes: [
      'base: a no-op guard, express-session with `resave: false, saveUninitialized: false`, and connect-redis. Connections: requests a second as a ratio to the base.',
      'Ours have their Redis client set up as docs/redis.md says: without a queue, and so without a time limit for each command in it. What that alone gives is in the rows of the base set up so, and of ours with defaults.',
      `The base answered ${number(results.medianRate(NAMES.base, 16))} requests a second over 16 connections, ${number(results.medianRate(NAMES.base, 1))} over one.`,
      ...missing.map((which) => `Not measured, as it does not start: ${which}`),
    ],
  };
}

function goals(results: Results): Goal[] {
  const { base, interceptor, lastSeen, redis, caching } = NAMES;
  const rates: [name: Name, reference: Name, connections: 16 | 1, target: number][] = [
    [redis, base, 16, 0.95],
    [redis, base, 1, 1.15],
    [redis, lastSeen, 16, 1.08],
    [redis, interceptor, 16, 1.05],
    [caching, base, 16, 1.25],
    [caching, base, 1, 1.8],
    [NAMES.memory, NAMES.memoryBase, 16, 0.97],
    [NAMES.memory, NAMES.memoryBase, 1, 0.97],
  ];
  const commands: [name: Name, target: number][] = [
    [redis, 1.1],
    [caching, 0.15],
  ];
  return [
    ...rates.map(([name, reference, connections, target]): Goal => ({
      what: `${name}, against ${reference}, ${connections === 1 ? '1 connection' : '16 connections'}`,
      is: 'at least',
      target,
      measured: results.rate(name, reference, connections),
    })),
    ...commands.map(([name, target]): Goal => ({
      what: `${name}: commands a request`,
      is: 'at most',
      target,
      measured: results.commandsSent(name),
    })),
    {
      what: `${redis}: Redis CPU a request, against ${base}`,
      is: 'at most',
      target: 0.7,
      measured: results.perRequest(redis, 'redisCpuUs') / results.perRequest(base, 'redisCpuUs'),
    },
  ];
}
