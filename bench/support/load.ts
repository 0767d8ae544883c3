// The process that makes the requests: raw sockets, so that it never is what limits the rate.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { cookieOf } from './sessions.js';
import { quantile } from './statistics.js';

export interface Load {
  readonly socketPath: string;
  readonly connections: number;
  /** So many requests a second, as people send them: however long the answers take. Default: each connection as fast as it can. */
  readonly perSecond?: number;
  /** Each request is of a random one of so many sessions. */
  readonly sessions: number;
  /** Not counted in the rate: until the app is in its stride. */
  readonly leadInMs: number;
  readonly timedMs: number;
}

/** Asks once for each session, in order. */
export type EachOnce = Pick<Load, 'socketPath' | 'connections' | 'sessions'>;

/** Sent as the time that counts begins; at its end comes the {@link LoadResult}. */
export const BEGINS = 'begins';

export interface LoadResult {
  /** Answered in the time that counts. */
  readonly requests: number;
  /** Answers a second, in the time that counts. */
  readonly rate: number;
  /** Answers other than 200, or none, until then. */
  readonly failed: number;
  /** How long the answers took, of those in the time that counts. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** All that were answered, before and after the time that counts, too. */
  readonly answered: number;
}

interface Count {
  answered: number;
  failed: number;
  readonly tookMs: number[];
}

process.on('message', (job: Load | EachOnce) => {
  void ('timedMs' in job ? forAWhile(job) : eachOnce(job));
});
process.on('disconnect', () => process.exit());

async function forAWhile(load: Load): Promise<void> {
  const count = newCount();
  let stopped = false;
  const random = () => (stopped ? undefined : Math.floor(Math.random() * load.sessions));
  const asking =
    load.perSecond === undefined
      ? askOverAll(load, random, count)
      : askAtRate(load, load.perSecond, random, count);

  await delay(load.leadInMs);
  process.send?.(BEGINS);
  const [before, began] = [count.answered, performance.now()];
  count.tookMs.length = 0;
  await delay(load.timedMs);
  const [requests, seconds] = [count.answered - before, (performance.now() - began) / 1000];
  const took = count.tookMs.slice();
  stopped = true;
  await asking;
  tell(requests, seconds, took, count);
}

async function eachOnce(job: EachOnce): Promise<void> {
  const count = newCount();
  const began = performance.now();
  let next = 0;
  await askOverAll(job, () => (next < job.sessions ? next++ : undefined), count);
  tell(count.answered, (performance.now() - began) / 1000, count.tookMs, count);
}

function newCount(): Count {
  return { answered: 0, failed: 0, tookMs: [] };
}

function tell(
  requests: number,
  seconds: number,
  tookMs: number[],
  { answered, failed }: Count,
): void {
  const [p50Ms, p99Ms] = [quantile(tookMs, 0.5), quantile(tookMs, 0.99)];
  const rate = requests / seconds;
  process.send?.({ requests, rate, failed, answered, p50Ms, p99Ms } satisfies LoadResult);
}

type NextSession = () => number | undefined;

/** Each connection asks again as soon as it is answered. */
async function askOverAll(
  { connections, socketPath }: EachOnce,
  nextSession: NextSession,
  count: Count,
): Promise<void> {
  const all = await connected(connections, socketPath);
  await Promise.all(
    all.map(async (connection) => {
      for (let session = nextSession(); session !== undefined; session = nextSession())
        await ask(connection, session, performance.now(), count);
      connection.close();
    }),
  );
}

/** What is due is sent as soon as a connection is free; its time counts from when it was due. */
async function askAtRate(
  { connections, socketPath }: EachOnce,
  perSecond: number,
  nextSession: NextSession,
  count: Count,
): Promise<void> {
  const free = await connected(connections, socketPath);
  const all = [...free];
  const began = performance.now();
  const asking = new Set<Promise<void>>();
  let sent = 0;
  for (let session = nextSession(); session !== undefined;) {
    const dueAt = began + (sent / perSecond) * 1000;
    const connection = dueAt <= performance.now() ? free.pop() : undefined;
    if (!connection) {
      await delay(1);
      session = nextSession();
      continue;
    }
    sent++;
    const asked = ask(connection, session, dueAt, count).then(() => {
      free.push(connection);
      asking.delete(asked);
    });
    asking.add(asked);
    session = nextSession();
  }
  await Promise.all(asking);
  for (const connection of all) connection.close();
}

function connected(connections: number, socketPath: string): Promise<Connection[]> {
  return Promise.all(Array.from({ length: connections }, () => Connection.open(socketPath)));
}

async function ask(
  connection: Connection,
  session: number,
  since: number,
  count: Count,
): Promise<void> {
  const response = await connection.ask(requestOf(session));
  count.answered++;
  count.tookMs.push(performance.now() - since);
  if (!response?.startsWith('HTTP/1.1 200')) count.failed++;
}

/** One request at a time. */
class Connection {
  private received = '';
  private answer: ((response: string | undefined) => void) | undefined;

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (chunk: unknown) => {
      this.received += String(chunk);
      if (isComplete(this.received)) this.settle(this.received);
    });
    socket.on('error', () => {});
    socket.on('close', () => this.settle(undefined));
  }

  static async open(socketPath: string): Promise<Connection> {
    const socket = connect(socketPath);
    await once(socket, 'connect');
    return new Connection(socket);
  }

  /** Undefined if there was no answer. */
  ask(request: Buffer): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.answer = resolve;
      if (this.socket.destroyed) this.settle(undefined);
      else this.socket.write(request);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private settle(response: string | undefined): void {
    this.received = '';
    this.answer?.(response);
    this.answer = undefined;
  }
}

const requests: Buffer[] = [];

function requestOf(session: number): Buffer {
  return (requests[session] ??= Buffer.from(
    `GET /page HTTP/1.1\r\nHost: bench\r\nCookie: ${cookieOf(session)}\r\n\r\n`,
  ));
}

function isComplete(response: string): boolean {
  const headEnds = response.indexOf('\r\n\r\n');
  if (headEnds < 0) return false;
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(response) ?? [];
  return response.length >= headEnds + 4 + Number(length);
}
