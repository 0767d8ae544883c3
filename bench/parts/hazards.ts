import { setTimeout as delay } from 'node:timers/promises';
import { RedisServer } from '../../test/support/redis-server.js';
import { ask } from '../support/ask.js';
import { DeskProcess } from '../support/desk-process.js';
import { KINDS, SLOW_MS, type Kind } from '../support/desk.js';
import { startRedis } from '../support/redis.js';
import { number, type Report } from '../support/report.js';
import { inChunks } from '../support/sessions.js';

/** Two processes on one Redis. */
interface Pair {
  readonly one: string;
  readonly two: string;
  readonly idleTimeoutMs: number;
  /** How long after the deadline, as the client sees it, requests are to arrive in the middle of it. */
  aimMs: number;
}

type Outcome = 'right' | 'accepted' | 'refused' | 'void';

interface Hazard {
  readonly name: string;
  readonly idleTimeoutMs: number;
  readonly clockSkewMs?: number;
  /** How many trials go on at once. */
  readonly atOnce: number;
  /** 'void': it did not come to the hazard, and is tried again. */
  readonly trial: (pair: Pair) => Promise<Outcome>;
}

/** How often what did not come to the hazard is tried again. */
const ROUNDS = 10;
const QUARTER_HOUR_MS = 15 * 60_000;
/** When the slow request has been let in, and is not done yet. */
const MEANWHILE_MS = SLOW_MS / 3;

const HAZARDS: readonly Hazard[] = [
  {
    name: 'sign-out during a slow writing request',
    idleTimeoutMs: QUARTER_HOUR_MS,
    atOnce: 10,
    async trial({ one, two }) {
      const cookie = await signIn(one);
      const slow = ask(one, 'POST /slow', cookie);
      await delay(MEANWHILE_MS);
      const { status } = await ask(two, 'POST /sign-out', cookie);
      if ((await slow).status !== 200 || status !== 204) return 'void';
      return (await isIn(two, cookie)) ? 'accepted' : 'right';
    },
  },
  {
    name: 'new session id during a slow writing request',
    idleTimeoutMs: QUARTER_HOUR_MS,
    atOnce: 10,
    async trial({ one, two }) {
      const old = await signIn(one);
      const slow = ask(one, 'POST /slow', old);
      await delay(MEANWHILE_MS);
      const renewed = await signIn(two, old);
      if ((await slow).status !== 200) return 'void';
      if (!(await isIn(one, renewed))) return 'refused';
      return (await isIn(two, old)) ? 'accepted' : 'right';
    },
  },
  {
    name: 'four readers and a sign-out at once',
    idleTimeoutMs: QUARTER_HOUR_MS,
    atOnce: 10,
    async trial({ one, two }) {
      const cookie = await signIn(one);
      const read = (at: string) => ask(at, 'GET /page', cookie);
      const signOut = delay(Math.random() * 2).then(() => ask(two, 'POST /sign-out', cookie));
      await Promise.all([read(one), read(two), signOut, read(one), read(two)]);
      return (await isIn(one, cookie)) || (await isIn(two, cookie)) ? 'accepted' : 'right';
    },
  },
  {
    name: 'accepted after another was refused, at the deadline',
    idleTimeoutMs: 1000,
    atOnce: 80,
    async trial(pair) {
      const { one, two, idleTimeoutMs } = pair;
      // Those that go on at once are not to be at their deadlines at once.
      await delay(Math.random() * idleTimeoutMs);
      const cookie = await signIn(one);
      await delay(idleTimeoutMs + pair.aimMs);
      const everywhere = [one, two, one, two, one, two];
      const first = await Promise.all(
        everywhere.map((at, index) => delay(index).then(() => isIn(at, cookie))),
      );
      const refused = first.includes(false);
      // So that it is as often too early as too late, however slow the machine is.
      pair.aimMs += refused ? -0.25 : 0.25;
      if (!refused) return 'void';
      const later = await Promise.all(everywhere.map((at) => isIn(at, cookie)));
      return later.includes(true) ? 'accepted' : 'right';
    },
  },
  {
    name: 'servers’ clocks half a second apart, idle timeout 400 ms',
    idleTimeoutMs: 400,
    clockSkewMs: 500,
    atOnce: 20,
    async trial({ one, two, idleTimeoutMs }) {
      const [early, late] = await Promise.all([
        afterIdling(one, two, idleTimeoutMs),
        afterIdling(two, one, idleTimeoutMs),
      ]);
      return [early, late].find((outcome) => outcome !== 'right') ?? 'right';
    },
  },
];

