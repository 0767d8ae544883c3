import { Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { isOpen } from './idle-session.status.js';
import { refuseUnchecked } from './refuse-unchecked.js';
import { RequestSessions } from './request-sessions.js';
import { SessionActivity } from './session-activity.js';
import { SessionEvents } from './session-events.js';

/** Goes on with locked sessions. */
@Injectable()
export class SessionUnlocking {
  constructor(
    private readonly requestSessions: RequestSessions,
    private readonly activity: SessionActivity,
    private readonly events: SessionEvents,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * @returns whether the session goes on
   * @throws {StorageUnavailableException} also where requests go unchecked: nothing is unlocked then
   */
  async unlock(request: Request): Promise<boolean> {
    const session = this.requestSessions.of(request);
    const { state } = session.reading ? session.status() : await session.checkAgain();
    refuseUnchecked(session);
    const { ref, isStored, record } = session;
    if (!ref || !isStored || !record || request.session == null) return false;
    if (state === 'none' || state === 'expired') return false;
    const owner = this.options.ownerOf?.(request);
    const idleTimeoutMs = await this.options.idleTimeoutFor(request);
    const reading = await this.activity.unlock(ref, idleTimeoutMs);
    const status = await session.update(Promise.resolve(reading));
    // Of one that was not locked, or not any more, it is activity.
    request.idleSession = reading.unlocked ? status : await session.refresh();
    if (!isOpen(request.idleSession)) return false;
    if (reading.unlocked) this.events.unlocked(ref, record, reading.now, owner);
    return true;
  }
}
