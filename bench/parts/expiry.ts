import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { DynamicModule } from '@nestjs/common';
import { RedisStore } from 'connect-redis';
import expressSession, { Store, type SessionData } from 'express-session';
import {
  IdleSessionService,
  MemoryActivityStorage,
  type ActivityStorage,
} from 'nestjs-idle-session';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { RedisServer } from '../../test/support/redis-server.js';
import { closeApps, listen } from '../support/app.js';
import { ours, PATIENT } from '../support/ours.js';
import { SET_UP, startRedis } from '../support/redis.js';
import { number, type Report } from '../support/report.js';
import { fill, inChunks, keyOf, newSession, SECRET, sessionId } from '../support/sessions.js';

const GOAL_MS = 20;
/** How exactly delays are seen; it is part of each. */
const RESOLUTION_MS = 1;

interface Result {
  readonly where: string;
  readonly sessions: number;
  readonly events: number;
  readonly tookS: number;
  readonly longestMs: number;
  /** Of the times at which the event loop was looked at, 999 in 1,000 were not later than that. */
  readonly mostMs: number;
}

/** For how long other work has to wait while very many sessions end at the same time, without a request. */
export async function run({ sessions = 1_000_000 }): Promise<Report> {
  const results: Result[] = [];
  try {
    for (const measure of [inMemory, inMemoryStore, onRedis]) {
      results.push(await measure(sessions));
      await closeApps();
    }
    return report(results, await longestDestroy(sessions));
  } finally {
    await closeApps();
    await RedisServer.stopAll();
  }
}

const inMemory = (sessions: number) => activityInMemory('memory', sessions, new ManyMaps());

const inMemoryStore = (sessions: number) =>
  activityInMemory(
    'memory, with express-session’s MemoryStore',
    sessions,
    new expressSession.MemoryStore(),
  );

async function activityInMemory(where: string, sessions: number, store: Store): Promise<Result> {
  let ahead = 0;
  const storage = new MemoryActivityStorage({ now: () => Date.now() + ahead });
  await fill(store, sessions);
  await startAll(storage, sessions, () => 60_000);
  ahead = 60_000;
  return whileExpiring(where, sessions, ours({ storage, session: { secret: SECRET, store } }));
}

async function onRedis(sessions: number): Promise<Result> {
  const { server } = await startRedis();
  const client = await server.client(SET_UP);
  const store = new RedisStore({ client });
  await fill(store, sessions);
  // Signing so many in takes its time; they are all due at the same moment.
  const due = Date.now() + 30_000 + sessions / 5;
  const storage = new RedisActivityStorage(client, { syncInterval: 0 });
  await startAll(storage, sessions, () => Math.max(1, due - Date.now()));
  await delay(Math.max(0, due - Date.now()));
  const options = { ...PATIENT, storage, session: { secret: SECRET, store } };
  return whileExpiring('Redis', sessions, ours(options));
}

/** A session store that never has much to do at once: removing most of one large object or map has it built anew. */
class ManyMaps extends Store {
  private readonly maps = Array.from({ length: 1024 }, () => new Map<string, SessionData>());

  override get(id: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    callback(null, this.mapOf(id).get(id));
  }

  override set(id: string, session: SessionData, callback?: () => void): void {
    this.mapOf(id).set(id, session);
    callback?.();
  }

  override destroy(id: string, callback?: () => void): void {
    this.mapOf(id).delete(id);
    callback?.();
  }

  private mapOf(id: string): Map<string, SessionData> {
    return this.maps[Number(id.slice(-6)) % this.maps.length]!;
  }
}

/** Of so many sessions in express-session's MemoryStore, by itself. */
async function longestDestroy(sessions: number): Promise<number> {
  const store = new expressSession.MemoryStore();
  await fill(store, sessions);
  let longest = 0;
  for (let index = 0; index < sessions; index++) {
    const began = performance.now();
    store.destroy(sessionId(index));
    longest = Math.max(longest, performance.now() - began);
  }
  return longest;
}

function startAll(storage: ActivityStorage, sessions: number, timeout: () => number) {
  return inChunks(sessions, async (index) => {
    await storage.start(keyOf(index), newSession(index, timeout()));
  });
}

async function whileExpiring(
  where: string,
  sessions: number,
  module: DynamicModule,
): Promise<Result> {
  const { app } = await listen({ imports: [module] });
  globalThis.gc?.();
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let events = 0;
  const done = new Promise<void>((resolve) => {
    app.get(IdleSessionService).events.subscribe(() => {
      if (++events === sessions) resolve();
    });
  });
  delays.enable();
  const began = performance.now();
  await done;
  const tookS = (performance.now() - began) / 1000;
  // One too many would come now.
  await delay(3000);
  delays.disable();
  const milliseconds = (nanoseconds: number) => nanoseconds / 1e6;
  return {
    where,
    sessions,
    events,
    tookS,
    longestMs: milliseconds(delays.max),
    mostMs: milliseconds(delays.percentile(99.9)),
  };
}

function report(results: readonly Result[], longestDestroyMs: number): Report {
  return {
    title: 'Many ends at once',
    goals: results.flatMap(({ where, sessions, events, longestMs }) => [
      {
        what: `${number(sessions)} sessions ending at once, ${where}: longest turn of the event loop`,
        is: 'at most' as const,
        target: GOAL_MS,
        unit: 'ms',
        measured: longestMs,
      },
      {
        what: `${number(sessions)} sessions ending at once, ${where}: events too many or too few`,
        is: 'at most' as const,
        target: 0,
        measured: Math.abs(events - sessions),
      },
    ]),
    tables: [
      {
        columns: [
          'Where',
          'Sessions',
          'Events',
          'All ended after, s',
          'Longest turn, ms',
          '99.9 %, ms',
        ],
        rows: results.map(({ where, sessions, events, tookS, longestMs, mostMs }) => [
          where,
          number(sessions),
          number(events),
          number(tookS),
          number(longestMs),
          number(mostMs),
        ]),
      },
    ],
    notes: [
      'Turns include the garbage collector, whose pauses grow with what the process holds.',
      `A single destroy() of express-session’s MemoryStore, with as many sessions and without us, takes up to ${number(longestDestroyMs)} ms; for the first row, sessions are in a store of 1,024 maps.`,
    ],
  };
}
