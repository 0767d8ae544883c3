import { HttpStatus, Inject, Injectable } from '@nestjs/common';
import type { Request, RequestHandler } from 'express';
import type { CookieOptions, Store } from 'express-session';
import type { Observable } from 'rxjs';
import type { ActivityReading, EndReason } from './activity/activity-storage.js';
import { readClientScript, type ClientScript } from './endpoints/client-script.js';
import type { Evaluation } from './activity/evaluate.js';
import { IdleClock } from './session/session-activity.js';
import type { IdleSessionEvent } from './session/idle-session.events.js';
import { StorageUnavailableException } from './session/idle-session.exceptions.js';
import { statusOf, type IdleSessionStatus } from './session/idle-session.status.js';
import { IdleSessionStore } from './session/session-store.js';
import { isPromise, whenThere, type MaybePromise } from './maybe-promise.js';
import { RESOLVED_OPTIONS } from './options/module-definition.js';
import type { ResolvedOptions } from './options/resolve-options.js';
import type { SessionLookup } from './session/request-session.js';
import { sessionMiddleware } from './session/session.middleware.js';

/** Why somebody, rather than the clock, ended a session. */
export type DeliberateEndReason = Extract<EndReason, 'signed-out' | 'revoked'>;

/** The idle clock of requests' sessions. */
@Injectable()
export class IdleSessionService {
  /**
   * What happens to sessions in this process: each start, expiry and end once, in the process where it was decided.
   * Hot; a subscriber sees what comes after it subscribed.
   */
  readonly events: Observable<IdleSessionEvent>;

  /**
   * The browser client that the endpoints serve: `${path}/client.js`, or `${path}/${client.fileName}` for caches to keep
   * for ever, with `client.integrity` for the script element.
   */
  readonly client: ClientScript = readClientScript();

  private readonly mounted: RequestHandler;

  constructor(
    private readonly clock: IdleClock,
    private readonly store: IdleSessionStore,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.events = clock.events;
    this.mounted = sessionMiddleware(options, store, {
      beforeHeaders: (request) => this.addServerTiming(request),
      ...(this.refreshesOnResponse && { beforeEnd: (request) => this.countResponse(request) }),
    });
  }

  /**
   * express-session on the idle clock's store, for apps that have to mount it themselves, before what needs a session
   * in `main.ts`: `app.use(app.get(IdleSessionService).middleware(), passport.session())`. The module's own mounting
   * then does nothing.
   */
  middleware(): RequestHandler {
    return this.mounted;
  }

  /**
   * Where the request's session stands, as last heard of in this request. Asks nobody and refreshes nothing.
   * @throws {StorageUnavailableException} if the session could not be looked up
   */
  status(request: Request): IdleSessionStatus {
    const lookup = this.lookupOf(request);
    return this.statusFor(lookup, this.evaluationOf(request, lookup));
  }

  /**
   * Notes that the person behind the request did something, `idleForMs` milliseconds ago: never revives a session
   * that ended, never moves activity back, never into the future. Resolves to the status afterwards; without a
   * session that is `none`.
   * @throws {StorageUnavailableException}
   */
  async refresh(request: Request, idleForMs = 0): Promise<IdleSessionStatus> {
    return this.refreshed(request, idleForMs);
  }

  /** As {@link refresh}, but at once where nobody has to be waited for. @internal */
  refreshed(request: Request, idleForMs = 0): MaybePromise<IdleSessionStatus> {
    const lookup = this.lookupOf(request);
    if (lookup.failure) throw lookup.failure;
    const { sessionRef, reading, readAt = 0, exempted } = lookup;
    const alive = reading?.record !== undefined && reading.record.ended === undefined;
    if (!sessionRef || !alive || exempted || request.session == null) return this.status(request);

    const at = Math.round(reading.now + (performance.now() - readAt) - idleForMs);
    return whenThere(this.options.idleTimeoutFor(request), (idleTimeoutMs) =>
      this.hear(request, lookup, this.clock.touch(sessionRef, idleTimeoutMs, at)),
    );
  }

  /**
   * Ends the request's session for good, in the record and in the store; `request.session` is undefined afterwards,
   * as after `request.session.destroy()`. Does nothing for a session that has ended.
   * @param reason default `'signed-out'`
   * @throws {StorageUnavailableException} if it could not be ended
   */
  async end(request: Request, reason: DeliberateEndReason = 'signed-out'): Promise<void> {
    if (reason !== 'signed-out' && reason !== 'revoked') {
      throw new TypeError(
        `IdleSessionService.end() got reason ${String(reason)}; it takes 'signed-out' or 'revoked'.`,
      );
    }
    const lookup = this.lookupOf(request);
    if (lookup.failure) throw lookup.failure;
    // What the handler answers now is its own.
    lookup.admitted = true;
    const { sessionRef, reading } = lookup;
    const alive = reading?.record && this.clock.evaluate(reading)?.state !== 'expired';
    if (sessionRef && alive) lookup.reading = await this.clock.end(sessionRef, reason);
    await destroySession(request);
  }

