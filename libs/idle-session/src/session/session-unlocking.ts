import { Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { isOpen } from './idle-session.status.js';
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
    const { state } = session.status();
    const { ref, isStored, reading, record } = session;
    // Of a request that goes unchecked, the record is not known.
    const isNone = !ref || !isStored || request.session == null || (reading && state === 'none');
    if (isNone || state === 'expired') return false;
    const owner = this.options.ownerOf?.(request);
    const idleTimeoutMs = await this.options.idleTimeoutFor(request);
    const unlocked = await this.activity.unlock(ref, idleTimeoutMs);
    request.idleSession = await session.update(Promise.resolve(unlocked));
    if (!isOpen(request.idleSession)) return false;
    if (state === 'locked') this.events.unlocked(ref, record!, unlocked.now, owner);
    return true;
  }
}
