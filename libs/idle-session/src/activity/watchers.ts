/** Keys of which something may have become untrue; `'all'` where it is not known which. */
export type ChangedKeys = readonly string[] | 'all';

/** Those who watch a storage. */
export class Watchers {
  private readonly callbacks = new Set<(keys: ChangedKeys) => void>();

  get size(): number {
    return this.callbacks.size;
  }

  /** @returns ends the watch */
  add(onChange: (keys: ChangedKeys) => void): () => void {
    // An object of its own, so that one function may be given twice.
    const callback = (keys: ChangedKeys) => onChange(keys);
    this.callbacks.add(callback);
    return () => void this.callbacks.delete(callback);
  }

  tell(keys: ChangedKeys): void {
    for (const callback of this.callbacks) callback(keys);
  }
}
