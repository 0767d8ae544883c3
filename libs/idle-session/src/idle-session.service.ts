import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { Request, RequestHandler } from 'express';
import type { Observable } from 'rxjs';
import { ClientFiles, type ClientScript } from './endpoints/client-files.js';
import { MarkedResponses } from './request/marked-responses.js';
import { ProtectingMiddleware, type ProtectOptions } from './request/protecting-middleware.js';
import { RESOLVED_OPTIONS } from './options/module-definition.js';
import type { IdleSessionPolicy } from './options/policy.js';
import type { ResolvedOptions } from './options/resolve-options.js';
import { checkName, checkReason } from './session/call-checks.js';
import type { IdleSessionEvent } from './session/idle-session.events.js';
import type { IdleSessionStatus } from 'idle-session-client/protocol';
import { OpenSockets, type AttachOptions } from './session/open/open-sockets.js';
import type { AttachableSocket } from './session/open/socket.js';
import {
  PersonSessions,
  type EndAllOptions,
  type EndByRefOptions,
  type ListedSession,
  type ListOptions,
} from './session/person-sessions.js';
import type { DeliberateEndReason } from './session/request-session.js';
import { RequestSessions } from './session/request-sessions.js';
import { SessionConfirmation } from './session/session-confirmation.js';
import { SessionEnding } from './session/session-ending.js';
import { SessionEvents } from './session/session-events.js';
import { SessionUnlocking } from './session/session-unlocking.js';
import { SESSION_MIDDLEWARE } from './session/session.middleware.js';
import { SessionStats, type IdleSessionStats } from './session/session-stats.js';

/** What an app may ask of its sessions, and do with them. */
@Injectable()
export class IdleSessionService {
  /**
   * What happens to sessions: each start, unlock, expiry and end once, in the process where it was decided; and as `elsewhere` in
   * each other process that had something open for the session. Hot; a subscriber sees what comes after it subscribed.
   */
  readonly events: Observable<IdleSessionEvent>;

  /** The browser client that the endpoints serve as `${path}/client.js` and as `${path}/${client.fileName}`. */
  readonly client: ClientScript;

  constructor(
    private readonly requestSessions: RequestSessions,
    @Inject(SESSION_MIDDLEWARE) private readonly mounted: RequestHandler,
    { events }: SessionEvents,
    private readonly ending: SessionEnding,
    { fileName, integrity }: ClientFiles,
    private readonly protecting: ProtectingMiddleware,
    private readonly sockets: OpenSockets,
    private readonly markedResponses: MarkedResponses,
    private readonly sessionStats: SessionStats,
    private readonly confirmation: SessionConfirmation,
    private readonly unlocking: SessionUnlocking,
    private readonly personSessions: PersonSessions,
    @Inject(RESOLVED_OPTIONS) private readonly options: Pick<ResolvedOptions, 'policy'>,
  ) {
    this.events = events;
    this.client = { fileName, integrity };
  }

  /**
   * express-session on the module's store, for apps that have to mount it themselves, before what needs a session in
   * `main.ts`: `app.use(app.get(IdleSessionService).middleware(), passport.session())`. The module's own mounting then
   * does nothing.
   */
  middleware(): RequestHandler {
    return this.mounted;
  }

  /**
   * For Express middleware that answers past Nest's guards, such as static files or an admin page of another package:
   * checks, refuses and counts its requests as those of a controller.
   *
   * As the guard does, it lets anonymous requests pass: it does not authenticate.
   *
   * @example
   * app.use('/admin/queues', app.get(IdleSessionService).protect(), signedIn, queues);
   */
  protect(options: ProtectOptions = {}): RequestHandler {
    const protect = this.protecting.handler(options);
    return (request, response, next) =>
      this.mounted(request, response, (error?: unknown) =>
        error === undefined ? protect(request, response, next) : next(error),
      );
  }

  /**
   * Attaches a socket of `ws` or socket.io to the session that its handshake names: the socket is closed when the session
   * ends, with 1008 and the reason. A socket is refused, and closed, that has no live session, or that a page of another
   * origin opened. Opening a socket is no activity.
   *
   * @param request the handshake; socket.io has it as `client.request`
   * @returns whether the socket was let in; never rejects
   *
   * @example
   * handleConnection(client: WebSocket, request: IncomingMessage) {
   *   return this.sessions.attach(client, request);
   * }
   */
  attach(
    socket: AttachableSocket,
    request: IncomingMessage,
    options: AttachOptions = {},
  ): Promise<boolean> {
    return this.sockets.attach(socket, request, options);
  }

  /**
   * Where the request's session stands, as last known in this request. Asks no storage and refreshes nothing.
   * @throws {StorageUnavailableException} if the session could not be looked up
   */
  status(request: Request): IdleSessionStatus {
    return this.requestSessions.of(request).status();
  }

  /**
   * Where the request's session stands now, for a handler that runs for long, such as a stream: asks the storage
   * afresh, and ends the session if its time is up. Never counts as activity.
   * @throws {StorageUnavailableException}
   */
  async check(request: Request): Promise<IdleSessionStatus> {
    return this.requestSessions.of(request).checkAgain();
  }

