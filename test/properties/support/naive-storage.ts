import {
  ActivityStorage,
  type ActivityRecord,
  type EndReason,
  type ExpiredSession,
} from 'nestjs-idle-session';

interface Kept {
  record: ActivityRecord;
  sessionId: string;
  endedAt?: number;
}

/** What the contract of `ActivityStorage` says, sentence by sentence, with no thought of speed. */
export class NaiveStorage extends ActivityStorage {
  private readonly kept = new Map<string, Kept>();

  constructor(
    private readonly now: () => number,
    private readonly retentionMs: number,
  ) {
    super();
  }

  override read(key: string) {
    return { record: this.find(key)?.record, now: this.now() };
  }

  override start(key: string, idleTimeoutMs: number, sessionId: string) {
    const started = this.find(key) === undefined;
    if (started) this.kept.set(key, { record: this.fresh(idleTimeoutMs), sessionId });
    return { ...this.read(key), started };
  }

  override touch(key: string, idleTimeoutMs: number, at: number) {
    const kept = this.find(key);
    if (kept && kept.record.ended === undefined) {
      const { record } = kept;
      const lastActivityAt = Math.min(at, this.now());
      const isNewer = lastActivityAt > record.lastActivityAt;
      const isInTime =
        (isNewer ? lastActivityAt : this.now()) < record.lastActivityAt + record.idleTimeoutMs;
      if (isInTime && lastActivityAt >= record.lastActivityAt)
        kept.record = { ...record, lastActivityAt, idleTimeoutMs };
    }
    return this.read(key);
  }

  override end(key: string, reason: EndReason) {
    const { record, sessionId } = this.find(key) ?? { record: this.fresh(0), sessionId: '' };
    const isInTime = this.now() < record.lastActivityAt + record.idleTimeoutMs;
    const won = record.ended === undefined && !(reason === 'idle' && isInTime);
    if (won)
      this.kept.set(key, { record: { ...record, ended: reason }, sessionId, endedAt: this.now() });
    return { ...this.read(key), won };
  }

  override expire(absoluteTimeoutMs: number | false) {
    const expired: ExpiredSession[] = [];
    for (const key of this.kept.keys()) {
      const { record, sessionId } = this.find(key) ?? {};
      if (!record || record.ended !== undefined) continue;
      const idle = record.lastActivityAt + record.idleTimeoutMs;
      const absolute = record.startedAt + (absoluteTimeoutMs || Infinity);
      if (this.now() < Math.min(idle, absolute)) continue;
      const reason = idle <= absolute ? 'idle' : 'absolute';
      expired.push({ key, sessionId: sessionId!, reason });
      this.end(key, reason);
    }
    return { expired, more: false };
  }

  private find(key: string): Kept | undefined {
    const kept = this.kept.get(key);
    if (!kept) return undefined;
    const { record, endedAt } = kept;
    const from = endedAt ?? record.lastActivityAt + record.idleTimeoutMs;
    return this.now() < from + this.retentionMs ? kept : undefined;
  }

  private fresh(idleTimeoutMs: number): ActivityRecord {
    return { startedAt: this.now(), lastActivityAt: this.now(), idleTimeoutMs };
  }
}
