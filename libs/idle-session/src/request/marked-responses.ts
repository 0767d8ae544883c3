import { Inject, Injectable, type HttpException } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { Request } from 'express';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import {
  SessionExpiredException,
  SessionLockedException,
  StorageUnavailableException,
} from '../session/idle-session.exceptions.js';
import { AttachedSocket } from '../session/open/attached-socket.js';
import { OpenResponses, type ClosingEarly } from '../session/open/open-responses.js';
import { RequestSessions } from '../session/request-sessions.js';
import { SessionExpiredFilter } from './session-expired.filter.js';

/** Ends the answers to requests that a route or a handler chose, when their session ends. */
@Injectable()
export class MarkedResponses {
  constructor(
    private readonly openResponses: OpenResponses,
    private readonly requestSessions: RequestSessions,
    private readonly filter: SessionExpiredFilter,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  mark(request: Request): void {
    const { res: response } = request;
    // What came by a socket ends with that.
    if (!response || AttachedSocket.of(request)) return;
    const host = new ExecutionContextHost([request, response]);
    this.openResponses.mark(response, this.requestSessions.of(request), async (closing) => {
      await this.filter.catch(this.exceptionFor(closing), host);
    });
  }

  private exceptionFor(closing: ClosingEarly): HttpException {
    const { loginUrl, unlockUrl } = this.options;
    if (closing === 'locked') return new SessionLockedException(unlockUrl);
    if (closing !== 'unavailable') return new SessionExpiredException(closing, loginUrl);
    return new StorageUnavailableException(new Error('The session may be over'));
  }
}
