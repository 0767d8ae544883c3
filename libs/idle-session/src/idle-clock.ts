import { Inject, Injectable } from '@nestjs/common';
import { Subject } from 'rxjs';
import type { ActivityReading, ActivityStorage, EndReason } from './activity-storage.js';
import { evaluate, type Evaluation } from './evaluate.js';
import type { IdleSessionEvent } from './idle-session.events.js';
import { inTime } from './in-time.js';
import { RESOLVED_OPTIONS } from './module-definition.js';
import { Outage } from './outage.js';
import type { ResolvedOptions } from './resolve-options.js';

/**
 * The activity of sessions, by their reference: where storage, policy and events meet. Every call answers within
 * `storageTimeout` or throws a {@link StorageUnavailableException}.
 */
@Injectable()
export class IdleClock {
  private readonly happened = new Subject<IdleSessionEvent>();
  readonly events = this.happened.asObservable();

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    private readonly outage: Outage,
  ) {}

  evaluate({ record, now }: ActivityReading): Evaluation | undefined {
    return record && evaluate(record, this.options, now);
  }

  read(sessionRef: string): Promise<ActivityReading> {
    return this.ask('read', (storage) => storage.read(sessionRef));
  }

  async start(sessionRef: string, idleTimeoutMs: number): Promise<ActivityReading> {
    const reading = await this.ask('start', (storage) => storage.start(sessionRef, idleTimeoutMs));
    if (reading.started) this.happened.next({ type: 'started', sessionRef });
    return reading;
  }

  touch(sessionRef: string, idleTimeoutMs: number, at: number): Promise<ActivityReading> {
    return this.ask('touch', (storage) => storage.touch(sessionRef, idleTimeoutMs, at));
  }

  /** Ends the session's record. Of all that try, in all processes, one is told that it won, and emits the event. */
  async end(
    sessionRef: string,
    reason: EndReason,
  ): Promise<ActivityReading & { readonly won: boolean }> {
    const reading = await this.ask('end', (storage) => storage.end(sessionRef, reason));
    if (reading.won) {
      this.happened.next(
        reason === 'idle' || reason === 'absolute'
          ? { type: 'expired', sessionRef, reason }
          : { type: 'ended', sessionRef, reason },
      );
    }
    return reading;
  }

  private ask<T>(
    operation: string,
    question: (storage: ActivityStorage) => Promise<T>,
  ): Promise<T> {
    const { storage, storageTimeoutMs } = this.options;
    const answer = inTime(() => question(storage), storageTimeoutMs);
    return this.outage.watch(`activity storage (${operation})`, answer);
  }
}