  /**
   * What the guard does: holds a stored session against the options for this request (`appliesTo`, `idleTimeout`),
   * puts one under the clock that is not yet, and tells where it stands.
   * @internal
   */
  check(request: Request): MaybePromise<IdleSessionStatus> {
    const lookup = this.lookupOf(request);
    const evaluation = this.evaluationOf(request, lookup);
    const { sessionRef, reading, stored } = lookup;
    if (!sessionRef || !reading || !stored || evaluation?.state === 'expired')
      return this.statusFor(lookup, evaluation);

    lookup.exempted = !this.options.appliesTo(request);
    if (lookup.exempted) return this.status(request);
    const { record } = reading;
    if (record === undefined) {
      // In the store since before the module was there: its first save puts it under the clock, once and for all.
      return this.hear(
        request,
        lookup,
        saveSession(request).then(() => this.clock.read(sessionRef)),
      );
    }
    return whenThere(this.options.idleTimeoutFor(request), (idleTimeoutMs) =>
      idleTimeoutMs === record.idleTimeoutMs
        ? this.statusFor(lookup, evaluation)
        : this.hear(
            request,
            lookup,
            this.clock.touch(sessionRef, idleTimeoutMs, record.lastActivityAt),
          ),
    );
  }

  /**
   * Whether the request is a stranger's as far as the guard is concerned: somebody signed out here, and the session
   * is gone. Only the status still tells.
   * @internal
   */
  isStranger(request: Request): boolean {
    const { reading, stored } = this.lookupOf(request);
    return reading?.record?.ended === 'signed-out' && !stored;
  }

  /** Notes that whatever refuses the request from now on does not do so because of its session. @internal */
  admit(request: Request): void {
    this.lookupOf(request).admitted = true;
  }

  /** Whether {@link admit} was called for the request. @internal */
  wasAdmitted(request: Request): boolean {
    return this.lookupOf(request).admitted === true;
  }

  /** Whether the options say `refreshOn: 'response'`. @internal */
  get refreshesOnResponse(): boolean {
    return this.options.refreshOn === 'response';
  }

  /** Counts the request as activity of now once its response is sent, unless that refuses it. @internal */
  refreshOnResponse(request: Request): void {
    this.lookupOf(request).activeAt = performance.now();
  }

  /** Clears the session's cookie: the person has been told, and is a stranger from now on. @internal */
  clearCookie(request: Request): void {
    const { path, domain, httpOnly, secure, sameSite, partitioned } =
      this.lookupOf(request).cookie ?? ({} as CookieOptions);
    request.res?.clearCookie(this.options.session.name, {
      path,
      domain,
      httpOnly,
      secure: secure === true,
      sameSite,
      partitioned,
    });
  }

  private statusFor(lookup: SessionLookup, evaluation: Evaluation | undefined): IdleSessionStatus {
    const { commonIdleTimeoutMs, warnBeforeMs, loginUrl } = this.options;
    const record = evaluation && lookup.reading?.record;
    return statusOf(evaluation, {
      idleTimeoutMs: record?.idleTimeoutMs || commonIdleTimeoutMs,
      warnBeforeMs: warnBeforeMs || null,
      sessionRef: (evaluation && lookup.sessionRef) || null,
      loginUrl,
    });
  }

  /** @throws {StorageUnavailableException} if the session could not be looked up */
  private evaluationOf(
    request: Request,
    lookup: SessionLookup,
    reading = lookup.reading,
  ): Evaluation | undefined {
    if (lookup.failure) throw lookup.failure;
    if (lookup.exempted || !reading) return undefined;
    const evaluation = this.clock.evaluate(reading);
    // A handler that destroyed a live session has none any more.
    return evaluation?.state !== 'expired' && request.session == null ? undefined : evaluation;
  }

  /** Takes in what the storage says, at once if it says so at once. Resolves to the status afterwards. */
  private hear(
    request: Request,
    lookup: SessionLookup,
    answer: MaybePromise<ActivityReading>,
  ): MaybePromise<IdleSessionStatus> {
    if (isPromise(answer)) return this.hearOrEnd(request, lookup, answer);
    const evaluation = this.clock.evaluate(answer);
    if (evaluation?.state === 'expired') return this.hearOrEnd(request, lookup, answer);
    takeIn(lookup, answer);
    return this.statusFor(lookup, evaluation);
  }

