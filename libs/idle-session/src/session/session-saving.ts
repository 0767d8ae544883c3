import { Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import type { SessionData } from 'express-session';
import type { ActivityReading, NewSession } from '../activity/activity-storage.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { logMissing } from './end-log.js';
import { TooManySessionsException } from './idle-session.exceptions.js';
import { persistentCookieWarning } from './persistent-cookie-warning.js';
import { requestOf, RequestSessions } from './request-sessions.js';
import { SessionActivity } from './session-activity.js';
import { SessionEnding } from './session-ending.js';
import { SessionRegistration } from './session-registration.js';
import { sessionRef } from './session-ref.js';
import { SessionStart } from './session-start.js';
import { SessionWriter } from './session-writer.js';
import { isEmpty, isMarked } from './stored-session.js';
import { UserStore } from './user-store.js';
import { withholdSession } from './withheld-session.js';

/** Saves the sessions of requests, as far as they live. */
@Injectable()
export class SessionSaving {
  private readonly warnOfDate: (session: SessionData) => void;

  constructor(
    private readonly requestSessions: RequestSessions,
    private readonly activity: SessionActivity,
    private readonly starting: SessionStart,
    private readonly ending: SessionEnding,
    private readonly userStore: UserStore,
    private readonly writer: SessionWriter,
    private readonly registration: SessionRegistration,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.warnOfDate = persistentCookieWarning(options.mayPersist);
  }

  /** The first save of a session starts its record. */
  async save(sessionId: string, session: SessionData): Promise<void> {
    this.warnOfDate(session);
    const request = requestOf(session);
    const requestSession = this.requestSessions.findBySession(session);
    if (requestSession?.failure) {
      if (isEmpty(session)) return;
      throw requestSession.failure;
    }

    const ref = sessionRef(sessionId);
    const wasLoaded = requestSession?.wasLoaded(ref) ?? false;
    // In the same tick, so that the one costs no more time than the other.
    const [reading, row] = await Promise.all([
      this.readingFor(sessionId, ref, session, request).catch((error: unknown) => {
        if (request && error instanceof TooManySessionsException) withholdSession(request);
        throw error;
      }),
      wasLoaded ? this.userStore.get(sessionId) : undefined,
    ]);
    if (wasLoaded && row == null) return this.revoke(sessionId, request, reading);
    if (reading === undefined) return this.userStore.set(sessionId, session);
    if (!reading.record || this.activity.evaluate(reading)?.state === 'expired') return;

    await this.writer.write(sessionId, ref, session, reading.record.idleTimeoutMs, () => {
      // From its first save on, a new session is the request's.
      if (request?.session?.id === sessionId) requestSession?.adopt({ ref, reading, stored: true });
    });
  }

  /** The session's activity, begun if this is the first save; undefined if the session is not under the idle timeout. */
  private async readingFor(
    sessionId: string,
    ref: string,
    session: SessionData,
    request: Request | undefined,
  ): Promise<ActivityReading | undefined> {
    if (!isMarked(session, ref) && request && this.options.appliesTo(request))
      return this.activity.orUnchecked(
        this.starting.start(ref, sessionId, request, {
          beforeStart: (started, owner) => this.register(ref, started, owner, request),
        }),
      );
    const reading = await this.activity.orUnchecked(this.activity.read(ref, true));
    if (reading && request)
      await this.activity.orUnchecked(this.registration.registerRunning(ref, reading, request));
    return reading?.record || isMarked(session, ref) ? reading : undefined;
  }

  /** express-session saves a session twice that got a new id: by the call of the handler, and with the answer. */
  private async register(
    ref: string,
    session: NewSession,
    owner: string | undefined,
    request: Request,
  ): Promise<void> {
    const known = this.requestSessions.find(request);
    if (known?.ref !== ref || !known.record)
      await this.registration.register(ref, session, owner, request);
  }

  /** Another party deleted the session from the store: a request that is still running does not bring it back. */
  private async revoke(
    sessionId: string,
    request: Request | undefined,
    reading: ActivityReading | undefined,
  ): Promise<void> {
    if (!reading?.record || reading.record.ended !== undefined) return;
    logMissing('data', sessionRef(sessionId));
    await this.ending.end(sessionId, 'revoked', { cause: 'store', request }, reading);
  }
}
