// The browsers of many people, in a process of its own: each holds a stream open, some a socket as well.
import { setTimeout as delay } from 'node:timers/promises';
import { openSocket, openStream, type Visit } from '../../test/support/visits.js';
import { ask } from './ask.js';
import { answerWith } from './asked-process.js';
import { cookieOf, inChunks } from './sessions.js';

export interface Visitors {
  readonly socketPaths: readonly [string, string];
  /** The first session that has one. */
  readonly from: number;
  /** One a session. */
  readonly streams: number;
  /** One a session, in the process that has not got its stream. */
  readonly sockets: number;
}

/** What the visitors of a run were told. */
export interface Told {
  readonly never: number;
  readonly twice: number;
  /** Got anything after that. */
  readonly later: number;
  /** By the clock of this machine; 0 if none was told. */
  readonly lastAt: number;
  /** From the answer to its sign-out until a session’s last was told; 0 without sign-outs. */
  readonly longestMs: number;
  /** Streams’ reasons and sockets’ codes, each with how often it was said. */
  readonly words: Readonly<Record<string, number>>;
}

/** As many at once as a machine’s queue of new connections takes. */
const AT_ONCE = 64;
const GIVE_UP_MS = 30_000;

let visits: { readonly session: number; readonly visit: Visit }[] = [];
let signedOutAt = new Map<number, number>();

const answers = {
  async open({ socketPaths, from, streams, sockets }: Visitors): Promise<void> {
    visits = [];
    signedOutAt = new Map();
    const stream = async (index: number) => {
      const session = from + index;
      const address = { socketPath: ofTwo(socketPaths, index) };
      visits.push({
        session,
        visit: await openStream(address, '/quiet-stream', cookieOf(session)),
      });
    };
    const socket = async (index: number) => {
      const session = from + index;
      const address = { socketPath: ofTwo(socketPaths, index + 1) };
      visits.push({ session, visit: await openSocket(address, '/socket', cookieOf(session)) });
    };
    await inChunks(streams, stream, AT_ONCE);
    await inChunks(sockets, socket, AT_ONCE);
  },
  /** Each session is signed out in the process that has not got its stream. */
  async signOut({ socketPaths, from, streams }: Visitors): Promise<void> {
    const signOut = async (index: number) => {
      const session = from + index;
      const socketPath = ofTwo(socketPaths, index + 1);
      const { status } = await ask(socketPath, 'POST /idle-session/sign-out', cookieOf(session));
      if (status !== 204) throw new Error(`A sign-out was answered ${status}`);
      signedOutAt.set(session, Date.now());
    };
    await inChunks(streams, signOut, AT_ONCE);
  },
  /** @param from a time by the clock of this machine; null: now */
  async allClosed(from: number | null): Promise<void> {
    const giveUpAt = (from ?? Date.now()) + GIVE_UP_MS;
    while (visits.some(({ visit }) => !visit.isClosed) && Date.now() < giveUpAt) await delay(20);
  },
  told(): Told {
    const all = visits.map(({ visit }) => visit);
    const words: Record<string, number> = {};
    for (const word of all.flatMap((visit) => visit.words)) words[word] = (words[word] ?? 0) + 1;
    return {
      never: all.filter(({ toldAt }) => toldAt.length === 0).length,
      twice: all.filter(({ toldAt }) => toldAt.length > 1).length,
      later: all.filter(({ gotMore }) => gotMore).length,
      lastAt: largest(all.flatMap(({ toldAt }) => toldAt)),
      longestMs: largest(
        visits.map(({ session, visit }) => {
          const since = signedOutAt.get(session);
          return since === undefined ? 0 : largest(visit.toldAt) - since;
        }),
      ),
      words,
    };
  },
};
export type VisitorsAnswers = typeof answers;
answerWith(answers, async () => {});

function ofTwo<T>(both: readonly [T, T], index: number): T {
  return index % 2 === 0 ? both[0] : both[1];
}

/** 0 of none. */
function largest(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => Math.max(one, other), 0);
}
