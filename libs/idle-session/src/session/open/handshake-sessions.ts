import { IncomingMessage, ServerResponse } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Request, RequestHandler, Response } from 'express';
import type { Store } from 'express-session';
import type { RequestSession } from '../request-session.js';
import { RequestSessions } from '../request-sessions.js';
import { SESSION_MIDDLEWARE } from '../session.middleware.js';
import { IdleSessionStore } from '../session-store.js';

/** What an Express app makes a request and its response of. */
interface ExpressPrototypes {
  readonly request: object;
  readonly response: object;
}

/** The sessions of handshakes of sockets, which Express never sees. */
@Injectable()
export class HandshakeSessions {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @Inject(SESSION_MIDDLEWARE) private readonly middleware: RequestHandler,
    private readonly store: IdleSessionStore,
    private readonly requestSessions: RequestSessions,
  ) {}

  /** A handshake as the app's functions know requests: with `get()`, `ip`, and the host that a trusted proxy names. */
  toRequest(message: IncomingMessage): Request {
    if (!(message instanceof IncomingMessage))
      throw new TypeError(
        'attach() takes the handshake as its second argument: socket.io has it as client.request',
      );
    const prototypes: ExpressPrototypes = this.adapterHost.httpAdapter.getInstance();
    const request = message as Request;
    if (Object.prototype.isPrototypeOf.call(prototypes.request, request)) return request;
    Object.setPrototypeOf(request, prototypes.request);
    // Nobody sends it: the socket has its own answer.
    const response = new ServerResponse(request) as Response;
    Object.setPrototypeOf(response, prototypes.response);
    response.req = request;
    return Object.assign(request, {
      res: response,
      originalUrl: request.originalUrl ?? request.url,
    });
  }

  /** Reads the session of a handshake; again, if that was done before. */
  async read(request: Request): Promise<RequestSession> {
    if (request.sessionStore === (this.store as Store)) await this.store.reload(request);
    else await this.mount(request);
    return this.requestSessions.of(request);
  }

  private mount(request: Request): Promise<void> {
    return new Promise((resolve, reject) => {
      this.middleware(request, request.res!, (error?: unknown) =>
        error === undefined ? resolve() : reject(error as Error),
      );
    });
  }
}
