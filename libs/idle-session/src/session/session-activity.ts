import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Request } from 'express';
import type {
  ActivityReading,
  ActivityStorage,
  ActivityEnd,
  ActivityUnlock,
  Expiry,
  RecordedEnd,
} from '../activity/activity-storage.js';
import { evaluate, type Evaluation } from '../activity/evaluate.js';
import { usableCount, usableExpiry, usableReading } from '../activity/usable-answer.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { attempt } from '../utils/attempt.js';
import { CircuitBreaker } from '../utils/circuit-breaker.js';
import { InFlight } from '../utils/in-flight.js';
import { OutageLog, UnusableAnswerError } from '../utils/outage-log.js';
import { promised, withinTimeLimit } from '../utils/time-limit.js';
import { StorageUnavailableException } from './idle-session.exceptions.js';
import type { EndOrigin } from './end-origin.js';
import { removeEnded, type Ended } from './owned-session.js';
import { SessionEvents } from './session-events.js';

/** Failed while the storage could still be read. */
const WRITE = 'activity storage (write)';
const INDEX = 'activity storage (index)';

/** How many times as long as an answer to a request the last sending may take, of all that was collected. */
const FLUSH_TAKES = 3;

/**
 * The activity of sessions, by their reference: where storage, policy and events meet. What a request waits for answers
 * within `storageTimeout` or rejects with a {@link StorageUnavailableException}.
 */
