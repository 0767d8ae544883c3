import { Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { Store, type Session, type SessionData } from 'express-session';
import type { ActivityReading } from '../activity/activity-storage.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { FoundSession, RequestSession } from './request-session.js';
import { RequestSessions } from './request-sessions.js';
import { SessionActivity } from './session-activity.js';
import { SessionLookup } from './session-lookup.js';
import { sessionRef } from './session-ref.js';
import { fromStored, isEmpty, isMarked, isRenewal, keepFor, toStored } from './stored-session.js';
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
    private readonly activity: SessionActivity,
    private readonly userStore: UserStore,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
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

  override createSession(request: Request, data: SessionData): Session & SessionData {
    const found = this.handedOver(request) ?? {};
    const session = super.createSession(request, data);
    this.requestSessions.findOrCreate(request).adopt(found, session.cookie);
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
    this.destroy(request.sessionID, (error) => {
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
    settle(this.save(sessionId, session), callback);
  }

  override touch(sessionId: string, session: SessionData, callback: Callback = () => {}): void {
    // After the answers to all requests that were read from the session store together: sent one by one, each would wake
    // its reader for itself.
    if (!this.needsRenewal(session)) return process.nextTick(callback);
    // The answer is on its way: a store that cannot renew now gets its next chance an idle timeout later.
    settle(
      this.renew(sessionId, session).catch(() => {}),
      callback,
    );
  }

  override destroy(sessionId: string, callback: Callback = () => {}): void {
    settle(this.endAndDestroy(sessionId), callback);
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

  private handedOver(request: Request): FoundSession | undefined {
    const { handover } = this;
    return handover?.sessionId === request.sessionID ? handover?.found : undefined;
  }

  private requestSessionOf(session: SessionData): RequestSession | undefined {
    const request = requestOf(session);
    return request && this.requestSessions.find(request);
  }

  private async save(sessionId: string, session: SessionData): Promise<void> {
    const request = requestOf(session);
    const failure = this.requestSessionOf(session)?.failure;
    if (failure) {
      if (isEmpty(session)) return;
      throw failure;
    }

    const ref = sessionRef(sessionId);
    const reading = await this.readingFor(sessionId, ref, session, request);
    if (reading === undefined) return this.userStore.set(sessionId, session);
    if (!reading.record || this.activity.evaluate(reading)?.state === 'expired') return;

    const keepUntil = Date.now() + keepFor(reading.record.idleTimeoutMs);
    await this.userStore.set(sessionId, toStored(session, ref, keepUntil));
    // From its first save on, a new session is the request's.
    if (request?.session?.id === sessionId)
      this.requestSessionOf(session)?.adopt({ ref, reading, stored: true });
    // It may have ended while it was being saved, in whatever process.
    const after = await this.activity.orUnchecked(this.activity.read(ref, true));
    if (after?.record?.ended !== undefined) await this.userStore.destroy(sessionId);
  }

  /** The session's activity, begun if this is the first save; undefined if the session is not under the idle timeout. */
  private async readingFor(
    sessionId: string,
    ref: string,
    session: SessionData,
    request: Request | undefined,
  ): Promise<ActivityReading | undefined> {
    if (!isMarked(session, ref) && request && this.options.appliesTo(request))
      return this.activity.orUnchecked(this.activity.start(ref, sessionId, request));
    const reading = await this.activity.orUnchecked(this.activity.read(ref));
    return reading?.record || isMarked(session, ref) ? reading : undefined;
  }

  /** Whether the app's store has to be told, so that it does not drop the session before its time. */
  private needsRenewal(session: SessionData): boolean {
    const requestSession = this.requestSessionOf(session);
    if (requestSession?.failure) return false;
    const { recordBefore, record } = requestSession ?? {};
    if (!recordBefore || !record) return this.userStore.canTouch;
    return record.ended === undefined && isRenewal(recordBefore, record);
  }

  private async renew(sessionId: string, session: SessionData): Promise<void> {
    const { ref, record } = this.requestSessionOf(session) ?? {};
    if (!ref || !record) return this.userStore.touch(sessionId, session);

    const keepUntil = Date.now() + keepFor(record.idleTimeoutMs);
    if (this.userStore.canTouch)
      return this.userStore.touch(sessionId, toStored(session, ref, keepUntil));
    // Saving is all that such a store can do; what the request has may be older than what is stored.
    const row = await this.userStore.get(sessionId);
    if (row) await this.userStore.set(sessionId, toStored(fromStored(row, ref), ref, keepUntil));
  }

  private async endAndDestroy(sessionId: string): Promise<void> {
    const ref = sessionRef(sessionId);
    const { record } = (await this.activity.orUnchecked(this.activity.read(ref))) ?? {};
    if (record && record.ended === undefined) await this.activity.end(ref, 'signed-out');
    await this.userStore.destroy(sessionId);
  }
}

/** The request that a session of express-session's belongs to. */
function requestOf(session: SessionData): Request | undefined {
  return (session as SessionData & { readonly req?: Request }).req;
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
