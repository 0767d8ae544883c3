import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Request } from 'express';
import type { ActivityReading, NewSession } from '../activity/activity-storage.js';
import type { IndexAddition, IndexLimit, NewIndexedSession } from '../activity/owner-index.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { TooManySessionsException } from './idle-session.exceptions.js';
import { STARTS_WITHIN_MS, type OwnedSession } from './owned-session.js';
import { OwnedSessions } from './owned-sessions.js';
import { SessionActivity } from './session-activity.js';
import { SessionEnding } from './session-ending.js';

/** A sign-in that asks for the last place tries as often: sessions that ended meanwhile make room. */
const TRIES = 2;

/**
 * Adds sessions to the index of their owner before they start, and holds `maxSessions`: right also where a person signs in
 * twice at once, in two processes, since the index counts for all of them.
 */
@Injectable()
export class SessionRegistration {
  private readonly logger = new Logger('IdleSessionModule');
  private hasLoggedLate = false;

  constructor(
    private readonly owned: OwnedSessions,
    private readonly activity: SessionActivity,
    private readonly ending: SessionEnding,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Registers a session whose record is about to start.
   * @throws {TooManySessionsException}
   */
  async register(
    ref: string,
    session: Pick<NewSession, 'absoluteTimeoutMs'>,
    owner: string | undefined,
    request: Request,
  ): Promise<void> {
    const { index, maxSessionsFor } = this.options;
    if (!index || owner === undefined) return;
    const max = (await maxSessionsFor?.(request)) ?? Infinity;
    // A session that ended before it started takes no other's place.
    if (max !== Infinity && (await this.activity.read(ref, true)).record) return;
    await this.add(this.starting(ref, session, request), owner, max);
  }

  /**
   * Registers the next id of a session that goes on: it needs no place of its own, unless the old one is that of nobody, or
   * of another person.
   * @returns holds the limit once the old id has ended: a sign-in that was registered before the next id counted only the
   * old one, and could not end it any more
   * @throws {TooManySessionsException}
   */
  async registerSuccessor(
    ref: string,
    session: Pick<NewSession, 'absoluteTimeoutMs'>,
    owner: string | undefined,
    request: Request,
    before: string,
  ): Promise<() => Promise<void>> {
    const { index, maxSessionsFor, onMaxSessions } = this.options;
    if (!index || owner === undefined) return async () => {};
    const max = (await maxSessionsFor?.(request)) ?? Infinity;
    const isLimited = max !== Infinity;
    if (isLimited && !(await this.owned.of(owner)).some((known) => known.ref === before)) {
      // One that has ended goes on under no id, and takes no other's place.
      const { record } = await this.activity.read(before, true);
      if (record?.ended === undefined) await this.register(ref, session, owner, request);
      return async () => {};
    }
    const [hash, ...olderHashes] = this.owned.hashesOf(owner);
    const limit: IndexLimit = { max: isLimited ? 0 : Infinity, refuse: false };
    const starting = this.starting(ref, session, request);
    const addition = await this.owned.ask('add', (known) => known.add(hash, starting, limit));
    return async () => {
      if (!isLimited || onMaxSessions === 'refuse') return;
      const found = [this.alive(hash, addition), ...olderHashes.map((each) => this.listed(each))];
      const others = (await Promise.all(found)).flat();
      await this.endOldest(others, others.length + 1 - max, owner);
    };
  }

  /**
   * Registers a session that has been running without an owner, or as another person's: the app signed a person in without a
   * new session id.
   * @throws {TooManySessionsException}
   */
  async registerRunning(
    ref: string,
    { record }: Partial<ActivityReading>,
    request: Request,
  ): Promise<void> {
    const { index, ownerOf, maxSessionsFor, describe } = this.options;
    if (!index || !record || record.ended !== undefined) return;
    const owner = ownerOf?.(request);
    if (owner === undefined) return;
    // It stays on the index of who it started for: it may pass back to them.
    if (record.owner !== null && this.owned.hashesOf(owner).includes(record.owner)) return;
    if (!this.hasLoggedLate) this.logger.warn(LATE_OWNER);
    this.hasLoggedLate = true;
    const max = (await maxSessionsFor?.(request)) ?? Infinity;
    const session = {
      key: ref,
      description: describe(request),
      keepForMs: record.absoluteTimeoutMs,
    };
    await this.add(session, owner, max, true);
  }

  private starting(
    ref: string,
    { absoluteTimeoutMs }: Pick<NewSession, 'absoluteTimeoutMs'>,
    request: Request,
  ): NewIndexedSession {
    const keepForMs = absoluteTimeoutMs && absoluteTimeoutMs + STARTS_WITHIN_MS;
    return { key: ref, description: this.options.describe(request), keepForMs };
  }

  private async add(
    session: NewIndexedSession,
    owner: string,
    max: number,
    isRunning = false,
  ): Promise<void> {
    const [hash, ...olderHashes] = this.owned.hashesOf(owner);
    // Signed in under a secret that signs no more.
    const older =
      max === Infinity
        ? []
        : (await Promise.all(olderHashes.map((each) => this.listed(each)))).flat();
    const limit: IndexLimit = {
      max: max - older.length,
      refuse: this.options.onMaxSessions === 'refuse',
    };
    for (let tries = 0; tries < TRIES; tries++) {
      const addition = await this.owned.ask('add', (index) => index.add(hash, session, limit));
      if (addition.outcome === 'known' && (limit.refuse || isRunning)) return;
      const others = [...older, ...(await this.alive(hash, addition))];
      if (addition.outcome !== 'full') {
        if (!limit.refuse) await this.endOldest(others, others.length + 1 - max, owner);
        return;
      }
    }
    throw new TooManySessionsException(max);
  }

  private async listed(hash: string): Promise<OwnedSession[]> {
    return this.countable(hash, await this.owned.listed(hash));
  }

  private async alive(hash: string, { others, now }: IndexAddition): Promise<OwnedSession[]> {
    return this.countable(hash, await this.owned.among(hash, others, now));
  }

  /** Those that count. What is over, but was not found out yet, is ended: late activity could bring it back. */
  private async countable(hash: string, sessions: OwnedSession[]): Promise<OwnedSession[]> {
    const alive = await Promise.all(
      sessions.map(async ({ ref, reading }) => {
        const evaluation = this.activity.evaluate(reading);
        if (evaluation?.state !== 'expired') return true;
        await this.ending.endByRef(ref, evaluation.reason, { cause: 'clock' });
        // Activity may have come in between.
        if (this.activity.isAlive(await this.activity.read(ref, true))) return true;
        // The record of a late sign-in does not say on whose index it is.
        await this.owned.ask('remove', (index) => index.remove(hash, [ref]));
        return false;
      }),
    );
    return sessions.filter((_, at) => alive[at]);
  }

  private async endOldest(sessions: OwnedSession[], count: number, endedBy: string): Promise<void> {
    if (count <= 0) return;
    // The index decides the order: it is the same for all processes.
    const oldest = sessions.toSorted((a, b) => a.addedAt - b.addedAt).slice(0, count);
    await Promise.all(
      oldest.map(({ ref }) => this.ending.endByRef(ref, 'revoked', { cause: 'request', endedBy })),
    );
  }
}

const LATE_OWNER =
  'A session got an owner (option "ownerOf") without a new session id. It is in the list of its owner’s sessions, but its events do not ' +
  'name the owner, and its absolute timeout counts from before the sign-in. Call request.session.regenerate() at sign-in: ' +
  'it also keeps an attacker from choosing the session id.';