/** Signed in at one, at the other at once, and after the idle timeout again. */
async function afterIdling(at: string, other: string, idleTimeoutMs: number): Promise<Outcome> {
  const began = performance.now();
  const cookie = await signIn(at);
  const atOnce = await isIn(other, cookie);
  if (performance.now() - began > 0.75 * idleTimeoutMs) return 'void';
  if (!atOnce) return 'refused';
  await delay(idleTimeoutMs + 20);
  return (await isIn(at, cookie)) ? 'accepted' : 'right';
}

interface Counts {
  trials: number;
  accepted: number;
  refused: number;
}

/** How often each way to end idle sessions gets it wrong, on real Redis, with two processes. */
export async function run({ trials = 1000 }): Promise<Report> {
  const { server } = await startRedis();
  try {
    const kinds = Object.keys(KINDS) as Kind[];
    const counts = new Map<Hazard, Map<Kind, Counts>>();
    for (const hazard of HAZARDS) {
      const ofHazard = new Map<Kind, Counts>();
      counts.set(hazard, ofHazard);
      for (const kind of kinds) ofHazard.set(kind, await tryOut(hazard, kind, server.url, trials));
    }
    return report(counts, kinds);
  } finally {
    await RedisServer.stopAll();
  }
}

async function tryOut(
  { idleTimeoutMs, clockSkewMs = 0, atOnce, trial }: Hazard,
  kind: Kind,
  redisUrl: string,
  trials: number,
): Promise<Counts> {
  const start = (skew: number) =>
    DeskProcess.start({ kind, redisUrl, idleTimeoutMs, clockSkewMs: skew });
  const [one, two] = await Promise.all([start(0), start(clockSkewMs)]);
  const pair: Pair = { one: one.socketPath, two: two.socketPath, idleTimeoutMs, aimMs: -10 };
  const counts: Counts = { trials: 0, accepted: 0, refused: 0 };
  // What does not come to the hazard is tried again, but not for ever.
  for (let round = 0; round < ROUNDS && counts.trials < trials; round++) {
    await inChunks(
      trials - counts.trials,
      async () => {
        const outcome = await trial(pair);
        if (outcome !== 'void') counts.trials++;
        if (outcome === 'accepted' || outcome === 'refused') counts[outcome]++;
      },
      atOnce,
    );
  }
  await Promise.all([one.stop(), two.stop()]);
  return counts;
}

async function signIn(at: string, old?: string): Promise<string> {
  const { cookie, status } = await ask(at, 'POST /sign-in', old);
  if (!cookie) throw new Error(`Signing in was answered ${status}`);
  return cookie;
}

async function isIn(at: string, cookie: string): Promise<boolean> {
  return (await ask(at, 'GET /page', cookie)).status === 200;
}

function report(
  counts: ReadonlyMap<Hazard, ReadonlyMap<Kind, Counts>>,
  kinds: readonly Kind[],
): Report {
  const said = ({ trials, accepted, refused }: Counts) => {
    const wrong = accepted + refused;
    const kinds = [accepted && `${accepted} accepted`, refused && `${refused} refused`];
    const which = kinds.filter(Boolean).join(', ');
    return `${number(wrong)} of ${number(trials)}${which && ` (${which})`}`;
  };
  return {
    title: 'Hazards',
    goals: HAZARDS.map((hazard) => {
      const { accepted = NaN, refused = NaN } = counts.get(hazard)?.get('ours') ?? {};
      return {
        what: `wrong outcomes: ${hazard.name}`,
        is: 'at most',
        target: 0,
        measured: accepted + refused,
      };
    }),
    tables: [
      {
        columns: ['Wrong outcomes', ...kinds.map((kind) => KINDS[kind])],
        rows: HAZARDS.map((hazard) => [
          hazard.name,
          ...kinds.map((kind) => said(counts.get(hazard)!.get(kind)!)),
        ]),
      },
    ],
    notes: [
      'Two processes; a page takes 5 ms. Accepted: a request of a session that had ended was let in. Refused: a request of a session that had not ended was not. A trial that did not come to the hazard, because no request was refused at the deadline, say, is tried again.',
    ],
  };
}
