import { setImmediate as nextTurn } from 'node:timers/promises';

/** Questions put in one turn of the event loop: few, so that requests get their turn in between. */
const IN_ONE_TURN = 64;

/** Questions that may wait for an answer at once: many, so that a part of the storage that hangs delays no other. */
const AT_ONCE = 1024;

/** After that, a question counts as unanswered, however long its answer may take. */
const UNANSWERED_AFTER_MS = 1250;

/** How long the storage is left alone with questions that it did not answer. */
const ASK_AGAIN_MS = 1000;

/** Of these, so many are put again each second, one for each part of a cluster at least, and each within 16 s. */
const PROBES = 4;
const PROBED_SHARE = 1 / 16;

interface Question {
  /** Whether its answer is still of use. */
  isWanted: boolean;
}

/**
 * Puts questions about sessions to the storage, of which a part may be away. What it did not answer is put again, a few
 * questions each second, and all once one of them is answered. A question that is not answered yet is not put again: its
 * answer counts, however late it comes.
 */
export class QuestionQueue {
  private readonly waiting = new Set<string>();
  private readonly inFlight = new Map<string, Question>();
  /** In flight for so long that they count as unanswered. */
  private readonly late = new Set<string>();
  /** Whether nothing was answered since the last question became late: those after it fare no better. */
  private isHung = false;
  /** Whose last question had no answer, the longest ago first. */
  private readonly unanswered = new Set<string>();
  private isPutting = false;
  private timer: NodeJS.Timeout | undefined;

  /** @param put never rejects; resolves to false if the storage did not answer, unless the question is of no use by then */
  constructor(private readonly put: (sessionRef: string) => Promise<boolean>) {}

  add(sessionRef: string): void {
    // One that is in flight may be answered as of before this.
    if (this.unanswered.has(sessionRef) && !this.inFlight.has(sessionRef)) return;
    this.waiting.add(sessionRef);
    this.putMore();
  }

  /** Whether the storage left the last question about the session unanswered, or is about to, as it does with all. */
  isUnanswered(sessionRef: string): boolean {
    if (this.unanswered.has(sessionRef)) return true;
    const isAsked = this.waiting.has(sessionRef) || this.inFlight.has(sessionRef);
    return isAsked && (this.isHung || this.late.has(sessionRef));
  }

  delete(sessionRef: string): void {
    this.waiting.delete(sessionRef);
    this.unanswered.delete(sessionRef);
    const question = this.inFlight.get(sessionRef);
    if (question) question.isWanted = false;
  }

  clear(): void {
    this.waiting.clear();
    this.unanswered.clear();
    for (const question of this.inFlight.values()) question.isWanted = false;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private putMore(): void {
    if (this.waiting.size > 0 && !this.isPutting) void this.putAll();
  }

  private async putAll(): Promise<void> {
    this.isPutting = true;
    for (;;) {
      await nextTurn();
      const next = this.takeNext();
      if (next.length === 0) break;
      for (const ref of next) void this.putOne(ref);
    }
    this.isPutting = false;
  }

  private takeNext(): string[] {
    const room = Math.min(IN_ONE_TURN, AT_ONCE + this.late.size - this.inFlight.size);
    const next = firstOf(this.waiting, room, (ref) => !this.inFlight.has(ref));
    for (const ref of next) this.waiting.delete(ref);
    return next;
  }

  private async putOne(sessionRef: string): Promise<void> {
    const question: Question = { isWanted: true };
    this.inFlight.set(sessionRef, question);
    // After a blocked event loop, timers fire before sockets are read: an answer that is already here still counts.
    const beLate = () => setImmediate(() => this.beLate(sessionRef, question));
    const timer = setTimeout(beLate, UNANSWERED_AFTER_MS).unref();
    const isAnswered = await this.put(sessionRef);
    clearTimeout(timer);
    this.inFlight.delete(sessionRef);
    this.late.delete(sessionRef);
    const wasUnanswered = this.unanswered.delete(sessionRef);
    if (isAnswered) this.isHung = false;
    else if (question.isWanted) {
      this.waiting.delete(sessionRef);
      this.putLater(sessionRef);
    }
    if (isAnswered && wasUnanswered) this.putAgain();
    this.putMore();
  }

  private beLate(sessionRef: string, question: Question): void {
    if (this.inFlight.get(sessionRef) !== question) return;
    this.late.add(sessionRef);
    this.isHung = true;
    if (question.isWanted) this.putLater(sessionRef);
    this.putMore();
  }

  /** But those that are in flight. */
  private putAgain(): void {
    for (const ref of this.unanswered) if (!this.late.has(ref)) this.waiting.add(ref);
  }

  private putLater(sessionRef: string): void {
    this.unanswered.add(sessionRef);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.probe();
    }, ASK_AGAIN_MS).unref();
  }

  private probe(): void {
    const count = Math.max(PROBES, Math.ceil(this.unanswered.size * PROBED_SHARE));
    for (const ref of firstOf(this.unanswered, count, (ref) => !this.late.has(ref))) {
      // Behind the others, for the next time.
      this.unanswered.delete(ref);
      this.putLater(ref);
      this.waiting.add(ref);
    }
    this.putMore();
  }
}

function firstOf(refs: Iterable<string>, count: number, is: (ref: string) => boolean): string[] {
  const first: string[] = [];
  for (const ref of refs) {
    if (first.length >= count) break;
    if (is(ref)) first.push(ref);
  }
  return first;
}
