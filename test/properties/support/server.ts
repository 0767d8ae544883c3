import {
  StorageUnavailableException,
  type ActivityReading,
  type ActivityStorage,
  type EndReason,
  type IdleSessionEvent,
} from 'nestjs-idle-session';
import type { Request } from 'express';
import type { ResolvedOptions } from '../../../libs/idle-session/src/options/resolve-options.js';
import { SessionActivity } from '../../../libs/idle-session/src/session/session-activity.js';
import { SessionStart } from '../../../libs/idle-session/src/session/session-start.js';
import { SessionEvents } from '../../../libs/idle-session/src/session/session-events.js';
import { OutageLog } from '../../../libs/idle-session/src/utils/outage-log.js';
import type { Rules } from '../../model/rules.js';
import type { Outcome } from '../../model/storage-oracle.js';
import { whatCounts, type Visit } from '../../model/visit.js';

const STORAGE_TIMEOUT_MS = 1000;

/** As many as a sweep looks at in one go. */
const AT_ONCE = 160;

const silent = { error() {}, log() {} };

/** What the options read of the request that starts a session. */
type Starting = Request & { readonly idleTimeoutMs: number };

/** A server process, as far as it has to do with activity: and what requests do with it. */
export class Server {
  private readonly activity: SessionActivity;
  private readonly starting: SessionStart;

  constructor(
    private readonly storage: ActivityStorage,
    { absoluteTimeoutMs, lockAfterMs }: Pick<Rules, 'absoluteTimeoutMs' | 'lockAfterMs'>,
    onEvent: (event: IdleSessionEvent) => void,
    storageTimeoutMs = STORAGE_TIMEOUT_MS,
  ) {
    const options = {
      storage,
      limitsFor: async ({ idleTimeoutMs }: Starting) => ({
        idleTimeoutMs,
        absoluteTimeoutMs: absoluteTimeoutMs || null,
        lockAfterMs: lockAfterMs || null,
      }),
      warnBeforeFor: () => false,
      storageTimeoutMs,
      idleTimeoutFor: ({ idleTimeoutMs }: Starting) => idleTimeoutMs,
      onStorageError: 'reject',
    } as unknown as ResolvedOptions;
    const events = new SessionEvents();
    events.events.subscribe(onEvent);
    this.activity = new SessionActivity(options, new OutageLog(silent), events);
    this.starting = new SessionStart(this.activity, events, options);
  }

  start(key: string, idleTimeoutMs: number): Promise<Outcome> {
    return this.orUnavailable(async () =>
      this.outcome(await this.starting.start(key, `id of ${key}`, { idleTimeoutMs } as Starting)),
    );
  }

  /** A request: looked up by the store, checked by the guard, counted by the interceptor. */
  visit(key: string, visit: Visit): Promise<Outcome> {
    const { idleTimeoutMs, passive, idleForMs, unlocks } = whatCounts(visit);
    return this.orUnavailable(async () => {
      let reading = await this.endIfExpired(key, await this.activity.read(key));
      let readAt = performance.now();
      const isLocked = this.outcome(reading) === 'locked';
      if (unlocks && (isLocked || this.outcome(reading) === 'accepted')) {
        const answer = await this.activity.unlock(key, idleTimeoutMs);
        reading = await this.endIfExpired(key, answer);
        readAt = performance.now();
        // One that was not locked goes on below.
        if (answer.unlocked) return this.outcome(reading);
      }
      if (this.outcome(reading) !== 'accepted') return this.outcome(reading);

      const { record } = reading;
      if (record && record.idleTimeoutMs !== idleTimeoutMs) {
        reading = await this.update(
          key,
          this.activity.touch(key, idleTimeoutMs, record.lastActivityAt),
        );
        readAt = performance.now();
      }
      if (passive || this.outcome(reading) !== 'accepted') return this.outcome(reading);

      const at = Math.round(reading.now + (performance.now() - readAt) - idleForMs);
      return this.outcome(await this.update(key, this.activity.touch(key, idleTimeoutMs, at)));
    });
  }

  end(key: string, reason: EndReason): Promise<Outcome> {
    return this.orUnavailable(async () =>
      this.outcome(await this.activity.end(key, reason, { cause: 'request' })),
    );
  }

  /** Resolves to what was ended. */
  async sweep(): Promise<readonly string[]> {
    const { expired } = await this.activity.expire(AT_ONCE);
    await this.activity.told(expired);
    return expired.map(({ key }) => key);
  }

  /** Sends what is left to be sent. Rejects if it could not be. */
  async stop(): Promise<void> {
    await this.storage.flush?.();
  }

  private async update(key: string, answer: Promise<ActivityReading>): Promise<ActivityReading> {
    return this.endIfExpired(key, await answer);
  }

  private async endIfExpired(key: string, reading: ActivityReading): Promise<ActivityReading> {
    const evaluation = this.activity.evaluate(reading);
    const isDue = evaluation?.state === 'expired' && reading.record?.ended === undefined;
    return isDue ? this.activity.end(key, evaluation.reason, { cause: 'request' }) : reading;
  }

  private outcome(reading: ActivityReading): Outcome {
    const evaluation = this.activity.evaluate(reading);
    if (!evaluation) return 'unknown';
    if (evaluation.state === 'expired') return evaluation.reason;
    return evaluation.state === 'locked' ? 'locked' : 'accepted';
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
