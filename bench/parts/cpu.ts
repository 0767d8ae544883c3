import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  Injectable,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { Request } from 'express';
import { Store, type SessionData } from 'express-session';
import { IdleSessionGuard, IdleSessionInterceptor } from 'nestjs-idle-session';
import { EMPTY } from 'rxjs';
import { RedisServer } from '../../test/support/redis-server.js';
import { closeApps, listen, NoopGuard, NoopInterceptor } from '../support/app.js';
import { ours, oursOnRedis } from '../support/ours.js';
import { SET_UP, startRedis } from '../support/redis.js';
import { inWords, number, type Report } from '../support/report.js';
import { cookieOf, fill, SECRET } from '../support/sessions.js';
import { difference, median, shuffled, sum } from '../support/statistics.js';

/** Requests that are held open, each of a session of its own. */
const REQUESTS = 200;
const ROUND_MS = 100;
const GOAL_US = 5;

/** One kind of work, done for one of the held requests at a time. */
interface Subject {
  readonly name: string;
  readonly reference?: Subject;
  readonly work: (index: number) => Promise<void>;
  /** CPU of one call, in µs, by round. */
  readonly costsUs: number[];
  calls: number;
}

/** CPU of the library's own steps, called as Nest and express-session call them, without HTTP around them. */
export async function run({ cycles = 60 }): Promise<Report> {
  const { server } = await startRedis();
  try {
    const onMemory = await heldRequests((store) => ours({ session: { secret: SECRET, store } }));
    const client = await server.client(SET_UP);
    const onRedis = await heldRequests((store) => oursOnRedis({ client, prefix: 'cpu:', store }));

    const noop = steps('a no-op guard and interceptor', onMemory.contexts, {
      guard: new NoopGuard(),
      interceptor: new NoopInterceptor(),
    });
    const memory = steps('guard and interceptor, memory', onMemory.contexts, onMemory, noop);
    const redis = steps('guard and interceptor, Redis', onRedis.contexts, onRedis, noop);
    const inner = storeCalls('get of a store', onRedis.inner, onRedis.contexts);
    const outer = storeCalls(
      'get of our session store around it, Redis',
      onRedis.store,
      onRedis.contexts,
      inner,
    );
    const subjects = [noop, memory, redis, inner, outer];
    for (let cycle = 0; cycle < cycles; cycle++)
      for (const subject of shuffled(subjects)) await round(subject);
    return report(subjects, [memory, redis]);
  } finally {
    await closeApps();
    await RedisServer.stopAll();
  }
}

async function round(subject: Subject): Promise<void> {
  let calls = 0;
  const before = process.cpuUsage();
  for (const end = performance.now() + ROUND_MS; performance.now() < end;) {
    for (let index = 0; index < REQUESTS; index++) await subject.work(index);
    calls += REQUESTS;
    // Timers and answers get their turn, and what they cost counts.
    await nextTurn();
  }
  const { user, system } = process.cpuUsage(before);
  subject.costsUs.push((user + system) / calls);
  subject.calls += calls;
}

interface Steps {
  readonly guard: CanActivate;
  readonly interceptor: NestInterceptor;
}

const next: CallHandler = { handle: () => EMPTY };

/** As Nest does it: waits for a guard if it does not answer at once, and for any interceptor. */
function steps(
  name: string,
  contexts: readonly ExecutionContext[],
  { guard, interceptor }: Steps,
  reference?: Subject,
): Subject {
  const work = async (index: number) => {
    const context = contexts[index]!;
    const passed = guard.canActivate(context);
    if (typeof passed !== 'boolean') await passed;
    await interceptor.intercept(context, next);
  };
  return { name, reference, work, costsUs: [], calls: 0 };
}

function storeCalls(
  name: string,
  store: Store,
  contexts: readonly ExecutionContext[],
  reference?: Subject,
): Subject {
  const sessions = contexts.map((context) => requestOf(context).session);
  const work = async (index: number) => {
    const session = sessions[index]!;
    await new Promise<void>((resolve) => store.get(session.id, () => resolve()));
  };
  return { name, reference, work, costsUs: [], calls: 0 };
}

/** Requests that have come as far as the guards and wait there. */
async function heldRequests(importing: (store: Store) => ReturnType<typeof ours>) {
  const inner = new QuickStore();
  const holding = new HoldingGuard();
  const { app, socketPath } = await listen({
    imports: [importing(inner)],
    providers: [{ provide: APP_GUARD, useValue: holding }],
  });
  await fill(inner, REQUESTS);
  for (let index = 0; index < REQUESTS; index++)
    connect(socketPath)
      .on('error', () => {})
      .write(`GET /page HTTP/1.1\r\nHost: bench\r\nCookie: ${cookieOf(index)}\r\n\r\n`);
  const guard = app.get(IdleSessionGuard, { strict: false });
  const contexts = await holding.held;
  // An app's own guards come first, so ours has not seen these requests yet: its first check starts their records.
  for (const context of contexts) await guard.canActivate(context);
  return {
    contexts,
    inner,
    guard,
    interceptor: app.get(IdleSessionInterceptor, { strict: false }),
    store: requestOf(contexts[0]!).sessionStore,
  };
}

function requestOf(context: ExecutionContext): Request {
  return context.switchToHttp().getRequest<Request>();
}

@Injectable()
class HoldingGuard implements CanActivate {
  private readonly contexts: ExecutionContext[] = [];
  private all!: (contexts: readonly ExecutionContext[]) => void;
  readonly held = new Promise<readonly ExecutionContext[]>((resolve) => (this.all = resolve));

  canActivate(context: ExecutionContext): Promise<boolean> {
    this.contexts.push(context);
    if (this.contexts.length === REQUESTS) this.all(this.contexts);
    return new Promise(() => {});
  }
}

/** Costs next to nothing itself; answers later, as real ones do. */
class QuickStore extends Store {
  private readonly sessions = new Map<string, SessionData>();

  override get(id: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    const session = this.sessions.get(id);
    queueMicrotask(() => callback(null, session && { ...session }));
  }

  override set(id: string, session: SessionData, callback?: (error?: unknown) => void): void {
    this.sessions.set(id, session);
    if (callback) queueMicrotask(callback);
  }

  override destroy(id: string, callback?: (error?: unknown) => void): void {
    this.sessions.delete(id);
    if (callback) queueMicrotask(callback);
  }

  override touch(_id: string, _session: SessionData, callback?: () => void): void {
    if (callback) queueMicrotask(callback);
  }
}

function report(subjects: readonly Subject[], withGoal: readonly Subject[]): Report {
  const over = ({ costsUs, reference }: Subject) =>
    reference && difference(costsUs, reference.costsUs);
  return {
    title: 'CPU of guard and interceptor',
    goals: withGoal.map((subject) => ({
      what: `CPU of ${subject.name}, over no-op ones, a request`,
      is: 'at most',
      target: GOAL_US,
      unit: 'µs',
      measured: over(subject),
    })),
    tables: [
      {
        columns: ['What', 'CPU, µs', 'over', 'CPU over that, µs', 'Calls'],
        rows: subjects.map((subject) => {
          const more = over(subject);
          return [
            subject.name,
            number(median(subject.costsUs)),
            subject.reference?.name ?? '',
            more ? inWords(more) : '',
            number(subject.calls),
          ];
        }),
      },
    ],
    notes: [
      `${number(sum(subjects.map(({ calls }) => calls)))} calls for ${REQUESTS} warm sessions in rounds of ${ROUND_MS} ms, in random order. What is done after the answer, in batches, is in the numbers.`,
    ],
  };
}
