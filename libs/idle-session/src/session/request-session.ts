import type { Request } from 'express';
import type { CookieOptions } from 'express-session';
import {
  goesOn,
  toldReason,
  type ActivityReading,
  type ActivityRecord,
} from '../activity/activity-storage.js';
import type { Evaluation } from '../activity/evaluate.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { logMissing } from './end-log.js';
import type { FoundSession, GuardedSession } from './found-session.js';
import type { EndReason, IdleSessionStatus } from 'idle-session-client/protocol';
import { NewestReading } from './newest-reading.js';
import { isOpen, statusOf } from './idle-session.status.js';
import { destroySession, saveSession } from './save-session.js';
import { isMarked, isRenewal, toldRef } from './stored-session.js';
import { identifyingAttributes } from './session-cookies.js';
import { serverTimingOf } from './server-timing.js';
import type { SessionActivity } from './session-activity.js';
import type { SessionEnding } from './session-ending.js';
import type { SessionWriter } from './session-writer.js';
import { withholdSession } from './withheld-session.js';

/** Why the app, rather than the clock, ended a session. */
export type DeliberateEndReason = Extract<EndReason, 'signed-out' | 'revoked'>;

/**
 * The session of one request: what is known of it, from the cookie to the response, and what may be done with it. The
 * store, the guard, the interceptor, the filter and the endpoints share it.
 */
export class RequestSession {
  private found: FoundSession = {};
  private readonly newest = new NewestReading();
  /** How the cookie was configured for this request, for clearing it. */
  private cookie: CookieOptions = {};
  /** `appliesTo` said no, in this request. */
  private exempted = false;
  /** Guards let it pass, or its route is exempt or takes locked sessions: a refusal from now on is about other things. */
  isAuthorized = false;
  /** The guard held the session against the options: what comes after it is for people whose session is alive. */
  isChecked = false;
  /** The request ends its session itself, by {@link end}. */
  isEnding = false;

  constructor(
    readonly request: Request,
    private readonly activity: SessionActivity,
    private readonly ending: SessionEnding,
    private readonly writer: SessionWriter,
    private readonly options: ResolvedOptions,
  ) {}

  /** Takes over what the store found, or the new session that it started. */
  adopt(found: FoundSession, cookie?: CookieOptions): void {
    this.found = found;
    this.cookie = cookie ?? this.cookie;
    this.exempted = false;
    this.newest.take(found.reading);
  }

  get ref(): string | undefined {
    return this.found.ref;
  }

  get failure(): Error | undefined {
    return this.found.failure;
  }

  /** Whether the store had the session's data. */
  get isStored(): boolean {
    return this.found.stored === true;
  }

  /** Whether the request's session, if that is the one of this reference, was read from the store. */
  wasLoaded(ref: string): boolean {
    return this.found.ref === ref && this.isStored;
  }

  /** The session's record as it is now, as far as this request knows. */
  get record(): ActivityRecord | undefined {
    return this.newest.asRead?.record;
  }

  /** A person signed out here, and the data is gone: the guard treats the request as anonymous, only the status tells. */
  get isSignedOut(): boolean {
    const ended = this.record?.ended;
    return ended !== undefined && toldReason(ended) === 'signed-out' && !this.found.stored;
  }

  /** The session's activity as this request knows it; undefined if nothing is known. */
  get reading(): ActivityReading | undefined {
    return this.newest.asRead;
  }

  /** The session that the answer must not outlive: one that the guard checked and that is under the idle timeout. */
  get guarded(): GuardedSession | undefined {
    const { ref, stored } = this.found;
    if (!ref || !stored || !this.isChecked || this.exempted) return undefined;
    const hasRecord = this.record !== undefined || isMarked(this.request.session ?? {}, ref);
    // During an outage, it may have none: nobody could start that.
    return hasRecord || !this.reading ? { ref, hasRecord } : undefined;
  }

  /** @throws {StorageUnavailableException} if the session could not be looked up */
  status(): IdleSessionStatus {
    return this.statusFor(this.evaluate());
  }

  /**
   * Holds a stored session against the options for this request (`appliesTo`, `idleTimeout`), starts the record of one
   * that has none yet, and tells where it stands.
   * @throws {StorageUnavailableException}
   */
  async check(): Promise<IdleSessionStatus> {
    this.isChecked = true;
    // What came between took its time, such as a body that the client sends slowly.
    if (this.newest.isOld) await this.checkAgain();
    const evaluation = this.evaluate();
    const { ref, stored } = this.found;
    if (!ref || !stored || evaluation?.state === 'expired') return this.statusFor(evaluation);

    this.exempted = !this.options.appliesTo(this.request);
    const { reading } = this;
    if (this.exempted || !reading) return this.status();
    const { record } = reading;
    if (!record) {
      // Stored before the module was there. Its first save starts the record, once and for all.
      return this.update(saveSession(this.request).then(() => this.activity.read(ref)));
    }
    const idleTimeoutMs = await this.options.idleTimeoutFor(this.request);
    if (idleTimeoutMs === record.idleTimeoutMs) return this.statusFor(evaluation);
    return this.update(this.activity.touch(ref, idleTimeoutMs, record.lastActivityAt));
  }

