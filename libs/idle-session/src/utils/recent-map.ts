/**
 * Remembers what was set or found last: at most `max` values, or two if that is less, and at least half as many. Two
 * generations of maps, so that finding a value again changes nothing.
 */
export class RecentMap<T> {
  private readonly half: number;
  private recent = new Map<string, T>();
  private older = new Map<string, T>();

  constructor(max: number) {
    this.half = Math.max(1, Math.floor(max / 2));
  }

  get(key: string): T | undefined {
    const value = this.recent.get(key);
    if (value !== undefined) return value;
    const older = this.older.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: string, value: T): void {
    this.older.delete(key);
    if (this.recent.size >= this.half && !this.recent.has(key)) {
      this.older = this.recent;
      this.recent = new Map();
    }
    this.recent.set(key, value);
  }

  delete(key: string): void {
    this.recent.delete(key);
    this.older.delete(key);
  }

  clear(): void {
    this.recent.clear();
    this.older.clear();
  }
}
