import { answerWithin, NoAnswerError, type AnswerObserver, type Question } from './time-limit.js';

/** So many questions in a row have to go without an answer before no more are asked. */
const UNANSWERED = 10;

/**
 * Asks what may hang, each question within a time limit. While nothing answers at all, one question at a time is asked,
 * as a probe, and all others fail at once: what hangs is not handed more and more to do, and nobody waits in vain. The
 * first answer, to any question and however late, ends that.
 */
export class CircuitBreaker {
  /** Questions that were given up since the last answer. */
  private unanswered = 0;
  private answeredAt = -Infinity;
  private isProbing = false;
  private readonly observer: AnswerObserver = {
    onAnswer: () => {
      this.unanswered = 0;
      this.answeredAt = performance.now();
    },
    onTimeout: () => (this.unanswered += 1),
  };

  constructor(private readonly limitMs: number) {}

  /** @throws {NoAnswerError} or what `ask` throws or rejects with */
  call<T>(ask: Question<T>): Promise<T> {
    if (!this.isOpen()) return answerWithin(this.limitMs, ask, this.observer);
    if (this.isProbing)
      return Promise.reject(new NoAnswerError('no answer to the questions before'));
    this.isProbing = true;
    return answerWithin(this.limitMs, ask, this.observer).finally(() => (this.isProbing = false));
  }

  private isOpen(): boolean {
    return this.unanswered >= UNANSWERED && performance.now() - this.answeredAt >= this.limitMs;
  }
}
