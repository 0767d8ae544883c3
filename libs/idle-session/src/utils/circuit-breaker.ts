import { NoAnswerError, withinTimeLimit } from './time-limit.js';

/** So many questions in a row have to go without an answer before no more are asked. */
const UNANSWERED = 10;

/**
 * Asks what may hang, each question within a time limit. While nothing answers at all, one question at a time is asked,
 * as a probe, and all others fail at once: what hangs is not handed more and more to do, and nobody waits in vain. The
 * first answer, to whatever question and however late, ends that.
 */
export class CircuitBreaker {
  /** Questions that were given up since the last answer. */
  private unanswered = 0;
  private answeredAt = -Infinity;
  private isProbing = false;

  constructor(private readonly limitMs: number) {}

  /** @throws {NoAnswerError} or what `ask` throws or rejects with */
  async call<T>(ask: () => PromiseLike<T>): Promise<T> {
    if (!this.isOpen()) return this.ask(ask);
    if (this.isProbing) throw new NoAnswerError('no answer to the questions before');
    this.isProbing = true;
    try {
      return await this.ask(ask);
    } finally {
      this.isProbing = false;
    }
  }

  private isOpen(): boolean {
    return this.unanswered >= UNANSWERED && performance.now() - this.answeredAt >= this.limitMs;
  }

  private async ask<T>(ask: () => PromiseLike<T>): Promise<T> {
    try {
      return await withinTimeLimit(this.limitMs, () => this.hear(ask()));
    } catch (error) {
      if (error instanceof NoAnswerError) this.unanswered += 1;
      throw error;
    }
  }

  /** A failure is an answer, too. */
  private hear<T>(answer: PromiseLike<T>): PromiseLike<T> {
    const answered = () => {
      this.unanswered = 0;
      this.answeredAt = performance.now();
    };
    Promise.resolve(answer).then(answered, answered);
    return answer;
  }
}
