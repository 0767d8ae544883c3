import { Store, type SessionData } from 'express-session';

type Done<T = void> = (error?: unknown, value?: T) => void;

/** As little of a session store as express-session asks for: no touch, all, length or clear. Keeps JSON, as most do. */
export class MinimalStore extends Store {
  readonly sessions = new Map<string, string>();
  /** The methods that were called, in order. */
  readonly calls: string[] = [];
  /** What the methods answer instead of doing anything. */
  readonly failures: Partial<Record<'get' | 'set' | 'destroy', unknown>> = {};

  override get(id: string, done: (error: unknown, session?: SessionData | null) => void): void {
    const json = this.sessions.get(id);
    this.answer('get', done, () => (json === undefined ? null : (JSON.parse(json) as SessionData)));
  }

  override set(id: string, session: SessionData, done?: Done): void {
    this.answer('set', done, () => void this.sessions.set(id, JSON.stringify(session)));
  }

  override destroy(id: string, done?: Done): void {
    this.answer('destroy', done, () => void this.sessions.delete(id));
  }

  /** The one session that is kept. */
  get only(): SessionData & { cookie: { expires: string | null } } {
    if (this.sessions.size !== 1) throw new Error(`${this.sessions.size} sessions are kept.`);
    return JSON.parse([...this.sessions.values()][0]!) as never;
  }

  protected answer<T>(
    method: keyof MinimalStore['failures'],
    done: ((error: unknown, value?: T) => void) | undefined,
    run: () => T,
  ): void {
    this.calls.push(method);
    const error = this.failures[method];
    setImmediate(() => (error ? done?.(error) : done?.(null, run())));
  }
}
