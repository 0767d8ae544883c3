import type {
  IndexAddition,
  IndexedSession,
  IndexLimit,
  IndexReading,
  NewIndexedSession,
  OwnerIndex,
} from './owner-index.js';

interface Entry extends IndexedSession {
  /** When the index may forget it. */
  readonly keepUntil: number;
}

/** Keeps the sessions of each owner in this process. */
export class MemoryOwnerIndex implements OwnerIndex {
  /** In the order in which they were added. */
  private readonly owners = new Map<string, Map<string, Entry>>();

  constructor(private readonly now: () => number) {}

  async add(
    owner: string,
    { key, description, keepForMs }: NewIndexedSession,
    { max, refuse }: IndexLimit = { max: Infinity, refuse: false },
  ): Promise<IndexAddition> {
    const now = this.now();
    const entries = this.entriesOf(owner, now);
    const known = entries.get(key);
    const others = [...entries.values()].filter((entry) => entry !== known);
    const outcome = known ? 'known' : refuse && others.length >= max ? 'full' : 'added';
    if (outcome !== 'full') {
      entries.delete(key);
      const keepUntil = now + (keepForMs ?? Infinity);
      entries.set(key, {
        key,
        addedAt: now,
        description: known?.description ?? description,
        keepUntil,
      });
      this.owners.set(owner, entries);
    }
    return { outcome, others: others.length >= max ? others : [], now };
  }

  async list(owner: string): Promise<IndexReading> {
    const now = this.now();
    return { sessions: [...this.entriesOf(owner, now).values()], now };
  }

  async remove(owner: string, keys: readonly string[], addedBefore = Infinity): Promise<void> {
    const entries = this.entriesOf(owner, this.now());
    for (const key of keys) {
      const entry = entries.get(key);
      if (entry && entry.addedAt < addedBefore) entries.delete(key);
    }
    if (entries.size === 0) this.owners.delete(owner);
  }

  private entriesOf(owner: string, now: number): Map<string, Entry> {
    const entries = this.owners.get(owner) ?? new Map<string, Entry>();
    for (const [key, { keepUntil }] of entries) if (keepUntil <= now) entries.delete(key);
    return entries;
  }
}
