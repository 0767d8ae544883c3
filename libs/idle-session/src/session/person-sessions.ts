import { Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import type { ActivityReading } from '../activity/activity-storage.js';
import { isBeingReplaced } from '../activity/evaluate.js';
import type { SessionDescription } from '../activity/owner-index.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { checkName, checkReason } from './call-checks.js';
import { StorageUnavailableException } from './idle-session.exceptions.js';
import type { OwnedSession } from './owned-session.js';
import { OwnedSessions } from './owned-sessions.js';
import type { DeliberateEndReason } from './request-session.js';
import { RequestSessions } from './request-sessions.js';
import { SessionActivity } from './session-activity.js';
import { SessionEnding } from './session-ending.js';
import { isSessionRef } from './session-ref.js';

/** A live session in the list of its owner's. */
export interface ListedSession {
  /** Names the session by a hash, never by its id. */
  readonly ref: string;
  /** The storage's time in milliseconds. */
  readonly startedAt: number;
  /** The storage's time in milliseconds. */
  readonly lastActivityAt: number;
  /** Whether it is that of the request that was given. */
  readonly current: boolean;
  /** What the option `describe` kept of it. */
  readonly description: SessionDescription;
}

export interface ListOptions {
  /** The request whose session is the current one. */
  readonly current?: Request | undefined;
}

export interface EndByRefOptions {
  /** Ends the session only if it is this owner's: for a reference that a browser sent. */
  readonly owner?: string;
  /** Default `'revoked'`. */
  readonly reason?: DeliberateEndReason | undefined;
  /** Who ended it, for the event. */
  readonly by?: string | undefined;
}

export interface EndAllOptions {
  /** The request whose session stays. */
  readonly except?: Request | undefined;
  /** Who ended them, for the events. */
  readonly by?: string | undefined;
}

/** A session as a browser is told of it: its clock may be wrong, so that it gets durations. */
export interface SessionItem extends Omit<ListedSession, 'startedAt' | 'lastActivityAt'> {
  /** How long ago it started. */
  readonly ageMs: number;
  /** How long ago the person last did something there. */
  readonly idleForMs: number;
}

/** What a person may see of their own sessions, and do with them. */
@Injectable()
export class PersonSessions {
  constructor(
    private readonly owned: OwnedSessions,
    private readonly activity: SessionActivity,
    private readonly ending: SessionEnding,
    private readonly requestSessions: RequestSessions,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** The live sessions of an owner, with the newest activity first. */
  async list(owner: string, options: ListOptions = {}): Promise<ListedSession[]> {
    const found = await this.found(owner, options);
    return found.map(({ session }) => session);
  }

  /** As {@link list}, for a browser. */
  async items(owner: string, options: ListOptions): Promise<SessionItem[]> {
    const found = await this.found(owner, options);
    return found.map(({ now, session: { startedAt, lastActivityAt, ...session } }) => ({
      ...session,
      ageMs: now - startedAt,
      idleForMs: now - lastActivityAt,
    }));
  }

  /** @returns whether there was such a live session, and this call ended it */
  async endByRef(ref: string, options: EndByRefOptions = {}): Promise<boolean> {
    const { owner, reason = 'revoked', by } = options;
    checkName('endByRef', 'by', by);
    // An owner that is unknown is no reason to end the session of anybody.
    if ('owner' in options) checkName('endByRef', 'owner', owner, true);
    checkReason('endByRef', reason);
    if (owner !== undefined) this.requireIndex('endByRef');
    if (!isSessionRef(ref)) return false;
    const reading = await this.activity.read(ref, true);
    if (!this.activity.isAlive(reading)) return false;
    if (owner !== undefined && !(await this.isOwned(ref, reading, owner))) return false;
    const { won } = await this.ending.endByRef(ref, reason, { cause: 'request', ...endedBy(by) });
    return won;
  }

  /**
   * Also ends sessions that are about to start, and those that get another id meanwhile by a confirm.
   * @returns how many live ones it ended
   */
  async endAll(owner: string, { except, by }: EndAllOptions = {}): Promise<number> {
    checkName('endAll', 'by', by);
    const kept = except && (await this.keptRef(except));
    const origin = { cause: 'request', ...endedBy(by) } as const;
    let count = 0;
    for (let goesOn = true; goesOn;) {
      const sessions = await this.all(owner, 'endAll');
      const ends = await Promise.all(
        sessions
          .filter(({ ref }) => ref !== kept)
          .map(async ({ ref, reading }) => {
            const isLive = this.activity.isAlive(reading);
            return { isLive, end: await this.ending.endByRef(ref, 'revoked', origin) };
          }),
      );
      count += ends.filter(({ isLive, end }) => isLive && end.won).length;
      goesOn = ends.some(({ end }) => end.record?.ended === 'confirmed');
    }
    return count;
  }

  private async found(owner: string, { current }: ListOptions) {
    const currentRef = current && this.refOf(current);
    const found = await this.live(owner, 'list');
    return found
      .map(({ ref, description, reading: { record, now } }) => {
        const { startedAt, lastActivityAt } = record!;
        const isCurrent = ref === currentRef;
        return {
          now,
          session: { ref, startedAt, lastActivityAt, current: isCurrent, description },
        };
      })
      .toSorted((a, b) => b.session.lastActivityAt - a.session.lastActivityAt);
  }

  /** A session that was signed in late has its owner on the index alone. */
  private async isOwned(ref: string, { record }: ActivityReading, owner: string): Promise<boolean> {
    if (record?.owner && this.owned.hashesOf(owner).includes(record.owner)) return true;
    return (await this.all(owner, 'endByRef')).some((session) => session.ref === ref);
  }

  private async live(owner: string, method: string): Promise<OwnedSession[]> {
    const sessions = await this.all(owner, method);
    return sessions.filter(({ reading }) => this.activity.isAlive(reading));
  }

  private all(owner: string, method: string): Promise<OwnedSession[]> {
    this.requireIndex(method);
    checkName(method, 'owner', owner, true);
    return this.owned.of(owner);
  }

  private requireIndex(method: string): void {
    if (!this.options.index) throw new Error(`IdleSessionService.${method}() ${NEEDS_INDEX}`);
  }

  /** @throws {StorageUnavailableException} if the session has another id, which this request does not know */
  private async keptRef(request: Request): Promise<string | undefined> {
    const ref = this.refOf(request);
    if (ref !== undefined && isBeingReplaced(await this.activity.read(ref, true)))
      throw new StorageUnavailableException(new Error('The session has a new id by now'));
    return ref;
  }

  private refOf(request: Request): string | undefined {
    return this.requestSessions.of(request).ref;
  }
}

const NEEDS_INDEX =
  'needs option "ownerOf", and an activity storage with `index`, as those of this package.';

const endedBy = (by: string | undefined): { endedBy?: string } =>
  by === undefined ? {} : { endedBy: by };