  /**
   * Cuts off the answer to the request when its session ends, as `@EndsWithSession()` does for a route: for handlers that
   * decide themselves, and for Express middleware behind {@link protect}. Does nothing for a request without a session.
   */
  endWithSession(request: Request): void {
    this.markedResponses.mark(request);
  }

  /**
   * Notes that the person behind the request did something, `idleForMs` milliseconds ago: never revives a session
   * that ended, never unlocks one, never moves activity back, never into the future. Resolves to the status afterwards; without a
   * session that is `none`.
   * @throws {StorageUnavailableException}
   */
  async refresh(request: Request, idleForMs = 0): Promise<IdleSessionStatus> {
    return this.requestSessions.of(request).refresh(idleForMs);
  }

  /**
   * Ends the request's session for good, in the record and in the store; `request.session` is undefined afterwards,
   * as after `request.session.destroy()`. Does nothing for a session that has ended.
   * @param reason default `'signed-out'`
   * @throws {StorageUnavailableException} if it could not be ended
   * @throws {TypeError} for another reason
   */
  async end(request: Request, reason: DeliberateEndReason = 'signed-out'): Promise<void> {
    checkReason('end', reason);
    await this.requestSessions.of(request).end(reason);
  }

  /**
   * Notes that the person has just proved again who they are: call it once your code has checked a password, a passkey or a
   * second factor. The session gets a new id and keeps its data, and both limits and the proof begin anew. Use
   * `request.session` afterwards, and none that you took before.
   *
   * @returns false if another request of the session did so first, such as a form that was sent twice: the person is
   * confirmed all the same, the browser gets the new id from that request, and this one has no session any more
   * @throws {SessionExpiredException} if the session has ended
   * @throws {SessionLockedException} if it is locked: {@link unlock} it first
   * @throws {StorageUnavailableException} the session is as it was, or has ended if only the answer to that was lost
   * @throws {TooManySessionsException} if the session was nobody's, or another person's, and there is no place for it
   * @throws {UnauthorizedException} without a session, or if `appliesTo` said no
   * @throws {Error} if the answer has begun, or there is none, as for a message: the browser would not get the new id
   */
  async confirm(request: Request): Promise<boolean> {
    return this.confirmation.confirm(request);
  }

  /**
   * Goes on with a locked session: call it on a route with `@AllowLocked()`, once your code has checked a password or a PIN. The
   * session keeps its id, its data and its absolute limit; it is no fresh proof for `@FreshSession()`.
   * @returns true if the session goes on; false if it has ended, or there is none
   * @throws {StorageUnavailableException} the session is as it was
   */
  async unlock(request: Request): Promise<boolean> {
    return this.unlocking.unlock(request);
  }

  /**
   * Ends any session by its id as `'revoked'`, for good and in every process; no request of its own is needed. Does
   * nothing for a session that has ended or that there is none of.
   * @param sessionId as `request.sessionID` was in a request of that session
   * @param by who ended it, for the event
   * @throws {StorageUnavailableException} if it could not be ended
   * @throws {TypeError} for a `by` that is no name
   */
  async revoke(sessionId: string, { by }: { readonly by?: string } = {}): Promise<void> {
    checkName('revoke', 'by', by);
    await this.ending.end(sessionId, 'revoked', { cause: 'request', endedBy: by });
  }

  /**
   * The live sessions of an owner, as `ownerOf` names them, with the newest activity first.
   * @throws {StorageUnavailableException}
   * @throws {Error} without `ownerOf` or a storage with an `index`; a `TypeError` for an owner that is no name
   *
   * @example
   * const devices = await sessions.list(request.session.user, { current: request });
   */
  list(owner: string, options: ListOptions = {}): Promise<ListedSession[]> {
    return this.personSessions.list(owner, options);
  }

  /**
   * Ends a session by its reference, for good and in every process. Give the `owner` for a reference that a browser sent:
   * a session of another person is then left alone.
   * @returns whether there was such a live session, and this call ended it
   * @throws {StorageUnavailableException} if it could not be ended
   * @throws {Error} as {@link list} does, if an `owner` is given; a `TypeError` also for another reason or a `by` that is no name
   */
  endByRef(ref: string, options: EndByRefOptions = {}): Promise<boolean> {
    return this.personSessions.endByRef(ref, options);
  }

  /**
   * Ends all sessions of an owner as `'revoked'`, for good and in every process; also those that are about to start.
   * @returns how many
   * @throws {StorageUnavailableException} if one could not be ended, or if the request to be kept has an id from before a
   * confirm in another request, such as a form that was sent twice
   * @throws {Error} as {@link list} does; a `TypeError` also for a `by` that is no name
   *
   * @example
   * await sessions.endAll(user.id, { except: request, by: user.id }); // after a change of password
   */
  endAll(owner: string, options: EndAllOptions = {}): Promise<number> {
    return this.personSessions.endAll(owner, options);
  }

  /** Numbers for monitoring; never rejects. Asks the storage for what all processes share. */
  async stats(): Promise<IdleSessionStats> {
    return this.sessionStats.read();
  }

  /** Which limits are in force, who set each, and the clause behind it: evidence for an auditor. */
  policy(): IdleSessionPolicy {
    return this.options.policy;
  }
}
