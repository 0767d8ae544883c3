import { ForbiddenException, Inject, Injectable, Logger } from '@nestjs/common';
import type { Request } from 'express';
import { isBeingReplaced } from '../activity/evaluate.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import {
  SessionExpiredException,
  SessionLockedException,
  StorageUnavailableException,
} from '../session/idle-session.exceptions.js';
import type { RequestSession } from '../session/request-session.js';
import { RequestSessions } from '../session/request-sessions.js';
import { RefusalLog } from '../utils/refusal-log.js';
import { otherOriginOf } from '../utils/same-origin.js';

/** What an endpoint asks before it answers. */
@Injectable()
export class EndpointChecks {
  private readonly refusals = new RefusalLog(new Logger('IdleSessionModule'));

  constructor(
    private readonly requestSessions: RequestSessions,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** As {@link liveSession}, but for what is told and done for nobody but the person. @throws {SessionLockedException} */
  async openSession(request: Request): Promise<RequestSession> {
    const session = await this.liveSession(request);
    const { state, unlockUrl } = session.status();
    if (state === 'locked') throw new SessionLockedException(unlockUrl);
    return session;
  }

  /** The session of the request, locked or not, or none. @throws {SessionExpiredException} */
  async liveSession(request: Request): Promise<RequestSession> {
    const session = this.requestSessions.of(request);
    const { reason, loginUrl } = await session.check();
    this.refuseReplaced(session);
    if (reason !== null) throw new SessionExpiredException(reason, loginUrl);
    return session;
  }

  /**
   * A request with the id that the session had until the person confirmed: the browser gets the new one at this moment, and
   * is to ask again.
   * @throws {StorageUnavailableException}
   */
  refuseReplaced({ reading }: RequestSession): void {
    if (!isBeingReplaced(reading)) return;
    throw new StorageUnavailableException(new Error('The session has a new id by now'));
  }

  /** @throws {ForbiddenException} */
  refuseOtherOrigins(request: Request): void {
    const kind = otherOriginOf(request, this.options.origins);
    if (kind === undefined) return;
    const path = request.originalUrl.split('?')[0];
    this.refusals.refused(`${request.method} ${path}`, request, kind);
    throw new ForbiddenException('This request comes from another site.');
  }
}
