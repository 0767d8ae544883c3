// The process that makes the requests: raw sockets, so that it never is what limits the rate.
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { cookieOf } from './sessions.js';

export interface Load {
  readonly socketPath: string;
  readonly connections: number;
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
}

interface Count {
  answered: number;
  failed: number;
}

process.on('message', (job: Load | EachOnce) => {
  void ('timedMs' in job ? forAWhile(job) : eachOnce(job));
});
process.on('disconnect', () => process.exit());

async function forAWhile(load: Load): Promise<void> {
  const count: Count = { answered: 0, failed: 0 };
  let stopped = false;
  const random = () => (stopped ? undefined : Math.floor(Math.random() * load.sessions));
  const asking = askOverAll(load, random, count);

  await delay(load.leadInMs);
  process.send?.(BEGINS);
  const [before, began] = [count.answered, performance.now()];
  await delay(load.timedMs);
  tell(count.answered - before, began, count);
  stopped = true;
  await asking;
}

async function eachOnce(job: EachOnce): Promise<void> {
  const count: Count = { answered: 0, failed: 0 };
  const began = performance.now();
  let next = 0;
  await askOverAll(job, () => (next < job.sessions ? next++ : undefined), count);
  tell(count.answered, began, count);
}

function tell(requests: number, began: number, { failed }: Count): void {
  const rate = (requests / (performance.now() - began)) * 1000;
  process.send?.({ requests, rate, failed } satisfies LoadResult);
}

async function askOverAll(
  { connections, socketPath }: EachOnce,
  nextSession: () => number | undefined,
  count: Count,
): Promise<void> {
  const asked = Array.from({ length: connections }, () => askOver(socketPath, nextSession, count));
  await Promise.all(asked);
}

/** Asks over one connection, one request after the other, until there is no next one. */
function askOver(
  socketPath: string,
  nextSession: () => number | undefined,
  count: Count,
): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(socketPath).setEncoding('latin1');
    let received = '';
    let done = false;
    const ask = () => {
      const session = nextSession();
      done = session === undefined;
      if (session === undefined) socket.destroy();
      else socket.write(requestOf(session));
    };
    socket.on('connect', ask);
    socket.on('data', (chunk: unknown) => {
      received += String(chunk);
      if (!isComplete(received)) return;
      count.answered++;
      if (!received.startsWith('HTTP/1.1 200')) count.failed++;
      received = '';
      ask();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (!done) count.failed++;
      resolve();
    });
  });
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
