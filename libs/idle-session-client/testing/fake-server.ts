import {
  newRecord,
  type ActivityRecord,
} from '../../idle-session/src/activity/activity-storage.js';
import {
  activityDeadlineOf,
  evaluate,
  type Evaluation,
} from '../../idle-session/src/activity/evaluate.js';
import { statusOf } from '../../idle-session/src/session/idle-session.status.js';
import type { Answer } from '../src/browser/environment.js';
import type { EndReason } from '../src/protocol/end-reason.js';
import type { IdleSessionStatus } from '../src/protocol/idle-session-status.js';

export interface FakePolicy {
  readonly idleTimeoutMs: number;
  readonly warnBeforeMs: number | false;
  readonly absoluteTimeoutMs: number | false;
  readonly lockAfterMs: number | false;
}

/** What the server answers, and what its `Server-Timing` header says of a session that is alive. */
export interface FakeResponse extends Answer {
  readonly remainingMs?: number;
  readonly state?: string;
}

type FakeRecord = { -readonly [Key in keyof ActivityRecord]: ActivityRecord[Key] };

/** Holds sessions by the real server's rule, on a clock of its own. One browser's cookie is all it knows. */
export class FakeServer {
  /** Which session the browser's cookie names. */
  cookie: string | null = null;
  /** Requests that the real endpoints answer with 400. */
  readonly malformed: unknown[] = [];
  unlockUrl: string | null = '/unlock';
  private readonly records = new Map<string, FakeRecord>();
  private signIns = 0;

  constructor(
    private readonly now: () => number,
    readonly policy: FakePolicy,
  ) {}

  /** A new session; what the browser had before is over, as after `session.regenerate()`. */
  signIn(): void {
    if (this.cookie !== null) this.end('revoked');
    const now = this.now();
    this.cookie = `session-${++this.signIns}`;
    const { idleTimeoutMs, absoluteTimeoutMs, lockAfterMs } = this.policy;
    const session = {
      sessionId: '',
      idleTimeoutMs,
      absoluteTimeoutMs: absoluteTimeoutMs || null,
      lockAfterMs: lockAfterMs || null,
      owner: null,
    };
    this.records.set(this.cookie, newRecord(session, now));
  }

  end(reason: EndReason, ref = this.cookie): void {
    const record = ref === null ? undefined : this.records.get(ref);
    if (record) record.ended ??= reason;
  }

  /** Started again without its memory. */
  forget(): void {
    this.records.clear();
  }

  /** Of the browser's session, or of another one; now, or at another time if nothing happens until then. */
  evaluation(ref: string | null = null, inMs = 0): Evaluation | undefined {
    const record = this.records.get(ref ?? this.cookie ?? '');
    return record && evaluate(record, this.policy, this.now() + inMs);
  }

  isAlive(ref: string | null = null): boolean {
    const state = this.evaluation(ref)?.state;
    return state !== undefined && state !== 'expired';
  }

  isLocked(): boolean {
    return this.evaluation()?.state === 'locked';
  }

  /** The person left earlier than the pages know of, as where the clocks disagree. */
  lastActivityWas(agoMs: number): void {
    const record = this.record();
    if (record) record.lastActivityAt = this.now() - agoMs;
  }

  /** The right password was given. Returns whether the session goes on. */
  unlock(): boolean {
    const record = this.record();
    if (!record || !this.isAlive()) return false;
    record.lastActivityAt = this.now();
    return true;
  }

  lastActivityAt(): number {
    return this.record()?.lastActivityAt ?? NaN;
  }

  /** When the session ends unless something happens, on the server's clock. */
  deadline(): number {
    const evaluation = this.evaluation();
    return evaluation && 'expiresInMs' in evaluation ? this.now() + evaluation.expiresInMs : NaN;
  }

  status(): IdleSessionStatus {
    const { warnBeforeMs, idleTimeoutMs } = this.policy;
    const evaluation = this.evaluation();
    return statusOf(evaluation, {
      idleTimeoutMs,
      warnBeforeMs: warnBeforeMs === false ? null : warnBeforeMs,
      sessionRef: evaluation ? this.cookie : null,
      loginUrl: '/login',
      unlockUrl: this.unlockUrl,
    });
  }

  handle(path: string, body: unknown): FakeResponse {
    if (path === 'status') return this.answer(200, this.status());
    const [, endedRef] = path.split('status?of=');
    if (endedRef) return { status: 200, body: this.statusOfEnded(endedRef) };
    if (path === 'sign-out') {
      this.end('signed-out');
      return this.answer(204, undefined);
    }
    if (path === 'heartbeat') return this.heartbeat(body);
    // The app's own, which a locked session may ask.
    if (path === 'wrong password') return this.refusal() ?? this.answer(422, {});
    if (path === 'right password' && this.unlock()) return this.answer(200, {});
    // Any other is a request of the app's own pages.
    if (path !== 'passive') this.touch(0);
    if (this.isLocked()) return this.answer(401, { status: 401, reason: 'locked' });
    return this.refusal() ?? this.answer(200, {});
  }

  private statusOfEnded(ref: string): Partial<IdleSessionStatus> {
    const evaluation = this.evaluation(ref);
    const reason = evaluation?.state === 'expired' ? evaluation.reason : null;
    return { state: reason ? 'expired' : 'none', reason };
  }

  private heartbeat(body: unknown): FakeResponse {
    const { idleForMs } = (body ?? {}) as { idleForMs?: unknown };
    if (typeof idleForMs !== 'number' || !Number.isFinite(idleForMs) || idleForMs < 0) {
      this.malformed.push(body);
      return this.answer(400, {});
    }
    this.touch(idleForMs);
    return this.refusal() ?? this.answer(200, this.status());
  }

  private record(): FakeRecord | undefined {
    return this.cookie === null ? undefined : this.records.get(this.cookie);
  }

  private touch(idleForMs: number): void {
    const record = this.record();
    const at = this.now() - idleForMs;
    if (!record || !this.isAlive() || at >= activityDeadlineOf(record)) return;
    record.lastActivityAt = Math.max(record.lastActivityAt, at);
  }

  private refusal(): FakeResponse | undefined {
    const evaluation = this.evaluation();
    if (evaluation?.state !== 'expired') return undefined;
    const { reason } = evaluation;
    return this.answer(401, { type: 'about:blank', status: 401, reason, loginUrl: '/login' });
  }

  private answer(status: number, body: unknown): FakeResponse {
    const evaluation = this.evaluation();
    if (!evaluation || !('expiresInMs' in evaluation)) return { status, body };
    return { status, body, remainingMs: evaluation.expiresInMs, state: evaluation.state };
  }
}
