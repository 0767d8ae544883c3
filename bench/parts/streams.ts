import { setTimeout as delay } from 'node:timers/promises';
import { RedisServer } from '../../test/support/redis-server.js';
import { AskedProcess } from '../support/asked-process.js';
import { startRedis } from '../support/redis.js';
import { number, type Report } from '../support/report.js';
import type { StreamsAnswers, StreamsOptions } from '../support/streams-main.js';
import type { LongestTurns } from '../support/turn-meter.js';
import type { Told, Visitors, VisitorsAnswers } from '../support/visitors-main.js';

const GOAL_MS = 50;
/** Between the end and the last word of it: `syncInterval` and a second. */
const TOLD_WITHIN_MS = 2000;
/** What is open in Node.js itself, and to Redis. */
const OTHER_FILES = 500;
/** Opened and signed out before anything is measured, so that what is compiled and cached is there. */
const WARM_UP = 500;
/** How long it may take to sign one person in, and to open what is theirs, on a busy machine. */
const OPENING_MS = 4;

type App = AskedProcess<StreamsAnswers>;
type Memory = Awaited<ReturnType<StreamsAnswers['memory']>>;

interface Way {
  readonly how: string;
  readonly byClock: boolean;
  readonly hasSubscriber: boolean;
}

const WAYS: readonly Way[] = [
  { how: 'their time was up', byClock: true, hasSubscriber: false },
  { how: 'signed out in the other process', byClock: false, hasSubscriber: false },
  { how: 'the same, with a subscriber', byClock: false, hasSubscriber: true },
];

interface Result {
  readonly way: Way;
  readonly told: Told;
  readonly lastMs: number;
  /** Sessions whose end was decided never, or more than once. */
  readonly miscounted: number;
  /** What follows is of each of both processes. */
  readonly longestTurns: readonly LongestTurns[];
  readonly before: readonly Memory[];
  readonly open: readonly Memory[];
  readonly after: readonly Memory[];
  readonly stillHeld: number;
}

/** Whether all that is open is told when very many sessions end at once, and what that costs two processes. */
export async function run({ sessions = 10_000 }): Promise<Report> {
  const sockets = Math.floor(sessions / 2);
  checkOpenFiles(sessions + sockets);
  try {
    const results: Result[] = [];
    for (const way of WAYS) results.push(await measure(way, sessions, sockets));
    return report(results, sessions, sockets);
  } finally {
    await RedisServer.stopAll();
  }
}

/** @throws {Error} where the system does not let the visitors have so many connections */
function checkOpenFiles(connections: number): void {
  const needed = connections + OTHER_FILES;
  const { userLimits } = process.report.getReport() as unknown as {
    userLimits: { open_files: { hard: number | 'unlimited' } };
  };
  const { hard } = userLimits.open_files;
  // Node.js itself takes as many as it may.
  if (hard !== 'unlimited' && hard < needed)
    throw new Error(
      `The part streams needs \`ulimit -Hn\` of ${needed}, and it is ${hard}; fewer with --sessions`,
    );
}

async function measure(way: Way, streams: number, sockets: number): Promise<Result> {
  const { server } = await startRedis();
  const options: StreamsOptions = {
    redisUrl: server.url,
    prefix: 'streams:',
    hasSubscriber: way.hasSubscriber,
  };
  const start = () => AskedProcess.start<StreamsAnswers>('streams-main.js', options);
  const apps = [await start(), await start()] as const;
  const visitors = await AskedProcess.start<VisitorsAnswers>('visitors-main.js', null);
  try {
    const socketPaths = [await apps[0].ask('socketPath'), await apps[1].ask('socketPath')] as const;
    const open = async (all: Visitors, dueAt: number | null) => {
      await apps[0].ask('signIn', { count: all.streams, from: all.from, dueAt });
      await visitors.ask('open', all);
    };
    const warmUp = { socketPaths, from: streams, streams: WARM_UP, sockets: WARM_UP };
    await open(warmUp, null);
    await visitors.ask('signOut', warmUp);
    await visitors.ask('allClosed', null);

    const measured = { socketPaths, from: 0, streams, sockets };
    const dueAt = way.byClock ? Date.now() + 10_000 + streams * OPENING_MS : null;
    const before = await memoryOf(apps);
    await open(measured, dueAt);
    const whenOpen = await memoryOf(apps);
    if (dueAt !== null && Date.now() > dueAt) throw new Error('Opening all took too long');
    await Promise.all(apps.map((app) => app.ask('begin')));
    if (dueAt === null) await visitors.ask('signOut', measured);
    await visitors.ask('allClosed', dueAt);
    // One word too many would come now.
    await delay(3000);
    const results = await Promise.all(apps.map((app) => app.ask('result')));
    const told = await visitors.ask('told');
    const after = await memoryOf(apps);
    const held = await Promise.all(apps.map((app) => app.ask('holds')));
    return {
      way,
      told,
      lastMs: dueAt === null ? told.longestMs : told.lastAt - dueAt,
      miscounted: miscounted(
        results.flatMap(({ decided }) => decided),
        streams,
      ),
      longestTurns: results.map(({ turns }) => turns),
      before,
      open: whenOpen,
      after,
      stillHeld: held[0]! + held[1]!,
    };
  } finally {
    await Promise.all([...apps, visitors].map((process) => process.stop()));
  }
}

