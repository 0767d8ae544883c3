import { Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { Store, type Session, type SessionData } from 'express-session';
import type { ActivityReading, EndReason } from '../activity/activity-storage.js';
import { Deadline } from '../utils/time-limit.js';
import { IdleClock } from './session-activity.js';
import { StorageUnavailableException } from './idle-session.exceptions.js';
import { isPromise, type MaybePromise } from '../maybe-promise.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import { Outage } from '../utils/outage-log.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { SessionLookup } from './request-session.js';
import { sessionRef } from './session-ref.js';
import { fromStored, isEmpty, isMarked, isRenewal, keepFor, toStored } from './stored-session.js';

type Callback<T = void> = (error?: unknown, value?: T) => void;

/**
 * The store that express-session sees: the user's, with the idle clock around it.
 *
 * - A session that ended is not handed out, to anybody: its request has an empty one, as a stranger's.
 * - The first save starts the record; a session whose record ended is not saved.
 * - Destroying a session ends its record, so that `request.session.destroy()` is a sign-out.
 * - What could not be looked up in time comes as an empty session that cannot be saved, with the failure in its
 *   lookup; the guard answers it, and exempt routes go on.
 */
@Injectable()
export class IdleSessionStore extends Store {
  /** Puts a new session on the request; express-session sets it on a store that it is given. */
  declare generate: (request: Request) => void;

  /** Whether the user's store says that it is connected; most stores say nothing. */
  connected = true;

  private readonly inner: Store;
  /** Where the lookup is on its request: quicker to find there than in a WeakMap, and no work for the collector. */
  private readonly lookup = Symbol('IdleSessionLookup');
  private readonly deadline: Deadline;
  /** From the answer to `get` until express-session makes the request's session of it, in the same tick. */
  private handover: { readonly sessionId: string; readonly lookup: SessionLookup } | undefined;

  constructor(
    private readonly clock: IdleClock,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    private readonly outage: Outage,
  ) {
    super();
    this.inner = options.session.store;
    this.deadline = new Deadline(options.storageTimeoutMs);
    this.passOnConnection();
  }

  /** What is known of the request's session; undefined if express-session never asked this store for it. */
  lookupOf(request: Request): SessionLookup | undefined {
    return (request as Looked)[this.lookup];
  }

  override get(
    sessionId: string,
    callback: (error: unknown, session?: SessionData | null) => void,
  ): void {
    const ref = sessionRef(sessionId);
    const answer = ({ lookup, data }: LookedUp) => {
      this.handover = { sessionId, lookup };
      try {
        callback(lookup.failure ? passedOver(lookup.failure) : null, data);
      } finally {
        this.handover = undefined;
      }
    };
    let asked: MaybePromise<ActivityReading> | undefined;
    this.call<SessionData | null>(
      'get',
      (done) => {
        this.inner.get(sessionId, done);
        // In the same tick, so that it costs no round trip of its own.
        asked = this.clock.read(ref);
        // It is waited for below; by then it may have failed.
        if (isPromise(asked)) asked.catch(() => {});
      },
      (error, stored) => {
        if (error) return answer(failed(ref, error));
        const data = stored && fromStored(stored, ref);
        if (data && asked && !isPromise(asked) && this.isAlive(asked)) {
          return answer({ lookup: found(ref, asked), data });
        }
        void this.settleLookup(sessionId, ref, asked, data).then(answer);
      },
    );
  }

  override createSession(request: Request, data: SessionData): Session & SessionData {
    const lookup = this.handedOver(request) ?? {};
    const session = super.createSession(request, data);
    this.belongs(session, request, lookup);
    return session;
  }

  /**
   * Wraps the `generate` that express-session puts on its store: called for a request without a session, and when one
   * is regenerated.
   */
  wrapGenerate(generate: (request: Request) => void): (request: Request) => void {
    return (request) => {
      const lookup = this.handedOver(request) ?? {};
      generate(request);
      this.belongs(request.session, request, lookup);
    };
  }

  /** As express-session's, but if the old session could not be ended, the request keeps it, and its cookie. */
  override regenerate(request: Request, callback: (error?: unknown) => unknown): void {
    this.destroy(request.sessionID, (error) => {
      if (!error) this.generate(request);
      callback(error);
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
    const counting = this.countingFor(session);
    // After the answers to all requests that were read from the session store together: sent one by one, each would wake
    // its reader for itself.
    if (!counting && !this.needsRenewal(session)) return process.nextTick(callback);
    const renewed = Promise.resolve(counting).then(async () => {
      if (this.needsRenewal(session)) await this.renew(sessionId, session);
    });
    // The answer is on its way: a store that cannot renew now gets its next chance an idle timeout later.
    settle(
      renewed.catch(() => {}),
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
    if (this.inner.all) this.inner.all(callback);
    else callback(new Error('The session store has no all()'));
  }

  override length(callback: (error: unknown, length?: number) => void): void {
    if (this.inner.length) this.inner.length(callback);
    else callback(new Error('The session store has no length()'));
  }

  override clear(callback: Callback = () => {}): void {
    if (this.inner.clear) this.inner.clear(callback);
    else callback(new Error('The session store has no clear()'));
  }

  /** Removes the data of a session that ended. */
  remove(sessionId: string): Promise<void> {
    return this.ask('destroy', (done) => this.inner.destroy(sessionId, done));
  }

  private belongs(session: SessionData, request: Request, lookup: SessionLookup): void {
    lookup.cookie = session.cookie;
    (request as Looked)[this.lookup] = lookup;
  }

  private handedOver(request: Request): SessionLookup | undefined {
    const { handover } = this;
    return handover?.sessionId === request.sessionID ? handover?.lookup : undefined;
  }

  private isAlive(reading: ActivityReading): boolean {
    const evaluation = this.clock.evaluate(reading);
    return evaluation !== undefined && evaluation.state !== 'expired';
  }

  /** Where it takes more than a look: the activity has to be waited for, or the session is over, or was never here. */
  private async settleLookup(
    sessionId: string,
    ref: string,
    asked: MaybePromise<ActivityReading> | undefined,
    data: SessionData | null | undefined,
  ): Promise<LookedUp> {
    const stored = data != null;
    let reading: ActivityReading;
    try {
      reading = await (asked ?? this.clock.read(ref));
    } catch (error) {
      if (this.options.onStorageError === 'reject') return failed(ref, error);
      return { lookup: { sessionRef: ref, stored }, data };
    }

    try {
      // Somebody else may just have ended it.
      if (!stored && reading.record !== undefined) reading = await this.clock.read(ref, true);
      const ending = this.endingOf(ref, reading, data);
      if (ending !== undefined) reading = await this.end(sessionId, ref, ending, reading, stored);
    } catch (error) {
      return failed(ref, error);
    }
    const expired = this.clock.evaluate(reading)?.state === 'expired';
    if (!stored && !expired) return { lookup: {} };
    const lookup = found(ref, reading, stored);
    return expired ? { lookup } : { lookup, data };
  }

  /** Why a session is over that was just looked up; undefined if it is not. */
  private endingOf(
    ref: string,
    reading: ActivityReading,
    data: SessionData | null | undefined,
  ): EndReason | undefined {
    const evaluation = this.clock.evaluate(reading);
    // Fail closed: a session that was under the clock and lost its record is not a new one.
    if (evaluation === undefined) return data && isMarked(data, ref) ? 'idle' : undefined;
    if (evaluation.state === 'expired') return evaluation.reason;
    if (data || reading.record === undefined) return undefined;
    // Somebody removed it from the store, unless its first save is still on its way there: express-session lets a
    // redirect go before it has saved.
    return reading.now - reading.record.startedAt > 2 * this.options.storageTimeoutMs
      ? 'revoked'
      : undefined;
  }

  /** Ends the record, if it has not ended yet, and removes what the store still has. */
  private async end(
    sessionId: string,
    ref: string,
    reason: EndReason,
    before: ActivityReading,
    stored: boolean,
  ): Promise<ActivityReading> {
    const reading = before.record?.ended === undefined ? await this.clock.end(ref, reason) : before;
    // Activity that arrived in between may have kept the session alive.
    if (stored && reading.record?.ended !== undefined) {
      // If the store fails here, the data stays behind, withheld, until the next request or its own expiry.
      await this.remove(sessionId).catch(() => {});
    }
    return reading;
  }

  private async save(sessionId: string, session: SessionData): Promise<void> {
    await this.countingFor(session);
    const request = requestOf(session);
    const failure = request && this.lookupOf(request)?.failure;
    if (failure) {
      if (isEmpty(session)) return;
      throw failure;
    }

    const ref = sessionRef(sessionId);
    const reading = await this.recordFor(sessionId, ref, session, request);
    if (reading === undefined) return this.write(sessionId, session);
    if (this.clock.evaluate(reading)?.state === 'expired' || reading.record === undefined) return;

    const { idleTimeoutMs } = reading.record;
    const keepUntil = Date.now() + keepFor(idleTimeoutMs);
    await this.write(sessionId, toStored(session, ref, keepUntil));
    // From its first save on, a new session is the request's.
    if (request?.session?.id === sessionId) {
      (request as Looked)[this.lookup] = { ...this.lookupOf(request), ...found(ref, reading) };
    }
    // It may have ended while it was being saved, in whatever process.
    const after = await this.unlessAllowed(this.clock.read(ref, true));
    if (after?.record?.ended !== undefined) await this.remove(sessionId);
  }

  /** The session's record, started if this is the first save; undefined if the idle clock does not apply to it. */
  private async recordFor(
    sessionId: string,
    ref: string,
    session: SessionData,
    request: Request | undefined,
  ): Promise<ActivityReading | undefined> {
    if (!isMarked(session, ref) && request && this.options.appliesTo(request)) {
      const idleTimeoutMs = await this.options.idleTimeoutFor(request);
      return this.unlessAllowed(this.clock.start(ref, idleTimeoutMs, sessionId));
    }
    const reading = await this.unlessAllowed(this.clock.read(ref));
    return reading?.record || isMarked(session, ref) ? reading : undefined;
  }

  /** What the storage answers; undefined if it does not and the options allow to go on without. */
  private async unlessAllowed<T>(answer: MaybePromise<T>): Promise<T | undefined> {
    try {
      return await answer;
    } catch (error) {
      const unavailable = error instanceof StorageUnavailableException;
      if (unavailable && this.options.onStorageError === 'allow') return undefined;
      throw error;
    }
  }

  /** The response is held until it has been counted, if that takes its time. */
  private countingFor(session: SessionData): Promise<unknown> | undefined {
    const request = requestOf(session);
    return request && this.lookupOf(request)?.counting;
  }

  /** Whether the user's store has to be told, so that it does not drop the session before its time. */
  private needsRenewal(session: SessionData): boolean {
    const request = requestOf(session);
    const lookup = request && this.lookupOf(request);
    if (lookup?.failure) return false;
    const { before, reading } = lookup ?? {};
    if (!before || !reading?.record) return this.inner.touch !== undefined;
    return reading.record.ended === undefined && isRenewal(before, reading.record);
  }

  private async renew(sessionId: string, session: SessionData): Promise<void> {
    const request = requestOf(session);
    const { sessionRef: ref, reading } = (request && this.lookupOf(request)) ?? {};
    if (!ref || !reading?.record) return this.prolong(sessionId, session);

    const keepUntil = Date.now() + keepFor(reading.record.idleTimeoutMs);
    if (this.inner.touch) {
      await this.prolong(sessionId, toStored(session, ref, keepUntil));
    } else {
      // Saving is all that such a store can do; what the request has may be older than what is stored.
      const stored = await this.fetch(sessionId, ref);
      if (stored) await this.write(sessionId, toStored(stored, ref, keepUntil));
    }
  }

  private async prolong(sessionId: string, data: SessionData): Promise<void> {
    const { inner } = this;
    if (!inner.touch) return;
    await this.ask('touch', (done) => inner.touch?.(sessionId, data, done));
  }

  private async endAndDestroy(sessionId: string): Promise<void> {
    const ref = sessionRef(sessionId);
    const { record } = (await this.unlessAllowed(this.clock.read(ref))) ?? {};
    if (record && record.ended === undefined) await this.clock.end(ref, 'signed-out');
    await this.remove(sessionId);
  }

  private async fetch(sessionId: string, ref: string): Promise<SessionData | null | undefined> {
    const data = await this.ask<SessionData | null | undefined>('get', (done) =>
      this.inner.get(sessionId, done),
    );
    return data && fromStored(data, ref);
  }

  private write(sessionId: string, data: SessionData): Promise<void> {
    return this.ask('set', (done) => this.inner.set(sessionId, data, done));
  }

  private ask<T = void>(operation: string, question: (done: Callback<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      this.call(operation, question, (error, value) =>
        error ? reject(error as Error) : resolve(value as T),
      );
    });
  }

  private call<T>(
    operation: string,
    question: (done: Callback<T>) => void,
    done: Callback<T>,
  ): void {
    this.deadline.call<T>(
      (answer) => question((error, value) => answer(isNotFound(error) ? undefined : error, value)),
      (error, value) => {
        this.outage.note(`session store (${operation})`, error);
        done(error, value);
      },
    );
  }

  private passOnConnection(): void {
    if (typeof this.inner.on !== 'function') return;
    this.inner.on('connect', () => {
      this.connected = true;
      this.outage.over('session store (connection)');
      this.emit('connect');
    });
    this.inner.on('disconnect', () => {
      this.connected = false;
      this.outage.began('session store (connection)', undefined);
      this.emit('disconnect');
    });
  }
}

/** What became of a look-up: what is known of the session, and its data, if anybody may have it. */
interface LookedUp {
  readonly lookup: SessionLookup;
  readonly data?: SessionData | null;
}

type Looked = Request & Record<symbol, SessionLookup | undefined>;

/** The request that a session of express-session's belongs to. */
function requestOf(session: SessionData): Request | undefined {
  return (session as SessionData & { readonly req?: Request }).req;
}

function found(ref: string, reading: ActivityReading, stored = true): SessionLookup {
  const readAt = performance.now();
  return { sessionRef: ref, stored, before: reading.record, reading, readAt };
}

function failed(ref: string, error: unknown): LookedUp {
  const failure =
    error instanceof StorageUnavailableException ? error : new StorageUnavailableException(error);
  return { lookup: { sessionRef: ref, failure } };
}

function settle<T>(promise: Promise<T>, callback: Callback<T>): void {
  promise.then(
    (value) => callback(undefined, value),
    (error: unknown) => callback(error),
  );
}

/** The failure as an error that express-session takes for "no such session"; whoever else asks sees what it is. */
function passedOver(failure: Error): Error {
  return Object.assign(new Error(failure.message, { cause: failure }), { code: 'ENOENT' });
}

/** How file-based stores say that there is no such session; express-session takes it as that, too. */
function isNotFound(error: unknown): boolean {
  return (error as { code?: unknown } | null | undefined)?.code === 'ENOENT';
}
