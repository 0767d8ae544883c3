import { Inject, Injectable } from '@nestjs/common';
import type { IdleSessionStatus } from 'idle-session-client/protocol';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { statusOf } from './idle-session.status.js';
import { SessionActivity } from './session-activity.js';
import { isSessionRef } from './session-ref.js';

/** Tells a page why its session has ended whose cookie the browser has not any more. */
@Injectable()
export class EndedSession {
  constructor(
    private readonly activity: SessionActivity,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * `expired` with the reason, if the session has ended; else `none`: of a live one, only its cookie tells. A stranger with
   * the reference learns no more than the reason.
   * @throws {StorageUnavailableException}
   */
  async status(ref: unknown): Promise<IdleSessionStatus> {
    const reading = isSessionRef(ref) ? await this.activity.read(ref, true) : undefined;
    const evaluation = reading && this.activity.evaluate(reading);
    // After a confirm the session goes on, and why it ended is known under its new id alone.
    const isKnown = evaluation?.state === 'expired' && reading?.record?.ended !== 'confirmed';
    return statusOf(isKnown ? { ...evaluation, absoluteExpiresInMs: null } : undefined, {
      idleTimeoutMs: this.options.commonIdleTimeoutMs,
      warnBeforeMs: null,
      sessionRef: null,
      loginUrl: this.options.loginUrl,
      unlockUrl: null,
    });
  }
}
