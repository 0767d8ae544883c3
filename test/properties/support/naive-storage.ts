import {
  ActivityStorage,
  type ActivityRecord,
  type EndReason,
  type ExpiredSession,
  type NewSession,
} from 'nestjs-idle-session';
import { newSession } from '../../support/new-session.js';

interface Kept {
  record: ActivityRecord;
  sessionId: string;
  endedAt?: number;
}

const UNKNOWN = newSession(0);

/** What the contract of `ActivityStorage` says, sentence by sentence, with no thought of speed. */
export class NaiveStorage extends ActivityStorage {
  private readonly kept = new Map<string, Kept>();

  constructor(
    private readonly now: () => number,
    private readonly retentionMs: number,
  ) {
    super();
  }

  override async read(key: string) {
    return { record: this.find(key)?.record, now: this.now() };
  }

  override async start(key: string, session: NewSession) {
    const started = this.find(key) === undefined;
    const { sessionId } = session;
    if (started) this.kept.set(key, { record: this.fresh(session), sessionId });
    return { ...(await this.read(key)), started };
  }

  override async touch(key: string, idleTimeoutMs: number, at: number) {
    const kept = this.find(key);
    if (kept && kept.record.ended === undefined) {
      const { record } = kept;
      const lastActivityAt = Math.min(at, this.now());
      const isNewer = lastActivityAt > record.lastActivityAt;
      const countsForMs = Math.min(record.idleTimeoutMs, record.lockAfterMs ?? Infinity);
      const isInTime =
        (isNewer ? lastActivityAt : this.now()) < record.lastActivityAt + countsForMs;
      if (isInTime && lastActivityAt >= record.lastActivityAt)
        kept.record = { ...record, lastActivityAt, idleTimeoutMs };
    }
    return this.read(key);
  }

  override async unlock(key: string, idleTimeoutMs: number) {
    let unlocked = false;
    const kept = this.find(key);
    if (kept && kept.record.ended === undefined) {
      const { lastActivityAt, startedAt, absoluteTimeoutMs, ...record } = kept.record;
      const isIdle = this.now() >= lastActivityAt + record.idleTimeoutMs;
      const isOld = this.now() >= startedAt + (absoluteTimeoutMs ?? Infinity);
      const isLocked = this.now() >= lastActivityAt + (record.lockAfterMs ?? Infinity);
      const after = { ...kept.record, lastActivityAt: this.now(), idleTimeoutMs };
      unlocked = isLocked && !isIdle && !isOld;
      if (unlocked) kept.record = after;
    }
    return { ...(await this.read(key)), unlocked };
  }

  override async end(key: string, reason: EndReason) {
    const kept = this.find(key);
    const { record, sessionId } = kept ?? { record: this.fresh(UNKNOWN), sessionId: '' };
    const isInTime = this.now() < record.lastActivityAt + record.idleTimeoutMs;
    const isKept = (reason === 'idle' && isInTime) || (reason === 'lost' && kept !== undefined);
    const won = record.ended === undefined && !isKept;
    if (won)
      this.kept.set(key, { record: { ...record, ended: reason }, sessionId, endedAt: this.now() });
    return { ...(await this.read(key)), won, ...(won && { sessionId }) };
  }

  override async expire() {
    const expired: ExpiredSession[] = [];
    for (const key of this.kept.keys()) {
      const { record, sessionId } = this.find(key) ?? {};
      if (!record || record.ended !== undefined) continue;
      const idle = record.lastActivityAt + record.idleTimeoutMs;
      const absolute = record.startedAt + (record.absoluteTimeoutMs ?? Infinity);
      if (this.now() < Math.min(idle, absolute)) continue;
      const reason = idle <= absolute ? 'idle' : 'absolute';
      const { startedAt, lastActivityAt, owner } = record;
      const about = { startedAt, lastActivityAt, owner, endedAt: this.now() };
      expired.push({ key, sessionId: sessionId!, reason, ...about });
      await this.end(key, reason);
    }
    return { expired, more: false };
  }

  override async count() {
    return Array.from(this.kept.values()).filter(({ record }) => record.ended === undefined).length;
  }

  private find(key: string): Kept | undefined {
    const kept = this.kept.get(key);
    if (!kept) return undefined;
    const { record, endedAt } = kept;
    const from = endedAt ?? record.lastActivityAt + record.idleTimeoutMs;
    return this.now() < from + this.retentionMs ? kept : undefined;
  }

  private fresh(session: NewSession): ActivityRecord {
    const now = this.now();
    const { idleTimeoutMs, absoluteTimeoutMs, lockAfterMs, owner } = session;
    const limits = { idleTimeoutMs, absoluteTimeoutMs, lockAfterMs, owner };
    return { startedAt: now, authenticatedAt: now, lastActivityAt: now, ...limits };
  }
}
