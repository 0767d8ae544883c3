import { Inject, Injectable } from '@nestjs/common';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { Request } from 'express';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import {
  SessionExpiredException,
  StorageUnavailableException,
} from '../session/idle-session.exceptions.js';
import { AttachedSocket } from '../session/open/attached-socket.js';
import { OpenResponses } from '../session/open/open-responses.js';
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
      const exception =
        closing === 'unavailable'
          ? new StorageUnavailableException(new Error('The session may be over'))
          : new SessionExpiredException(closing, this.options.loginUrl);
      await this.filter.catch(exception, host);
    });
  }
}
