import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { Store, type Session, type SessionData } from 'express-session';
import type { RecordedEnd } from '../activity/activity-storage.js';
import type { FoundSession } from './found-session.js';
import { FOREIGN_SESSION, RequestSessions } from './request-sessions.js';
import type { EndOrigin } from './end-origin.js';
import { SessionEnding } from './session-ending.js';
import { SessionLookup } from './session-lookup.js';
import { SessionSaving } from './session-saving.js';
import { isMarked } from './stored-session.js';
import { UserStore } from './user-store.js';

type Callback = (error?: unknown) => void;

/**
 * The store that express-session sees: the app's own, with the idle timeout around it.
 *
 * - A session that ended is not handed out: its request has an empty one, as an anonymous request has.
 * - The first save starts the record; a session whose record ended is not saved.
 * - Destroying a session ends its record, so that `request.session.destroy()` is a sign-out.
 * - What could not be looked up in time comes as an empty session that cannot be saved, with the failure in its
 *   {@link RequestSession}; the guard answers it, and exempt routes go on.
 */
@Injectable()
export class IdleSessionStore extends Store {
  /** Puts a new session on the request; express-session sets it on a store that it is given. */
  declare generate: (request: Request) => void;

  /** From the answer to `get` until express-session makes the request's session of it, in the same tick. */
  private handover: { readonly sessionId: string; readonly found: FoundSession } | undefined;

  constructor(
    private readonly lookup: SessionLookup,
    private readonly requestSessions: RequestSessions,
    private readonly saving: SessionSaving,
    private readonly ending: SessionEnding,
    private readonly userStore: UserStore,
  ) {
    super();
    userStore.onConnection((connected) => this.emit(connected ? 'connect' : 'disconnect'));
  }

  override get(
    sessionId: string,
    callback: (error: unknown, session?: SessionData | null) => void,
  ): void {
    void this.lookup.find(sessionId).then(({ found, data }) => {
      this.handover = { sessionId, found };
      try {
        callback(found.failure ? passedOver(found.failure) : null, data);
      } finally {
        this.handover = undefined;
      }
    });
  }

  /** Reads the session of a request once more, as express-session read it first. */
  reload(request: Request): Promise<void> {
    return new Promise((resolve, reject) => {
      this.get(request.sessionID, (_, data) => {
        try {
          if (data) this.createSession(request, data);
          else this.generate(request);
          resolve();
        } catch (error) {
          // What the app's `genid` throws.
          reject(error as Error);
        }
      });
    });
  }

  /** Of several session ids, the first of a live session or of one that could not be looked up; else the first. */
  async firstLive(sessionIds: readonly string[]): Promise<string | undefined> {
    for (const sessionId of sessionIds) {
      const { found, data } = await this.lookup.find(sessionId);
      if (data || found.failure) return sessionId;
    }
    return sessionIds[0];
  }

  override createSession(request: Request, data: SessionData): Session & SessionData {
    // By now, what the store gave out before may be of a session that is locked or has ended.
    const found = this.handedOver(request) ?? { failure: new Error(FOREIGN_SESSION) };
    const session = super.createSession(request, data);
    this.requestSessions.findOrCreate(request).adopt(found, session.cookie);
    const { ref, reading } = found;
    if (ref !== undefined && !reading?.record && !isMarked(data, ref)) this.touchNow(session);
    return session;
  }

  /**
   * Wraps the `generate` that express-session puts on its store: called for a request without a session, and when one
   * is regenerated.
   */
  wrapGenerate(generate: (request: Request) => void): (request: Request) => void {
    return (request) => {
      const found = this.handedOver(request) ?? {};
      generate(request);
      this.requestSessions.findOrCreate(request).adopt(found, request.session.cookie);
    };
  }

  /** As express-session's, but if the old session could not be ended, the request keeps it, and its cookie. */
  override regenerate(request: Request, callback: (error?: unknown) => unknown): void {
    settle(this.end(request.sessionID, 'replaced', { cause: 'request', request }), (error) => {
      if (error) return callback(error);
      try {
        this.generate(request);
      } catch (failure) {
        return callback(failure);
      }
      callback();
    });
  }

  /** Whether the id in the request's cookie is to be kept, because nothing is known of its session yet. */
  keepsId(request: Request): boolean {
    return this.handedOver(request)?.failure !== undefined;
  }

  override set(sessionId: string, session: SessionData, callback: Callback = () => {}): void {
    settle(this.saving.save(sessionId, session), callback);
  }

  override destroy(sessionId: string, callback: Callback = () => {}): void {
    settle(this.end(sessionId, 'signed-out', { cause: 'store' }), callback);
  }

  override all(
    callback: (
      error: unknown,
      sessions?: SessionData[] | Record<string, SessionData> | null,
    ) => void,
  ): void {
    const { store } = this.userStore;
    if (store.all) store.all(callback);
    else callback(new Error('The session store has no all()'));
  }

  override length(callback: (error: unknown, length?: number) => void): void {
    const { store } = this.userStore;
    if (store.length) store.length(callback);
    else callback(new Error('The session store has no length()'));
  }

  override clear(callback: Callback = () => {}): void {
    const { store } = this.userStore;
    if (store.clear) store.clear(callback);
    else callback(new Error('The session store has no clear()'));
  }

  /**
   * express-session would touch each session with its answer, and not end the answer before that: it finds no `touch` here.
   * A session under the idle timeout is renewed as its activity asks for it, any other by each request, before its handler.
   */
  private touchNow(session: Session & SessionData): void {
    session.touch();
    this.userStore.touch(session.id, session).catch(() => {});
  }

  private handedOver(request: Request): FoundSession | undefined {
    const { handover } = this;
    return handover?.sessionId === request.sessionID ? handover?.found : undefined;
  }

  private async end(sessionId: string, reason: RecordedEnd, origin: EndOrigin): Promise<void> {
    await this.ending.end(sessionId, reason, origin);
  }
}

function settle(promise: Promise<void>, callback: Callback): void {
  promise.then(
    () => callback(),
    (error: unknown) => callback(error),
  );
}

/** The failure as an error that express-session takes for "no such session"; the guard sees what it is. */
function passedOver(failure: Error): Error {
  return Object.assign(new Error(failure.message, { cause: failure }), { code: 'ENOENT' });
}
