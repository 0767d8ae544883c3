import { Inject, Injectable } from '@nestjs/common';
import type { SessionData, Store } from 'express-session';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import { isMemoryStore } from '../options/memory-rules.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { OutageLog } from '../utils/outage-log.js';
import { withinTimeLimit } from '../utils/time-limit.js';
import { StorageUnavailableException } from './idle-session.exceptions.js';

type Done<T> = (error?: unknown, value?: T) => void;

/**
 * The app's own session store, in promises. Each operation answers within `storageTimeout` or rejects with a
 * {@link StorageUnavailableException}.
 */
@Injectable()
export class UserStore {
  /** Whether the store says that it is connected; most stores say nothing. */
  connected = true;

  readonly store: Store;

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    private readonly outageLog: OutageLog,
  ) {
    this.store = options.session.store;
    this.onConnection((connected) => {
      this.connected = connected;
      if (connected) outageLog.over('session store (connection)');
      else outageLog.began('session store (connection)', undefined);
    });
  }

  /** Whether it is express-session's own, which drops sessions by the wall clock, and by nothing else. */
  get isInMemory(): boolean {
    return isMemoryStore(this.store);
  }

  /** Whether the store can renew a session without writing all of it. */
  get canTouch(): boolean {
    return this.store.touch !== undefined;
  }

  get(sessionId: string): Promise<SessionData | null | undefined> {
    return this.call('get', (done) => this.store.get(sessionId, done));
  }

  async set(sessionId: string, data: SessionData): Promise<void> {
    await this.call('set', (done) => this.store.set(sessionId, data, done));
  }

  /** Does nothing if the store cannot touch. */
  async touch(sessionId: string, data: SessionData): Promise<void> {
    if (this.canTouch)
      await this.call('touch', (done) => this.store.touch?.(sessionId, data, done));
  }

  async destroy(sessionId: string): Promise<void> {
    await this.call('destroy', (done) => this.store.destroy(sessionId, done));
  }

  /** Calls back when the store loses its connection, and when it has one again. */
  onConnection(listener: (connected: boolean) => void): void {
    // Stores need not be event emitters.
    this.store.on?.('connect', () => listener(true));
    this.store.on?.('disconnect', () => listener(false));
  }

  private async call<T>(
    operation: string,
    ask: (done: Done<T | null>) => void,
  ): Promise<T | null | undefined> {
    const answer = withinTimeLimit(
      this.options.storageTimeoutMs,
      () =>
        new Promise<T | null | undefined>((resolve, reject) =>
          ask((error, value) => {
            if (error && !isNotFound(error)) reject(error as Error);
            else resolve(error ? undefined : value);
          }),
        ),
    );
    try {
      return await this.outageLog.watch(`session store (${operation})`, answer);
    } catch (error) {
      throw new StorageUnavailableException(error);
    }
  }
}

/** How file-based stores say that there is no such session; express-session takes it as that, too. */
function isNotFound(error: unknown): boolean {
  return (error as { code?: unknown } | null | undefined)?.code === 'ENOENT';
}