  private async hearOrEnd(
    request: Request,
    lookup: SessionLookup,
    answer: MaybePromise<ActivityReading>,
  ): Promise<IdleSessionStatus> {
    try {
      const reading = await answer;
      takeIn(lookup, reading);
      const evaluation = this.clock.evaluate(reading);
      if (evaluation?.state === 'expired' && lookup.sessionRef) {
        takeIn(lookup, await this.clock.end(lookup.sessionRef, evaluation.reason));
        if (lookup.reading?.record?.ended !== undefined) await destroySession(request);
      }
    } catch (error) {
      const unavailable = error instanceof StorageUnavailableException;
      if (!unavailable || this.options.onStorageError === 'reject') throw error;
    }
    return this.status(request);
  }

  /** What {@link refreshOnResponse} promised. The response goes out whatever becomes of it. */
  private countResponse(request: Request): void {
    const lookup = this.store.lookupOf(request);
    const active = lookup && this.asActive(request, lookup);
    if (!active?.record || !lookup?.sessionRef) return;
    const { sessionRef } = lookup;
    const { idleTimeoutMs, lastActivityAt } = active.record;
    const done = () => delete lookup.activeAt;
    const touched = this.clock.touch(sessionRef, idleTimeoutMs, lastActivityAt);
    const heard = this.hear(request, lookup, touched);
    if (isPromise(heard)) lookup.counting = heard.then(done, done);
    else done();
  }

  /** The reading as it will be once the response has been counted as activity; undefined if it will not be. */
  private asActive(request: Request, lookup: SessionLookup): ActivityReading | undefined {
    const { activeAt, reading, readAt = 0 } = lookup;
    if (activeAt === undefined || !reading?.record || request.session == null) return undefined;
    if (REFUSALS.includes(request.res?.statusCode ?? HttpStatus.OK)) return undefined;
    const lastActivityAt = Math.max(
      reading.record.lastActivityAt,
      Math.round(reading.now + (activeAt - readAt)),
    );
    return { ...reading, record: { ...reading.record, lastActivityAt } };
  }

  private lookupOf(request: Request): SessionLookup {
    const lookup = this.store.lookupOf(request);
    if (lookup) return lookup;
    if (request.session !== undefined && request.sessionStore !== (this.store as Store))
      throw new Error(FOREIGN_SESSION);
    if (!this.store.connected && this.hasCookie(request)) {
      return {
        failure: new StorageUnavailableException(new Error('the session store is disconnected')),
      };
    }
    return {};
  }

  private hasCookie(request: Request): boolean {
    const cookies = request.headers.cookie?.split(';') ?? [];
    return cookies.some((cookie) => cookie.trim().startsWith(`${this.options.session.name}=`));
  }

  private addServerTiming(request: Request): void {
    const lookup = this.store.lookupOf(request);
    if (!lookup || lookup.failure) return;
    const reading = this.asActive(request, lookup) ?? lookup.reading;
    const evaluation = this.evaluationOf(request, lookup, reading && asOfNow(reading, lookup));
    if (evaluation === undefined || evaluation.state === 'expired') return;
    const { state, expiresInMs } = evaluation;
    request.res?.appendHeader('Server-Timing', `idle-session;desc=${state};dur=${expiresInMs}`);
  }
}

/** Answers that say that it was not the session's person who asked. */
const REFUSALS: readonly number[] = [HttpStatus.UNAUTHORIZED, HttpStatus.FORBIDDEN];

const FOREIGN_SESSION =
  'The request has a session that IdleSessionModule does not guard: something else mounted a session middleware. ' +
  'Remove that and give its options to IdleSessionModule.forRoot({ session }), or mount ' +
  'app.use(app.get(IdleSessionService).middleware()) in its place.';

function takeIn(lookup: SessionLookup, reading: ActivityReading): void {
  lookup.reading = reading;
  lookup.readAt = performance.now();
}

/** As it is once a slow handler is done; to the second, since what it took is not the storage's time. */
function asOfNow(reading: ActivityReading, { readAt = 0 }: SessionLookup): ActivityReading {
  const tookMs = 1000 * Math.floor((performance.now() - readAt) / 1000);
  return tookMs > 0 ? { ...reading, now: reading.now + tookMs } : reading;
}

function saveSession(request: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    request.session.save((error: unknown) => (error ? reject(error as Error) : resolve()));
  });
}

function destroySession(request: Request): Promise<void> {
  return new Promise((resolve, reject) => {
    if (request.session == null) resolve();
    else request.session.destroy((error: unknown) => (error ? reject(error as Error) : resolve()));
  });
}
