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
    await this.addStarting(ref, session, owner, request, max);
  }

  /** Registers the next id of a session that goes on: it needs no place of its own. */
  async registerSuccessor(
    ref: string,
    session: Pick<NewSession, 'absoluteTimeoutMs'>,
    owner: string | undefined,
    request: Request,
  ): Promise<void> {
    if (!this.options.index || owner === undefined) return;
    await this.addStarting(ref, session, owner, request, Infinity);
  }

  /**
   * Registers a session that has been running without an owner: the app signed a person in without a new session id.
   * @throws {TooManySessionsException}
   */
  async registerRunning(
    ref: string,
    { record }: Partial<ActivityReading>,
    request: Request,
  ): Promise<void> {
    const { index, ownerOf, maxSessionsFor, describe } = this.options;
    if (!index || !record || record.ended !== undefined || record.owner !== null) return;
    const owner = ownerOf?.(request);
    if (owner === undefined) return;
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

  private addStarting(
    ref: string,
    { absoluteTimeoutMs }: Pick<NewSession, 'absoluteTimeoutMs'>,
    owner: string,
    request: Request,
    max: number,
  ): Promise<void> {
    const keepForMs = absoluteTimeoutMs && absoluteTimeoutMs + STARTS_WITHIN_MS;
    const description = this.options.describe(request);
    return this.add({ key: ref, description, keepForMs }, owner, max);
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
        : (await Promise.all(olderHashes.map((each) => this.owned.listed(each)))).flat();
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

  /** The others that count. What is over, but was not found out yet, is ended: late activity could bring it back. */
  private async alive(hash: string, { others, now }: IndexAddition): Promise<OwnedSession[]> {
    const sessions = await this.owned.among(hash, others, now);
    const alive = await Promise.all(
      sessions.map(async ({ ref, reading }) => {
        const evaluation = this.activity.evaluate(reading);
        if (evaluation?.state !== 'expired') return true;
        await this.ending.endByRef(ref, evaluation.reason, { cause: 'clock' });
        // Activity may have come in between.
        return this.activity.isAlive(await this.activity.read(ref, true));
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
