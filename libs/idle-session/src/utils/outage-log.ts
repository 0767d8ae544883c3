import { describeError } from './describe-error.js';

/** After how long a failure that was not seen again counts as over: some operations are rare. */
const FORGOTTEN_AFTER_MS = 60_000;

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
 * Logs once when the storage or the session store stops answering, and once when all operations that failed answer
 * again, however many requests see it. It logs the kind and the code of an error, never its message: messages of stores
 * may hold session ids or data.
 */
export class OutageLog {
  /** The operations that failed, with when they last did. */
  private readonly failing = new Map<string, number>();
  /** What was logged of answers that are none, with when. */
  private readonly noted = new Map<string, number>();

  constructor(private readonly logger: Logger) {}

  /** Passes on how an operation comes out, and notes it. */
  async watch<T>(operation: string, answer: Promise<T>): Promise<T> {
    try {
      const value = await answer;
      this.over(operation);
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
    if (this.failing.size === 0) {
      this.logger.error(`The ${operation} does not answer: ${describeError(error)}`);
    }
    this.failing.set(operation, performance.now());
  }

  over(operation: string): void {
    if (this.failing.size === 0) return;
    this.failing.delete(operation);
    for (const [other, failedAt] of this.failing) {
      if (performance.now() - failedAt > FORGOTTEN_AFTER_MS) this.failing.delete(other);
    }
    if (this.failing.size === 0) this.logger.log(`The ${operation} answers again.`);
  }

  /** At most once in a while: every request of the session finds the same. */
  private note(operation: string, { message }: UnusableAnswerError): void {
    const line = `The ${operation} answers what cannot be used: ${message}`;
    const notedAt = this.noted.get(line) ?? -Infinity;
    if (performance.now() - notedAt < FORGOTTEN_AFTER_MS) return;
    this.noted.set(line, performance.now());
    this.logger.error(line);
  }
}
