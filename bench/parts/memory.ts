import { MemoryActivityStorage, type ActivityStorage } from 'nestjs-idle-session';
import { RedisActivityStorage } from 'nestjs-idle-session/redis';
import { RedisServer, type RedisClient } from '../../test/support/redis-server.js';
import { closeApps, listen } from '../support/app.js';
import { lookUp, signIn } from '../support/known-sessions.js';
import { oursOnRedis, PATIENT } from '../support/ours.js';
import { startRedis } from '../support/redis.js';
import { number, type Report } from '../support/report.js';
import { inChunks, keyOf, newSession } from '../support/sessions.js';

const GOAL = 200;
const FEW = 1000;
const IDLE_TIMEOUT_MS = 15 * 60_000;

/** Bytes a session, beside the session itself. */
export async function run({ sessions = 100_000 }): Promise<Report> {
  const { server, admin } = await startRedis();
  try {
    const warm = async (prefix: string, count: number) => {
      const client = await server.client();
      const { app } = await listen({
        imports: [oursOnRedis({ client, prefix, rememberedSessions: count, options: PATIENT })],
      });
      await signIn(app, count);
      await lookUp(app, count);
    };
    // What the first app of a process loads and compiles is no session's.
    await warm('first:', FEW);
    const ofApp = await growth(heldByProcess, () => warm('few:', FEW));
    const inProcess = (await growth(heldByProcess, () => warm('warm:', sessions))) - ofApp;

    const memory = new MemoryActivityStorage();
    const inMemory = await growth(heldByProcess, () => inChunks(sessions, start(memory)));

    const activity = new RedisActivityStorage(await server.client(), { prefix: 'alone:' });
    const inRedis = await growth(
      () => usedBy(admin),
      () => inChunks(sessions, start(activity)),
    );
    // Uses the storage once more: without that, it would have been collected before it was weighed.
    void memory.read(keyOf(0));

    const rows: [where: string, bytes: number][] = [
      ['In the process, everything on Redis', inProcess / (sessions - FEW)],
      ['In the process, `MemoryActivityStorage`', inMemory / sessions],
      ['In Redis, beside the session', inRedis / sessions],
    ];
    return {
      title: 'Memory',
      goals: rows.map(([where, measured]) => ({
        what: `${where}: a session`,
        is: 'at most',
        target: GOAL,
        unit: 'B',
        measured,
      })),
      tables: [
        { columns: ['Where', 'Bytes a session'], rows: rows.map(([w, b]) => [w, number(b)]) },
      ],
      notes: [
        `${number(sessions)} sessions, each seen by the process, which remembers as many; of the first row, what an app with 1,000 takes was subtracted.`,
      ],
    };
  } finally {
    await closeApps();
    await RedisServer.stopAll();
  }
}

const start = (storage: ActivityStorage) => async (index: number) =>
  storage.start(keyOf(index), newSession(index, IDLE_TIMEOUT_MS));

async function growth(held: () => Promise<number>, work: () => Promise<void>): Promise<number> {
  const before = await held();
  await work();
  return (await held()) - before;
}

async function heldByProcess(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await new Promise(setImmediate);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function usedBy(client: RedisClient): Promise<number> {
  const [, bytes] = /^used_memory:(\d+)/m.exec(await client.info('memory')) ?? [];
  return Number(bytes);
}
