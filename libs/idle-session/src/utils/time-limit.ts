/** The share of a limit after which an answer is given up: the rest is for telling everybody who waits, in time. */
const GIVEN_UP_AFTER = 0.9;

/** There was no answer in time. Its message holds no data. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/** Asks, as the function that a promise is made with does. */
export type Question<T> = (resolve: (value: T) => void, reject: (error: unknown) => void) => void;

/**
 * Asks, and waits for the answer for nine tenths of `limitMs`: clients such as node-redis wait for ever for a server that
 * hangs. A later answer is ignored. The wait does not keep the process alive, and once it is over, what is still asked
 * holds nothing of what waited.
 *
 * @throws {NoAnswerError} that says after how long there was no answer, or what `ask` throws or rejects with
 */
export function withinTimeLimit<T>(limitMs: number, ask: () => PromiseLike<T>): Promise<T> {
  return answerWithin(limitMs, promised(ask));
}

/** As {@link withinTimeLimit}, for what answers by calling back. */
export function answerWithin<T>(
  limitMs: number,
  ask: Question<T>,
  observer?: AnswerObserver,
): Promise<T> {
  return new Wait<T>(limitMs, observer).for(ask);
}

export function promised<T>(ask: () => PromiseLike<T>): Question<T> {
  return (resolve, reject) => void Promise.resolve(ask()).then(resolve, reject);
}

/** Told how questions come out. */
export interface AnswerObserver {
  /** There was an answer, be it a failure, and however late. */
  onAnswer(): void;
  /** The answer was given up. */
  onTimeout(): void;
}

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * An object rather than closures: closures of one place share what any of them uses, so a client that never answers would
 * keep `ask`, and the request behind it, for as long.
 */
class Wait<T> {
  private waiting: Waiting<T> | undefined;
  private readonly promise = new Promise<T>((resolve, reject) => {
    this.waiting = { resolve, reject };
  });
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly limitMs: number,
    private readonly observer: AnswerObserver | undefined,
  ) {
    // After a blocked event loop, timers fire before sockets are read: an answer that is already here still counts.
    const giveUp = () => setImmediate(() => this.giveUp());
    this.timer = setTimeout(giveUp, limitMs * GIVEN_UP_AFTER).unref();
  }

  for(ask: Question<T>): Promise<T> {
    try {
      ask(
        (value) => {
          this.observer?.onAnswer();
          this.end()?.resolve(value);
        },
        (error) => {
          this.observer?.onAnswer();
          this.end()?.reject(error);
        },
      );
    } catch (error) {
      this.end()?.reject(error);
    }
    return this.promise;
  }

  private giveUp(): void {
    if (this.waiting) this.observer?.onTimeout();
    this.end()?.reject(new NoAnswerError(`no answer within ${this.limitMs} ms`));
  }

  private end(): Waiting<T> | undefined {
    const { waiting } = this;
    this.waiting = undefined;
    clearTimeout(this.timer);
    return waiting;
  }
}
