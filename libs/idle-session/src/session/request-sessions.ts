import { Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import type { SessionData } from 'express-session';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { StorageUnavailableException } from './idle-session.exceptions.js';
import { RequestSession } from './request-session.js';
import { saveSession } from './save-session.js';
import { SessionActivity } from './session-activity.js';
import { SessionEnding } from './session-ending.js';
import { countCookies } from './session-cookies.js';
import { SessionWriter } from './session-writer.js';
import { UserStore } from './user-store.js';

/** Finds the {@link RequestSession} of a request. */
@Injectable()
export class RequestSessions {
  /** Of this app: two apps in a process may handle the same request. */
  private readonly byRequest = new WeakMap<Request, RequestSession>();

  constructor(
    private readonly activity: SessionActivity,
    private readonly ending: SessionEnding,
    private readonly writer: SessionWriter,
    private readonly userStore: UserStore,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** @throws {Error} if another session middleware has put a session on the request */
  of(request: Request): RequestSession {
    const known = this.find(request);
    if (isForeign(request.session, known)) throw new Error(FOREIGN_SESSION);
    if (known) return known;
    const session = this.create(request);
    // express-session passes over its store while that is disconnected.
    if (!this.userStore.connected && this.hasCookie(request)) {
      const cause = new Error('the session store is disconnected');
      session.adopt({ failure: new StorageUnavailableException(cause) });
    }
    return session;
  }

  /** Undefined as long as the session store was not asked for the request's session. */
  find(request: Request): RequestSession | undefined {
    return this.byRequest.get(request) ?? this.byRequest.get(receivedRequest(request));
  }

  findBySession(session: SessionData): RequestSession | undefined {
    const request = requestOf(session);
    return request && this.find(request);
  }

  /** Whether a sign-in may find that there are too many sessions. */
  get mayRefuse(): boolean {
    const { maxSessionsFor, onMaxSessions } = this.options;
    return maxSessionsFor !== undefined && onMaxSessions === 'refuse';
  }

  /**
   * Saves a new session that belongs to a person, so that it is refused before the answer rather than behind it.
   * @throws {TooManySessionsException}
   */
  async saveNew(request: Request): Promise<void> {
    const isNew = request.session != null && !this.find(request)?.record;
    if (!isNew || request.res?.headersSent || !this.options.ownerOf?.(request)) return;
    await saveSession(request);
  }

  /** For the session store, as express-session hands a session to the request. */
  findOrCreate(request: Request): RequestSession {
    return this.find(request) ?? this.create(request);
  }

  private create(request: Request): RequestSession {
    const { activity, ending, writer, options } = this;
    const session = new RequestSession(request, activity, ending, writer, options);
    this.byRequest.set(request, session);
    return session;
  }

  private hasCookie({ headers }: Request): boolean {
    return countCookies(headers.cookie ?? '', this.options.session.name) > 0;
  }
}

/** The request as it came: an app may hand on one that it wrapped, to GraphQL resolvers say. */
export function receivedRequest(request: Request): Request {
  return request.res?.req ?? request;
}

/** The request that a session of express-session's belongs to. */
export function requestOf(session: SessionData): Request | undefined {
  return (session as SessionData & { readonly req?: Request }).req;
}

/**
 * Whether a session is no session of the module's express-session: it came before that, in the place of it, or from another
 * request.
 */
function isForeign(session: SessionData | undefined, known: RequestSession | undefined): boolean {
  if (session == null) return false;
  return known === undefined || requestOf(session) !== known.request || !isExpressSession(session);
}

/** Whether a session has what express-session calls for each answer; without it, the answer never ends. */
export function isExpressSession(session: SessionData): boolean {
  return typeof (session as { touch?: unknown }).touch === 'function';
}

export const FOREIGN_SESSION =
  'The request has a session that IdleSessionModule does not guard: something else mounted a session middleware, or assigned request.session. ' +
  'Remove that and give its options to IdleSessionModule.forRoot({ session }), or mount ' +
  'app.use(app.get(IdleSessionService).middleware()) in its place.';
