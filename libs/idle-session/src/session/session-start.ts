import { Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import type { ActivityReading, NewSession } from '../activity/activity-storage.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { STARTS_WITHIN_MS } from './owned-session.js';
import { ownerHash } from './owner-hash.js';
import { SessionActivity } from './session-activity.js';
import { SessionEvents } from './session-events.js';

export interface StartHooks {
  /** If it rejects, the record does not start. */
  readonly beforeStart?: (session: NewSession, owner: string | undefined) => Promise<void>;
  /** In place of the event. */
  readonly onStarted?: (reading: ActivityReading, owner: string | undefined) => void;
}

/** Starts the records of sessions. */
@Injectable()
export class SessionStart {
  constructor(
    private readonly activity: SessionActivity,
    private readonly events: SessionEvents,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Starts the record of a session with the limits that the options give to this request.
   * @throws {StorageUnavailableException}
   */
  async start(
    sessionRef: string,
    sessionId: string,
    request: Request,
    hooks: StartHooks = {},
  ): Promise<ActivityReading> {
    const { limitsFor, ownerOf, secrets } = this.options;
    const limits = await limitsFor(request);
    const owner = ownerOf?.(request);
    const session: NewSession = {
      sessionId,
      ...limits,
      owner: owner === undefined ? null : ownerHash(secrets[0], owner),
    };
    const began = performance.now();
    await hooks.beforeStart?.(session, owner);
    return this.activity.ask('start', async (storage) => {
      const reading = await storage.start(sessionRef, session);
      if (reading?.started && hooks.onStarted) hooks.onStarted(reading, owner);
      else if (reading?.started) this.events.started(sessionRef, reading, owner);
      // The index may have forgotten it by now.
      const isLate = owner !== undefined && performance.now() - began > STARTS_WITHIN_MS / 2;
      return isLate ? this.activity.end(sessionRef, 'revoked', { cause: 'request' }) : reading;
    });
  }
}
