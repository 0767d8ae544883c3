import { describeError } from './describe-error.js';

/**
 * An outage is over once something answers and nothing has failed for so long: where only a part is away, one node of a
 * cluster say, answers and failures take turns.
 */
const OVER_AFTER_MS = 60_000;

/** How long something counts as away after it failed: longer than what is asked once a second takes to fail again. */
const LATELY_MS = 5000;

/** How long nothing more is said of an answer that is none: every request of the session finds the same. */
const SAID_FOR_MS = 60_000;

/** What the log writes to; Nest's `Logger` fits. */
interface Logger {
  error(message: string): void;
  log(message: string): void;
}

/** An answer that is none, about one session or row: no outage. Its message holds no data, since it is logged. */
export class UnusableAnswerError extends Error {
  override readonly name = 'UnusableAnswerError';
}

/**
 * Logs once when the storage or the session store stops answering, and once when nothing fails any more, however many
 * requests see it. It logs the kind and the code of an error, never its message: messages of stores may hold session ids
 * or data.
 */
export class OutageLog {
  /** The operation that failed first; undefined while there is no outage. */
  private failing: string | undefined;
  /** When something last failed; Infinity while the store has no connection. */
  private failedAt = -Infinity;
  /** What was logged of answers that are none, with when. */
  private readonly noted = new Map<string, number>();

  constructor(private readonly logger: Logger) {}

  /** Whether something failed within the last 5 s, or the store has no connection: sooner over than the outage in the log. */
  get hasFailedLately(): boolean {
    return performance.now() - this.failedAt < LATELY_MS;
  }

  /** Passes on how an operation comes out, and notes it. */
  async watch<T>(operation: string, answer: Promise<T>): Promise<T> {
    try {
      const value = await answer;
      this.over();
      return value;
    } catch (error) {
      this.failed(operation, error);
      throw error;
    }
  }

  failed(operation: string, error: unknown): void {
    if (error instanceof UnusableAnswerError) this.note(operation, error);
    else this.began(operation, error);
  }

  began(operation: string, error: unknown): void {
    this.failedAt = Math.max(this.failedAt, performance.now());
    if (this.failing !== undefined) return;
    this.failing = operation;
    this.logger.error(`The ${operation} does not answer: ${describeError(error)}`);
  }

  /** Something answers. */
  over(): void {
    if (this.failing === undefined || performance.now() - this.failedAt < OVER_AFTER_MS) return;
    this.logger.log(`The ${this.failing} answers again.`);
    this.failing = undefined;
  }

  /** An outage until there is a connection again, although nothing may be asked meanwhile. */
  disconnected(operation: string): void {
    this.began(operation, undefined);
    this.failedAt = Infinity;
  }

  connected(): void {
    if (this.failedAt === Infinity) this.failedAt = performance.now();
  }

  private note(operation: string, { message }: UnusableAnswerError): void {
    const line = `The ${operation} answers what cannot be used: ${message}`;
    const notedAt = this.noted.get(line) ?? -Infinity;
    if (performance.now() - notedAt < SAID_FOR_MS) return;
    this.noted.set(line, performance.now());
    this.logger.error(line);
  }
}
