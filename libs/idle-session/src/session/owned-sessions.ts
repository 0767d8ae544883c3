import { Inject, Injectable } from '@nestjs/common';
import type { IndexedSession, OwnerIndex } from '../activity/owner-index.js';
import { RESOLVED_OPTIONS } from '../options/module-definition.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { UnusableAnswerError } from '../utils/outage-log.js';
import { STARTS_WITHIN_MS, type OwnedSession } from './owned-session.js';
import { ownerHash } from './owner-hash.js';
import { SessionActivity } from './session-activity.js';

/** Finds the sessions of an owner, and removes from the index what has ended. */
@Injectable()
export class OwnedSessions {
  constructor(
    private readonly activity: SessionActivity,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** An owner as the index knows it, first by the secret that signs, then by the older ones. */
  hashesOf(owner: string): [string, ...string[]] {
    const [newest, ...older] = this.options.secrets;
    return [ownerHash(newest, owner), ...older.map((secret) => ownerHash(secret, owner))];
  }

  /** The sessions that have not ended, and those that may be about to start. */
  async of(owner: string): Promise<OwnedSession[]> {
    const found = await Promise.all(this.hashesOf(owner).map((hash) => this.listed(hash)));
    return found.flat();
  }

  /** As {@link of}, by one hash of the owner. */
  async listed(hash: string): Promise<OwnedSession[]> {
    const goneOn = new Set<string>();
    for (;;) {
      const known = goneOn.size;
      const { sessions, now } = await this.ask('list', (index) => index.list(hash));
      const found = await this.among(hash, sessions, now, (ref) => goneOn.add(ref));
      // The index has had the next id since before the old one ended, but maybe not when it was asked.
      if (goneOn.size === known) return found;
    }
  }

  /**
   * Of sessions that the index had at a time, those that have not ended, or may be about to start.
   * @param onGoneOn is told of those that go on under the id of a confirm
   */
  async among(
    hash: string,
    sessions: readonly IndexedSession[],
    now: number,
    onGoneOn: (ref: string) => void = () => {},
  ): Promise<OwnedSession[]> {
    const found = await Promise.all(
      sessions.map(async ({ key, ...session }) => ({
        ...session,
        ref: key,
        reading: await this.activity.read(key, true),
      })),
    );
    const isGone = ({ reading: { record }, addedAt }: OwnedSession) =>
      record ? record.ended !== undefined : now - addedAt > STARTS_WITHIN_MS;
    const gone = found.filter(isGone).map(({ ref }) => ref);
    for (const { ref, reading } of found) if (reading.record?.ended === 'confirmed') onGoneOn(ref);
    // What was added since may be about to start.
    if (gone.length > 0) await this.ask('remove', (index) => index.remove(hash, gone, now));
    return found.filter((session) => !isGone(session));
  }

  /** @throws {StorageUnavailableException} */
  ask<T>(operation: string, ask: (index: OwnerIndex) => Promise<T>): Promise<T> {
    return this.activity.answerTo(`index: ${operation}`, async ({ index }) => {
      const answer = index && (await ask(index));
      if (!index) throw new UnusableAnswerError('no index');
      return answer as T;
    });
  }
}
