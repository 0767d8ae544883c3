import { NoAnswerError, withinTimeLimit } from '../utils/time-limit.js';
import { LEASE_MS } from './script-prologue.js';
import type { ExpireReply } from './script-reply.js';

/** A call that takes longer is not waited for. */
const TIMEOUT_MS = 1000;

/** A call that was lost on its way is not waited for longer. */
const ASK_AGAIN_AFTER_MS = 60_000;

/** An answer that comes later is left to the process that the end is handed out to once its lease is over. */
const TELL_WITHIN_MS = LEASE_MS / 2;

/** What Redis ended, and when it was asked to. */
export interface DueAnswer {
  readonly reply: ExpireReply;
  readonly askedAt: number;
}

/** Ends what is due in one partition, by one call at a time: the sweeps of a process may overlap. */
export class DueEnds {
  private last: Promise<unknown> = Promise.resolve();
  /** When the call was made that was not answered yet. */
  private unansweredSince = -Infinity;
  private readonly late: DueAnswer[] = [];

  constructor(private readonly ask: (limit: number) => Promise<ExpireReply>) {}

  /** A call that is not answered does not keep other partitions from being asked, nor this one for ever. */
  end(limit: number): Promise<DueAnswer> {
    const answer = this.last.then(() => this.endNow(limit));
    this.last = answer.catch(() => {});
    return answer;
  }

  /** The answers to calls that were given up, each once. */
  takeLate(): DueAnswer[] {
    return this.late.splice(0);
  }

  private async endNow(limit: number): Promise<DueAnswer> {
    const askedAt = performance.now();
    if (askedAt - this.unansweredSince < ASK_AGAIN_AFTER_MS)
      throw new NoAnswerError('no answer to the call before');
    this.unansweredSince = askedAt;
    const reply = this.ask(limit);
    const answered = () => (this.unansweredSince = -Infinity);
    reply.then(answered, answered);
    try {
      return { reply: await withinTimeLimit(TIMEOUT_MS, () => reply), askedAt };
    } catch (error) {
      if (error instanceof NoAnswerError)
        reply.then((late) => this.late.push({ reply: late, askedAt })).catch(() => {});
      throw error;
    }
  }
}

/**
 * Whether what Redis ended is still for this process to tell. Not after this process stood still for long: its lease may
 * be over, and another one has told.
 */
export function mayTell(askedAt: number): boolean {
  return performance.now() - askedAt < TELL_WITHIN_MS;
}
