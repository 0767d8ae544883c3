import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Subject } from 'rxjs';
import type {
  ActivityReading,
  ActivityStorage,
  EndReason,
  Expiry,
} from '../activity/activity-storage.js';
import { Deadline } from '../utils/time-limit.js';
import { evaluate, type Evaluation } from '../activity/evaluate.js';
import type { IdleSessionEvent } from './idle-session.events.js';
import { isPromise, whenThere, type MaybePromise } from '../maybe-promise.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import { Outage } from '../utils/outage-log.js';
import type { ResolvedOptions } from '../options/resolve-options.js';

/**
 * The activity of sessions, by their reference: where storage, policy and events meet. Whatever a request waits for
 * answers within `storageTimeout` or throws a {@link StorageUnavailableException}.
 */
@Injectable()
export class IdleClock implements BeforeApplicationShutdown {
  private readonly happened = new Subject<IdleSessionEvent>();
  readonly events = this.happened.asObservable();
  private readonly deadline: Deadline;

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    private readonly outage: Outage,
  ) {
    this.deadline = new Deadline(options.storageTimeoutMs);
  }

  evaluate({ record, now }: ActivityReading): Evaluation | undefined {
    return record && evaluate(record, this.options, now);
  }

  /** @param fresh whatever a buffer remembers; default false */
  read(sessionRef: string, fresh = false): MaybePromise<ActivityReading> {
    return this.ask('read', (storage) => storage.read(sessionRef, fresh));
  }

  start(
    sessionRef: string,
    idleTimeoutMs: number,
    sessionId: string,
  ): MaybePromise<ActivityReading> {
    return this.ask('start', (storage) =>
      whenThere(storage.start(sessionRef, idleTimeoutMs, sessionId), (reading) => {
        if (reading.started) this.happened.next({ type: 'started', sessionRef });
        return reading;
      }),
    );
  }

  touch(sessionRef: string, idleTimeoutMs: number, at: number): MaybePromise<ActivityReading> {
    return this.ask('touch', (storage) => storage.touch(sessionRef, idleTimeoutMs, at));
  }

  /**
   * Ends the session's record. Of all that try, in all processes, one is told that it won, and emits the event; also
   * when that comes too late for whoever asked.
   */
  end(
    sessionRef: string,
    reason: EndReason,
  ): MaybePromise<ActivityReading & { readonly won: boolean }> {
    return this.ask('end', (storage) =>
      whenThere(storage.end(sessionRef, reason), (reading) => {
        if (reading.won) this.happened.next(endEvent(sessionRef, reason));
        return reading;
      }),
    );
  }

  /** Ends sessions whose time is up and emits their events, if the storage can tell which they are. */
  async expire(limit: number): Promise<Expiry> {
    const { absoluteTimeoutMs, storage } = this.options;
    // Nobody waits for this, so that it may take its time: what was ended has to be told.
    const answer = attempt(() => storage.expire?.(absoluteTimeoutMs, limit) ?? NOTHING_DUE);
    const expiry = await this.outage.watch('activity storage (expire)', Promise.resolve(answer));
    for (const { key, reason } of expiry.expired)
      this.happened.next({ type: 'expired', sessionRef: key, reason });
    return expiry;
  }

  async beforeApplicationShutdown(): Promise<void> {
    const flushed = Promise.resolve(this.options.storage.flush?.());
    // It has been logged, and that is all that can be done now.
    await this.outage.watch('activity storage (flush)', flushed).catch(() => {});
  }

  private ask<T>(
    operation: string,
    question: (storage: ActivityStorage) => MaybePromise<T>,
  ): MaybePromise<T> {
    const answer = attempt(() => question(this.options.storage));
    if (!isPromise(answer)) return answer;
    return this.outage.watch(
      `activity storage (${operation})`,
      this.deadline.ask(() => answer),
    );
  }
}

function endEvent(sessionRef: string, reason: EndReason): IdleSessionEvent {
  return reason === 'idle' || reason === 'absolute'
    ? { type: 'expired', sessionRef, reason }
    : { type: 'ended', sessionRef, reason };
}

const NOTHING_DUE: Expiry = { expired: [], more: false };

function attempt<T>(question: () => MaybePromise<T>): MaybePromise<T> {
  try {
    return question();
  } catch (error) {
    return Promise.reject(error as Error);
  }
}