const runningMs = ({ allMs, runningMs: running }: LongestTurns) => running ?? allMs;

function memoryOf(apps: readonly App[]): Promise<Memory[]> {
  return Promise.all(apps.map((app) => app.ask('memory')));
}

/** How many of so many sessions were not decided exactly once. */
function miscounted(decided: readonly string[], sessions: number): number {
  const distinct = new Set(decided).size;
  return sessions - distinct + (decided.length - distinct);
}

function report(results: readonly Result[], streams: number, sockets: number): Report {
  const all = `${number(streams)} streams and ${number(sockets)} sockets`;
  return {
    title: 'What is open when its session ends',
    goals: results.flatMap((result) => goalsOf(result, all)),
    tables: [
      {
        columns: [
          'Sessions ended',
          'Last told after, ms',
          'Longest turns, ms',
          'Of that running, ms',
          'Said',
        ],
        rows: results.map(({ way, lastMs, longestTurns, told }) => [
          way.how,
          number(lastMs),
          longestTurns.map(({ allMs }) => number(allMs)).join(', '),
          longestTurns.map(runningMs).map(number).join(', '),
          Object.entries(told.words)
            .map(([word, times]) => `${word} ${number(times)}`)
            .join(', '),
        ]),
      },
      {
        columns: ['Sessions ended', 'Heap before, open, after: MB', 'Resident, MB'],
        rows: results.flatMap(({ way, before, open, after }) =>
          before.map((_, index) => {
            const of = (what: keyof Memory) =>
              [before, open, after].map((when) => number(when[index]![what] / 1e6)).join(', ');
            return [`${way.how}, process ${index + 1}`, of('heap'), of('rss')];
          }),
        ),
      },
    ],
    notes: [
      `${all}, over two processes: half of the sessions have a stream in one process and a socket in the other. Turns include the garbage collector. Running is what is left of a turn without waiting for a processor that something else uses; the goal goes by that, where the system tells it.`,
      'Told after: after the deadline, or after the sign-out was answered. The heap is that after a garbage collection.',
    ],
  };
}

function goalsOf(result: Result, all: string): Report['goals'] {
  const { way, told, lastMs, miscounted: wrong, longestTurns, stillHeld } = result;
  const goal = (what: string, target: number, measured: number, unit?: string) => ({
    what: `${all}, ${way.how}: ${what}`,
    is: 'at most' as const,
    target,
    measured,
    ...(unit && { unit }),
  });
  const grown = Math.max(
    ...result.after.map(({ heap }, index) => {
      const before = result.before[index]!.heap;
      return (heap - before) / (result.open[index]!.heap - before);
    }),
  );
  return [
    goal('not told, told twice, or anything after that', 0, told.never + told.twice + told.later),
    goal('sessions without exactly one event that counts', 0, wrong),
    goal('longest turn of the event loop', GOAL_MS, Math.max(...longestTurns.map(runningMs)), 'ms'),
    goal('time until the last is told', TOLD_WITHIN_MS, lastMs, 'ms'),
    goal('still held afterwards', 0, stillHeld),
    goal('share of the heap that is not given back', 0.1, grown),
  ];
}
