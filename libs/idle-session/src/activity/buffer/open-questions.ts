/** A question about one session, until the storage has answered it. */
export interface Question {
  /** On this process's monotonic clock. */
  readonly askedAt: number;
  /** Something has changed since: the answer may be older. */
  isOvertaken: boolean;
}

/** The questions that a storage has not answered yet, by session. */
export class OpenQuestions {
  private readonly byKey = new Map<string, Set<Question>>();

  begin(key: string): Question {
    const question = { askedAt: performance.now(), isOvertaken: false };
    const questions = this.byKey.get(key);
    if (questions) questions.add(question);
    else this.byKey.set(key, new Set([question]));
    return question;
  }

  end(key: string, question: Question): void {
    const questions = this.byKey.get(key);
    questions?.delete(question);
    if (questions?.size === 0) this.byKey.delete(key);
  }

  /** What this session was asked about has changed; of the others, the answers still hold. */
  overtake(key: string): void {
    for (const question of this.byKey.get(key) ?? []) question.isOvertaken = true;
  }

  overtakeAll(): void {
    for (const key of this.byKey.keys()) this.overtake(key);
  }
}
