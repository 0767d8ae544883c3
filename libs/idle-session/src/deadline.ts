import { StorageUnavailableException } from './idle-session.exceptions.js';

/** After which share of the timeout a question is given up: there is to be time to tell everybody who waits. */
const GIVEN_UP_AT = 0.85;

/** After which share it is given up together with one that is overdue, if nothing was answered in all that time. */
const GIVEN_UP_TOGETHER_AT = 0.5;

/** After which share is looked again; a question may take so much longer. */
const LOOKED_AFTER = 0.05;

type Callback<T> = (error?: unknown, value?: T) => void;

interface Question {
  readonly askedAt: number;
  /** How many had been answered when it was asked. */
  readonly answeredBefore: number;
  readonly giveUp: () => void;
}

/**
 * How long anybody waits for one storage: clients such as node-redis wait for ever for a server that hangs. A question
 * without an answer is given up when nine tenths of the timeout are over at the latest, so that there is time to say so
 * within the timeout, to many people at once. If nothing was answered since it was asked, it is the storage that is away:
 * then those that have waited for half of the timeout are given up with it. Whatever goes wrong comes out as one kind of
 * error.
 *
 * One timer looks after all questions, since one for each would cost every request its time.
 */
export class Deadline {
  /** In the order in which they were asked. */
  private readonly waiting = new Set<Question>();
  private answered = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly timeoutMs: number) {}

  /** Asks, and waits for the answer. @throws {StorageUnavailableException} */
  ask<T>(question: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.call<T>(
        (done) => void question().then((value) => done(undefined, value), failed(done)),
        (error, value) => (error ? reject(error as Error) : resolve(value as T)),
      );
    });
  }

  /** As {@link ask}, in callbacks: `done` is called once, with the answer or a {@link StorageUnavailableException}. */
  call<T>(question: (done: Callback<T>) => void, done: Callback<T>): void {
    const asked: Question = {
      askedAt: performance.now(),
      answeredBefore: this.answered,
      giveUp: () => {
        if (!this.waiting.delete(asked)) return;
        const cause = new Error(`no answer within ${this.timeoutMs} ms`);
        done(new StorageUnavailableException(cause));
      },
    };
    const answer: Callback<T> = (error, value) => {
      if (!this.waiting.delete(asked)) return;
      this.answered++;
      if (error) done(new StorageUnavailableException(error));
      else done(undefined, value);
    };
    this.waiting.add(asked);
    this.timer ??= this.look();
    try {
      question(answer);
    } catch (error) {
      failed(answer)(error);
    }
  }

  /** Nothing that is asked keeps the process alive by itself. */
  private look(): NodeJS.Timeout {
    const look = () => {
      // First, since whoever is told may throw.
      this.timer = this.waiting.size > 0 ? this.look() : undefined;
      for (const { giveUp } of this.overdue(performance.now())) giveUp();
    };
    // After a blocked event loop, timers fire before sockets are read: an answer that is already here still counts.
    return setTimeout(() => setImmediate(look), this.timeoutMs * LOOKED_AFTER).unref();
  }

  private overdue(now: number): Question[] {
    const [oldest] = this.waiting;
    const haveWaited = (share: number) =>
      [...this.waiting].filter(({ askedAt }) => now - askedAt >= share * this.timeoutMs);
    if (!oldest || now - oldest.askedAt < GIVEN_UP_AT * this.timeoutMs) return [];
    const isAway = oldest.answeredBefore === this.answered;
    return haveWaited(isAway ? GIVEN_UP_TOGETHER_AT : GIVEN_UP_AT);
  }
}

/** A failure that says nothing is one all the same. */
function failed<T>(done: Callback<T>): (error: unknown) => void {
  return (error) => done(error ?? new Error('unknown error'));
}
