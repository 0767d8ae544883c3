import type { Logger } from '@nestjs/common';
import {
  StorageUnavailableException,
  type ActivityReading,
  type ActivityStorage,
  type EndReason,
  type IdleSessionEvent,
} from 'nestjs-idle-session';
import { IdleClock } from '../../../libs/idle-session/src/idle-clock.js';
import { Outage } from '../../../libs/idle-session/src/outage.js';
import type { ResolvedOptions } from '../../../libs/idle-session/src/resolve-options.js';
import type { Outcome, Visit } from '../../model/storage-oracle.js';
import type { MaybePromise } from '../../../libs/idle-session/src/maybe-promise.js';

const STORAGE_TIMEOUT_MS = 1000;

/** As many as a sweep looks at in one go. */
const AT_ONCE = 160;

const silent = { error() {}, log() {} } as unknown as Logger;

/** A server process, as far as it has to do with activity: its idle clock, and what requests do with it. */
export class Server {
  private readonly clock: IdleClock;

  constructor(
    private readonly storage: ActivityStorage,
    absoluteTimeoutMs: number | false,
    onEvent: (event: IdleSessionEvent) => void,
  ) {
    const options = {
      storage,
      absoluteTimeoutMs,
      warnBeforeMs: false,
      storageTimeoutMs: STORAGE_TIMEOUT_MS,
    };
    this.clock = new IdleClock(options as ResolvedOptions, new Outage(silent));
    this.clock.events.subscribe(onEvent);
  }

  start(key: string, idleTimeoutMs: number): Promise<Outcome> {
    return this.orUnavailable(async () =>
      this.outcome(await this.clock.start(key, idleTimeoutMs, `id of ${key}`)),
    );
  }

  /** A request: looked up by the store, checked by the guard, counted by the interceptor. */
  visit(key: string, { idleTimeoutMs, passive = false, idleForMs = 0 }: Visit): Promise<Outcome> {
    return this.orUnavailable(async () => {
      let reading = await this.endIfExpired(key, await this.clock.read(key));
      let heardAt = performance.now();
      if (this.outcome(reading) !== 'accepted') return this.outcome(reading);

      const { record } = reading;
      if (record && record.idleTimeoutMs !== idleTimeoutMs) {
        reading = await this.hear(key, this.clock.touch(key, idleTimeoutMs, record.lastActivityAt));
        heardAt = performance.now();
      }
      if (passive || this.outcome(reading) !== 'accepted') return this.outcome(reading);

      const at = Math.round(reading.now + (performance.now() - heardAt) - idleForMs);
      return this.outcome(await this.hear(key, this.clock.touch(key, idleTimeoutMs, at)));
    });
  }

  end(key: string, reason: EndReason): Promise<Outcome> {
    return this.orUnavailable(async () => this.outcome(await this.clock.end(key, reason)));
  }

  /** Resolves to what was ended. */
  async sweep(): Promise<readonly string[]> {
    const { expired } = await this.clock.expire(AT_ONCE);
    return expired.map(({ key }) => key);
  }

  /** Sends what is left to be sent. Rejects if it could not be. */
  async stop(): Promise<void> {
    await this.storage.flush?.();
  }

  private async hear(key: string, answer: MaybePromise<ActivityReading>): Promise<ActivityReading> {
    return this.endIfExpired(key, await answer);
  }

  private async endIfExpired(key: string, reading: ActivityReading): Promise<ActivityReading> {
    const evaluation = this.clock.evaluate(reading);
    const isDue = evaluation?.state === 'expired' && reading.record?.ended === undefined;
    return isDue ? this.clock.end(key, evaluation.reason) : reading;
  }

  private outcome(reading: ActivityReading): Outcome {
    const evaluation = this.clock.evaluate(reading);
    if (!evaluation) return 'unknown';
    return evaluation.state === 'expired' ? evaluation.reason : 'accepted';
  }

  private async orUnavailable(work: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StorageUnavailableException) return 'unavailable';
      throw error;
    }
  }
}