@Injectable()
export class SessionActivity implements BeforeApplicationShutdown {
  private readonly breaker: CircuitBreaker;
  private readonly deciding = new InFlight();
  private allDecided: Promise<void> | undefined;
  /** How long the last answer of the storage took; null if there was none yet. */
  latencyMs: number | null = null;

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    private readonly outageLog: OutageLog,
    private readonly events: SessionEvents,
  ) {
    this.breaker = new CircuitBreaker(options.storageTimeoutMs);
  }

  /** Undefined without a record: nothing put the session under the idle timeout. */
  evaluate({ record, now }: ActivityReading): Evaluation | undefined {
    if (!record) return undefined;
    const warnBeforeMs = this.options.warnBeforeFor(record.idleTimeoutMs);
    return evaluate(record, { warnBeforeMs }, now);
  }

  isAlive(reading: ActivityReading): boolean {
    const evaluation = this.evaluate(reading);
    return evaluation !== undefined && evaluation.state !== 'expired';
  }

  /** What the storage knows without being asked; undefined if it has to be asked. */
  recall(sessionRef: string): ActivityReading | undefined {
    return this.askMemory('read', (storage) => storage.recall?.(sessionRef));
  }

  /** @param fresh true: a buffer may not answer from memory; default false */
  read(sessionRef: string, fresh = false): Promise<ActivityReading> {
    return this.ask('read', (storage) => storage.read(sessionRef, fresh));
  }

  /** Notes activity. While the storage takes none but can be read, the deadline that it knows still holds. */
  async touch(sessionRef: string, idleTimeoutMs: number, at: number): Promise<ActivityReading> {
    const noted = this.askMemory('touch', (storage) =>
      storage.note?.(sessionRef, idleTimeoutMs, at),
    );
    if (noted) return noted;
    return this.ask('touch', async (storage) => {
      try {
        const touched = await storage.touch(sessionRef, idleTimeoutMs, at);
        this.outageLog.over();
        return touched;
      } catch (error) {
        this.outageLog.began(WRITE, error);
        const reading = await storage.read(sessionRef, true);
        // Another timeout that holds from now on cannot be done without.
        if (reading.record && reading.record.idleTimeoutMs !== idleTimeoutMs) throw error;
        return reading;
      }
    });
  }

  /** @throws {StorageUnavailableException} also while the storage can be read, and takes no writes */
  unlock(sessionRef: string, idleTimeoutMs: number): Promise<ActivityUnlock> {
    return this.ask('unlock', async (storage) => {
      if (!storage.unlock) throw new UnusableAnswerError('no unlock');
      return storage.unlock(sessionRef, idleTimeoutMs);
    });
  }

  /**
   * Ends the session's record. Of all that try, in all processes, one learns that it won, and emits the event; also when
   * the storage answers too late for the request.
   */
  end(
    sessionRef: string,
    reason: RecordedEnd,
    { request, ...context }: EndOrigin,
  ): Promise<ActivityEnd> {
    const owner = request && this.ownerOf(request);
    const decide = async (storage: ActivityStorage) => {
      const reading = await storage.end(sessionRef, reason);
      if (reading?.won) {
        this.events.ended(sessionRef, reason, reading, { ...context, owner });
        void this.told([{ key: sessionRef, owner: reading.record?.owner ?? null }]);
      }
      return reading;
    };
    return this.ask('end', (storage) => this.deciding.track(decide(storage)));
  }

  /**
   * Ends sessions whose time is up, and emits their events; also those that another process left untold. Once the caller
   * is done with them, they are {@link told}.
   */
  expire(limit: number): Promise<Expiry> {
    return this.deciding.track(this.expireNow(limit));
  }

  /** Resolves once this process has emitted the ends that it is deciding now, or after `storageTimeout`. */
  decided(): Promise<void> {
    // Very many may ask at once.
    this.allDecided ??= nextTurn().then(() => {
      this.allDecided = undefined;
      return this.decidedNow();
    });
    return this.allDecided;
  }

  /** Lets the storage know that the events of these ends were emitted. Never rejects: they may be told twice, and not lost. */
  async told(ends: readonly Ended[]): Promise<void> {
    if (ends.length === 0) return;
    const { storage } = this.options;
    void this.outageLog.watch(INDEX, removeEnded(storage.index, ends)).catch(() => {});
    const noted = attempt(async () => storage.told?.(ends.map(({ key }) => key)));
    await this.outageLog.watch('activity storage (told)', noted).catch(() => {});
  }

  /** How many sessions have started and not ended; null if the storage does not count. */
  async count(): Promise<number | null> {
    return this.answerTo('count', async (storage) => usableCount(await storage.count?.()));
  }

  /** What the storage answers; undefined if it is unavailable and the options let requests go on unchecked. */
  async orUnchecked<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      this.throwUnlessUnchecked(error);
      return undefined;
    }
  }

  /** Throws an error again, unless the storage is unavailable and the options let requests go on unchecked. */
  throwUnlessUnchecked(error: unknown): void {
    const unavailable = error instanceof StorageUnavailableException;
    if (!unavailable || this.options.onStorageError !== 'allow') throw error;
  }

  async beforeApplicationShutdown(): Promise<void> {
    const { storage, storageTimeoutMs } = this.options;
    const flushed = withinTimeLimit(FLUSH_TAKES * storageTimeoutMs, async () => storage.flush?.());
    // It has been logged.
    await this.outageLog.watch('activity storage (flush)', flushed).catch(() => {});
  }

  private async decidedNow(): Promise<void> {
    const { storageTimeoutMs } = this.options;
    await withinTimeLimit(storageTimeoutMs, () => this.deciding.settled()).catch(() => {});
  }

  private async expireNow(limit: number): Promise<Expiry> {
    // No request waits for this, so it may take its time: what was ended has to be told.
    const answer = attempt(async () => usableExpiry(await this.options.storage.expire(limit)));
    const expiry = await this.outageLog.watch('activity storage (expire)', answer);
    for (const session of expiry.expired) this.events.expired(session);
    return expiry;
  }

  /** Undefined if `ownerOf` fails, which is no reason to let the session live. */
  private ownerOf(request: Request): string | undefined {
    try {
      return this.options.ownerOf?.(request);
    } catch {
      return undefined;
    }
  }

  private askMemory(
    operation: string,
    ask: (storage: ActivityStorage) => ActivityReading | undefined,
  ): ActivityReading | undefined {
    try {
      const reading = ask(this.options.storage);
      return reading && usableReading(reading);
    } catch (error) {
      throw this.failed(operation, error);
    }
  }

  /** @throws {StorageUnavailableException} */
  ask<T extends ActivityReading>(
    operation: string,
    ask: (storage: ActivityStorage) => Promise<T>,
  ): Promise<T> {
    return this.answerTo(operation, async (storage) => usableReading(await ask(storage)));
  }

  /** Asks the storage for what is no reading. */
  async answerTo<T>(operation: string, ask: (storage: ActivityStorage) => Promise<T>): Promise<T> {
    const { storage } = this.options;
    const askedAt = performance.now();
    try {
      const answer = await this.breaker.call(promised(() => ask(storage)));
      this.latencyMs = performance.now() - askedAt;
      this.outageLog.over();
      return answer;
    } catch (error) {
      throw this.failed(operation, error);
    }
  }

  private failed(operation: string, error: unknown): StorageUnavailableException {
    this.outageLog.failed(`activity storage (${operation})`, error);
    return new StorageUnavailableException(error);
  }
}
