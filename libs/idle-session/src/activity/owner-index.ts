/** What an app keeps of a session for the list of its owner's sessions, such as the name of the browser. */
export type SessionDescription = Readonly<Record<string, string>>;

/** A session in the index of its owner. */
export interface IndexedSession {
  /** As that of the record. */
  readonly key: string;
  /** When it was added last, on the storage's clock: shortly before its record started. */
  readonly addedAt: number;
  readonly description: SessionDescription;
}

/** A session that is about to start. */
export interface NewIndexedSession extends Pick<IndexedSession, 'key' | 'description'> {
  /** After what time the index may forget it, in milliseconds; null: never. */
  readonly keepForMs: number | null;
}

/** How many sessions an owner may have. */
export interface IndexLimit {
  /** Of this owner, with the one that is added. */
  readonly max: number;
  /** Whether the session is not added where there would be more. */
  readonly refuse: boolean;
}

export interface IndexAddition {
  /** `known`: the session was there already, and counts as added now. `full`: it was refused. */
  readonly outcome: 'added' | 'known' | 'full';
  /** The owner's other sessions, in the order in which they were added; empty if there are not more than the limit says. */
  readonly others: readonly IndexedSession[];
  /** The storage's time. */
  readonly now: number;
}

export interface IndexReading {
  /** In the order in which they were added. */
  readonly sessions: readonly IndexedSession[];
  /** The storage's time. */
  readonly now: number;
}

/**
 * Which sessions an owner has. An owner is a keyed hash. The index is written before the record starts, so that no session
 * is missing; what it has beside is for its readers to find out by the records, and to remove.
 *
 * Every operation is atomic for its owner.
 */
export interface OwnerIndex {
  /**
   * Adds a session that is about to start. One that is there already keeps its description.
   * @param limit default: none, and `others` is empty
   */
  add(owner: string, session: NewIndexedSession, limit?: IndexLimit): Promise<IndexAddition>;

  list(owner: string): Promise<IndexReading>;

  /**
   * Removes sessions.
   * @param addedBefore leaves what was added at this time or later; default: removes it, too
   */
  remove(owner: string, keys: readonly string[], addedBefore?: number): Promise<void>;
}
