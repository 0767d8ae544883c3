import { StorageUnavailableException } from '../session/idle-session.exceptions.js';

/** After which share of the timeout a question is given up: there is to be time to tell everybody who waits. */
const GIVEN_UP_AT = 0.85;

/** After which share it is given up together with one that is overdue, if nothing was answered in all that time. */
const GIVEN_UP_TOGETHER_AT = 0.5;

/** After which share is looked again; a question may take so much longer. */
const LOOKED_AFTER = 0.05;

type Callback<T> = (error?: unknown, value?: T) => void;

/**
 * A question in the ring of those that wait. One that left refers to none of the others: a Set's old tables do, and once
 * one of them has become old to the garbage collector, it keeps all that comes after it for as long.
 */
class Question {
  private next: Question = this;
  private previous: Question = this;

  constructor(
    readonly askedAt: number,
    /** How many had been answered when it was asked. */
    readonly answeredBefore: number,
    readonly giveUp: () => void,
  ) {}

  /** The one asked next, or whose ring it is. */
  get later(): Question {
    return this.next;
  }

  get waits(): boolean {
    return this.next !== this;
  }

  /** Goes to the end of the ring that begins with `first`. */
  join(first: Question): void {
    this.next = first;
    this.previous = first.previous;
    this.previous.next = first.previous = this;
  }

  leave(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this.previous = this;
  }
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
  /** Where the ring begins and ends: no question itself. */
  private readonly ring = new Question(0, 0, () => {});
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
    const asked = new Question(performance.now(), this.answered, () => {
      asked.leave();
      const cause = new Error(`no answer within ${this.timeoutMs} ms`);
      done(new StorageUnavailableException(cause));
    });
    const answer: Callback<T> = (error, value) => {
      if (!asked.waits) return;
      asked.leave();
      this.answered++;
      if (error) done(new StorageUnavailableException(error));
      else done(undefined, value);
    };
    asked.join(this.ring);
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
      this.timer = this.ring.waits ? this.look() : undefined;
      for (const question of this.overdue(performance.now())) {
        if (question.waits) question.giveUp();
      }
    };
    // After a blocked event loop, timers fire before sockets are read: an answer that is already here still counts.
    return setTimeout(() => setImmediate(look), this.timeoutMs * LOOKED_AFTER).unref();
  }

  private overdue(now: number): Question[] {
    const oldest = this.ring.later;
    if (!this.hasWaited(oldest, GIVEN_UP_AT, now)) return [];
    const isAway = oldest.answeredBefore === this.answered;
    const share = isAway ? GIVEN_UP_TOGETHER_AT : GIVEN_UP_AT;
    const overdue: Question[] = [];
    for (let next = oldest; this.hasWaited(next, share, now); next = next.later) overdue.push(next);
    return overdue;
  }

  private hasWaited(question: Question, share: number, now: number): boolean {
    return question !== this.ring && now - question.askedAt >= share * this.timeoutMs;
  }
}

/** A failure that says nothing is one all the same. */
function failed<T>(done: Callback<T>): (error: unknown) => void {
  return (error) => done(error ?? new Error('unknown error'));
}
