import { Inject, Injectable } from '@nestjs/common';
import type { SessionData, Store } from 'express-session';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import { isMemoryStore } from '../options/memory-rules.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { CircuitBreaker } from '../utils/circuit-breaker.js';
import { OutageLog, UnusableAnswerError } from '../utils/outage-log.js';
import type { Question } from '../utils/time-limit.js';
import { StorageUnavailableException } from './idle-session.exceptions.js';
import { isAboutRow, usableRow } from './session-row.js';

type Found<T> = T | null | undefined;
type Done<T> = (error?: unknown, value?: T) => void;

/** Asks a store. What it returns beside its answer may be a promise, where the store is written so. */
type Ask<T> = (done: Done<T | null>) => unknown;

/**
 * The app's own session store, in promises. Each operation answers within `storageTimeout` or rejects with a
 * {@link StorageUnavailableException}.
 */
@Injectable()
export class UserStore {
  /** Whether the store says that it is connected; most stores say nothing. */
  connected = true;

  readonly store: Store;
  private readonly breaker: CircuitBreaker;

  constructor(
    @Inject(RESOLVED_OPTIONS) { session, storageTimeoutMs }: ResolvedOptions,
    private readonly outageLog: OutageLog,
  ) {
    this.store = session.store;
    this.breaker = new CircuitBreaker(storageTimeoutMs);
    this.onConnection((connected) => {
      this.connected = connected;
      if (connected) outageLog.connected();
      else outageLog.disconnected('session store (connection)');
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

  /** @throws {UnusableAnswerError} if what the store has under this id is no session; it has been logged */
  get(sessionId: string): Promise<Found<SessionData>> {
    return this.call('get', (done) =>
      this.store.get(sessionId, (error, row) => {
        try {
          if (isAboutRow(error)) throw new UnusableAnswerError('a row that cannot be read');
          done(error, row == null ? row : usableRow(row));
        } catch (unusable) {
          done(unusable);
        }
      }),
    );
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

  private call<T>(operation: string, ask: Ask<T>): Promise<Found<T>> {
    const name = `session store (${operation})`;
    return this.breaker.call(calling(ask)).then(
      (answer) => {
        this.outageLog.over();
        return answer;
      },
      (error: unknown) => {
        this.outageLog.failed(name, error);
        if (error instanceof UnusableAnswerError) throw error;
        throw new StorageUnavailableException(error);
      },
    );
  }
}

function calling<T>(ask: Ask<T>): Question<Found<T>> {
  return (resolve, reject) => {
    const returned = ask(callback(resolve, reject));
    // A store that is written with promises may reject rather than call back.
    if (returned instanceof Promise) returned.catch(reject);
  };
}

/** What the store still holds when it hangs: this, and nothing of the question. */
function callback<T>(
  resolve: (value: Found<T>) => void,
  reject: (error: unknown) => void,
): Done<T | null> {
  return (error, value) => {
    if (error && !isNotFound(error)) reject(error);
    else resolve(error ? undefined : value);
  };
}

/** How file-based stores say that there is no such session; express-session takes it as that, too. */
function isNotFound(error: unknown): boolean {
  return (error as { code?: unknown } | null | undefined)?.code === 'ENOENT';
}