  /**
   * Notes that the person did something, `idleForMs` milliseconds ago, and resolves to the status afterwards.
   * @throws {StorageUnavailableException}
   */
  async refresh(idleForMs = 0): Promise<IdleSessionStatus> {
    const { ref } = this.found;
    // Of a request that runs for long, it may be locked by now.
    if (this.newest.isOld) await this.checkAgain();
    // A person at a locked page may claim any time for the last activity.
    if (!ref || !isOpen(this.evaluate())) return this.status();
    // No storage has to take a time before all times, which a database may not hold.
    const at = Math.max(0, Math.round(this.newest.now - idleForMs));
    const idleTimeoutMs = await this.options.idleTimeoutFor(this.request);
    return this.update(this.activity.touch(ref, idleTimeoutMs, at));
  }

  /**
   * Asks the storage where the session stands now, and ends it if its time is up. It counts nothing as activity.
   * @throws {StorageUnavailableException}
   */
  async checkAgain(): Promise<IdleSessionStatus> {
    const mayHaveRecord = this.record ?? (this.isStored && !this.reading);
    if (!this.ref || !mayHaveRecord || this.exempted) return this.status();
    return this.update(this.activity.read(this.ref, true));
  }

  /** Takes in what the storage says, and ends the session if that says so. */
  async update(answer: Promise<ActivityReading>): Promise<IdleSessionStatus> {
    try {
      const before = this.record;
      const reading = await answer;
      const reason = this.endReasonOf(reading);
      this.newest.take(reading);
      if (reason !== undefined) await this.endNow(reason);
      // Before the handler runs: what that saves is newer.
      else if (this.ref && isRenewal(before, reading.record))
        await this.writer.renew(this.request, this.ref, reading.record);
    } catch (error) {
      this.activity.throwUnlessUnchecked(error);
    }
    return this.status();
  }

  /**
   * Ends the session for good, in the record and in the store; `request.session` is undefined afterwards. Does nothing
   * for a session that has ended.
   * @throws {StorageUnavailableException} if it could not be ended
   */
  async end(reason: DeliberateEndReason): Promise<void> {
    if (this.failure) throw this.failure;
    // What the handler answers now is its own.
    this.isAuthorized = true;
    const { sessionID } = this.request;
    if (sessionID === undefined) return;
    this.isEnding = true;
    const origin = { cause: 'request', request: this.request } as const;
    const reading = await this.ending.end(sessionID, reason, origin, this.newest.asRead);
    if (reading) this.newest.take(reading);
    // Without a record of it, the next request would be told another reason.
    else this.clearCookie();
    withholdSession(this.request);
  }

  /** The value of a `Server-Timing` header for an answer of that status; undefined if there is nothing to tell. */
  serverTiming(statusCode: number): string | undefined {
    return this.failure
      ? undefined
      : serverTimingOf(this.evaluate(this.newest.asOfNow), statusCode);
  }

  /** Clears the cookie: the person has been told of the end, and the next request is anonymous. */
  clearCookie(): void {
    // The browser may have the cookie of the new id by now.
    if (goesOn(this.record?.ended)) return;
    this.request.res?.clearCookie(this.options.session.name, identifyingAttributes(this.cookie));
  }

  private evaluate(reading = this.newest.asRead): Evaluation | undefined {
    if (this.failure) throw this.failure;
    if (this.exempted || !reading) return undefined;
    const evaluation = this.activity.evaluate(reading);
    // A handler that destroyed a live session has none any more.
    return evaluation?.state !== 'expired' && this.request.session == null ? undefined : evaluation;
  }

  private statusFor(evaluation: Evaluation | undefined): IdleSessionStatus {
    const { commonIdleTimeoutMs, warnBeforeFor, loginUrl, unlockUrl } = this.options;
    const idleTimeoutMs = (evaluation && this.record?.idleTimeoutMs) || commonIdleTimeoutMs;
    return statusOf(evaluation, {
      idleTimeoutMs,
      warnBeforeMs: warnBeforeFor(idleTimeoutMs ?? Infinity) || null,
      sessionRef: (evaluation && this.ref && toldRef(this.request.session, this.ref)) || null,
      loginUrl,
      unlockUrl,
    });
  }

  private async endNow(reason: EndReason): Promise<void> {
    if (!this.ref) return;
    const origin = { cause: 'request', request: this.request } as const;
    const end = await this.activity.end(this.ref, reason, origin);
    if (end.won && reason === 'lost') logMissing('record', this.ref);
    this.newest.take(end);
    if (this.record?.ended !== undefined) await destroySession(this.request);
  }

  /** Why the session is over, now that the storage says this; undefined if it is not. */
  private endReasonOf(reading: ActivityReading): EndReason | undefined {
    const evaluation = this.activity.evaluate(reading);
    if (evaluation?.state === 'expired') return evaluation.reason;
    // Fail closed: a session that had a record and lost it is not a new one.
    const hadRecord = this.record ?? (this.ref && isMarked(this.request.session ?? {}, this.ref));
    return !evaluation && hadRecord ? 'lost' : undefined;
  }
}
