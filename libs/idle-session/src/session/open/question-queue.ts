import { setImmediate as nextTurn } from 'node:timers/promises';

/** Questions put in one turn of the event loop: few, so that requests get their turn in between. */
const IN_ONE_TURN = 64;

/** Questions that may wait for an answer at once: many, so that a part of the storage that hangs delays no other. */
const AT_ONCE = 1024;

/** How long the storage is left alone with questions that it did not answer. */
const ASK_AGAIN_MS = 1000;

/** Of these, so many are put again each second, one for each part of a cluster at least, and each within 16 s. */
const PROBES = 4;
const PROBED_SHARE = 1 / 16;

/**
 * Puts questions about sessions to the storage, of which a part may be away. What it did not answer is put again, a few
 * questions each second, and all once one of them is answered.
 */
export class QuestionQueue {
  private readonly waiting = new Set<string>();
  private readonly inFlight = new Set<string>();
  /** Whose last question had no answer, the longest ago first. */
  private readonly unanswered = new Set<string>();
  private isPutting = false;
  private timer: NodeJS.Timeout | undefined;

  /** @param put never rejects; resolves to false if the storage did not answer and the question is still of use */
  constructor(private readonly put: (sessionRef: string) => Promise<boolean>) {}

  add(sessionRef: string): void {
    if (this.unanswered.has(sessionRef)) return;
    this.waiting.add(sessionRef);
    this.putMore();
  }

  /** Whether the storage left the last question about the session unanswered. */
  isUnanswered(sessionRef: string): boolean {
    return this.unanswered.has(sessionRef);
  }

  delete(sessionRef: string): void {
    this.waiting.delete(sessionRef);
    this.unanswered.delete(sessionRef);
  }

  clear(): void {
    this.waiting.clear();
    this.unanswered.clear();
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
    const room = Math.min(IN_ONE_TURN, AT_ONCE - this.inFlight.size);
    const next = firstOf(this.waiting, room, (ref) => !this.inFlight.has(ref));
    for (const ref of next) this.waiting.delete(ref);
    return next;
  }

  private async putOne(sessionRef: string): Promise<void> {
    this.inFlight.add(sessionRef);
    const isAnswered = await this.put(sessionRef);
    this.inFlight.delete(sessionRef);
    const wasUnanswered = this.unanswered.delete(sessionRef);
    if (!isAnswered) this.putLater(sessionRef);
    else if (wasUnanswered) for (const ref of this.unanswered) this.waiting.add(ref);
    this.putMore();
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
    for (const ref of firstOf(this.unanswered, count, () => true)) {
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
