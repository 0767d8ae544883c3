import { evaluate, type ActivityRecord, type EndReason } from 'nestjs-idle-session';
import { Session, type Attempt } from './session-history.js';
import { countsForMs, unsentMs, type Rules } from './rules.js';
import { LATENCY_MS, Troubles } from './troubles.js';
import { whatCounts, type Visit } from './visit.js';

/** `accepted`, the reason why not, or that no server could tell. */
export type Outcome = 'accepted' | 'locked' | EndReason | 'unavailable' | 'unknown';

/**
 * Judges servers by all that happens, also inside: what the storage writes, which network is well, and when, to the
 * millisecond. For servers in virtual time; what can be seen of real ones is less, and `answers-oracle.ts` goes by that.
 */
export class StorageOracle {
  /** The promises that were broken. */
  readonly broken: string[] = [];
  private readonly sessions = new Map<string, Session>();
  private readonly troubles: Troubles;

  constructor(
    private readonly rules: Rules,
    private readonly now: () => number,
  ) {
    this.troubles = new Troubles(now);
  }

  /** What the storage has of a session. */
  stored(key: string): ActivityRecord | undefined {
    return this.session(key).history.at(-1)?.record;
  }

  /** The storage wrote a record. */
  written(key: string, record: ActivityRecord): void {
    const { history } = this.session(key);
    const now = this.now();
    const last = history.at(-1);
    this.expect(
      record.lastActivityAt <= now,
      `${key}: the stored activity is ${record.lastActivityAt - now} ms in the future`,
    );
    if (last) {
      const before = last.record;
      this.expect(
        record.lastActivityAt >= before.lastActivityAt,
        `${key}: the stored activity went back`,
      );
      this.expect(
        before.ended === undefined || before.ended === record.ended,
        `${key}: what had ended as ${before.ended} is ${record.ended}`,
      );
      if (record.ended !== undefined && before.ended === undefined) this.endsRightly(key, record);
      last.until = now;
    }
    history.push({ record, from: now, until: Infinity });
  }

  /** A request came in. Returns what is to be called with its outcome. */
  visited(server: number, key: string, visit: Visit): (outcome: Outcome) => void {
    const session = this.session(key);
    const startedAt = this.now();
    const { idleTimeoutMs, passive, idleForMs, unlocks } = whatCounts(visit);
    const attempt: Attempt = { server, idleTimeoutMs, startedAt, unlocks, endedAt: Infinity };
    const answered = new Set(session.attempts.filter(({ endedAt }) => endedAt < Infinity));
    session.attempts.push(attempt);
    const knewTheEnd = session.endKnownBy.has(server);
    return (outcome) => {
      if (outcome !== 'unavailable') attempt.endedAt = this.now();
      if (outcome === 'accepted') {
        if (!passive) attempt.activityAt = startedAt - idleForMs;
        this.expect(!knewTheEnd, `${key}: server ${server} knew the end and accepted`);
        this.acceptsRightly(server, key, startedAt, unlocks);
      } else if (outcome === 'locked') {
        // The storage may have said so before an unlock came to it, and what that led to.
        const isOvertaken = session.attempts.some((one) => one.unlocks && !answered.has(one));
        const mustKnow = (one: Attempt) => !isOvertaken || answered.has(one);
        const early = this.deadline(key, this.lockSpan, mustKnow) - this.now();
        this.expect(!unlocks, `${key}: locked for server ${server} after an unlock`);
        this.expect(early <= 0, `${key}: locked for server ${server} ${early} ms early`);
      } else if (outcome === 'unavailable') {
        const wasWell = !this.troubles.metBy(server, startedAt, this.now());
        this.expect(!wasWell, `${key}: server ${server} had no answer, without an outage`);
      } else {
        this.ended(server, key, outcome);
      }
    };
  }

  /** The end of a session is asked for. Returns what is to be called with the outcome. */
  endAsked(server: number, key: string, reason: EndReason): (outcome: Outcome) => void {
    this.session(key).asked.add(reason);
    return (outcome) => {
      if (outcome !== 'unavailable') this.ended(server, key, outcome);
    };
  }

  /** A server said why a session ended. */
  ended(server: number, key: string, reason: Outcome): void {
    this.session(key).endKnownBy.add(server);
    const stored = this.stored(key)?.ended;
    this.expect(stored === reason, `${key}: refused as ${reason}, but it is ${stored}`);
  }

  swept(server: number, keys: readonly string[]): void {
    for (const key of keys) this.session(key).endKnownBy.add(server);
  }

  event(key: string, type: string): void {
    const { events } = this.session(key);
    events.push(type);
    this.expect(events.length === 1, `${key}: events ${events.join()}`);
  }

  eventLost(key: string): void {
    this.session(key).eventMayBeLost = true;
  }

  /** A server lost what it had not sent. */
  crashed(server: number): void {
    this.troubles.crashed(server);
  }

  /** A network is well, or is not. */
  network(network: number, isWell: boolean): void {
    this.troubles.network(network, isWell);
  }

  /** Networks have been well for a while: what was accepted must have arrived. */
  calm(): void {
    for (const [key, { history }] of this.sessions) {
      const record = history.at(-1)?.record;
      if (!record || record.ended !== undefined) continue;
      const before = this.now() - unsentMs(this.rules, record.idleTimeoutMs) - LATENCY_MS;
      const arrived = ({ endedAt }: Attempt) => endedAt <= before;
      const early =
        this.deadline(key, this.idleSpan, arrived) - record.lastActivityAt - record.idleTimeoutMs;
      this.expect(early <= 0, `${key}: will end as idle ${early} ms early`);
    }
  }

  /** All sessions are over, and every server has been heard. */
  closed(): void {
    for (const [key, { history, events, eventMayBeLost }] of this.sessions) {
      if (history.length === 0) continue;
      this.expect(this.stored(key)?.ended !== undefined, `${key}: never ended`);
      this.expect(events.length === 1 || eventMayBeLost, `${key}: no end event`);
    }
  }

  private session(key: string): Session {
    let session = this.sessions.get(key);
    if (!session) this.sessions.set(key, (session = new Session()));
    return session;
  }

  /** Some state that the storage was in since, or that this server may not have heard of yet, must have said so. */
  private acceptsRightly(server: number, key: string, startedAt: number, unlocks: boolean): void {
    const { syncIntervalMs } = this.rules;
    const policy = { warnBeforeMs: false } as const;
    const refused = unlocks ? ['expired'] : ['expired', 'locked'];
    const isRight = this.session(key).history.some(
      ({ record, from, until }) =>
        until >= startedAt - syncIntervalMs &&
        refused.every(
          (state) => evaluate(record, policy, Math.max(from, startedAt)).state !== state,
        ),
    );
    this.expect(isRight, `${key}: server ${server} accepted what was over or locked`);
  }

  private endsRightly(key: string, { ended, startedAt }: ActivityRecord): void {
    const now = this.now();
    if (ended === 'idle') {
      const early = this.deadline(key, this.idleSpan) - now;
      this.expect(early <= 0, `${key}: ended as idle ${early} ms early`);
    } else if (ended === 'absolute') {
      const early = startedAt + (this.rules.absoluteTimeoutMs || Infinity) - now;
      this.expect(early <= 0, `${key}: ended as too old ${early} ms early`);
    } else {
      this.expect(this.session(key).asked.has(ended!), `${key}: nobody asked for ${ended}`);
    }
  }

  private readonly idleSpan = (idleTimeoutMs: number) => idleTimeoutMs;
  private readonly lockSpan = (idleTimeoutMs: number) => countsForMs(this.rules, idleTimeoutMs);

  /**
   * The earliest time at which a session may end as idle, or be locked, by the activity that was accepted.
   * @param spanOf how long after the last activity that is, by the idle timeout
   * @param counts which of the activity; default: all
   */
  private deadline(
    key: string,
    spanOf: (idleTimeoutMs: number) => number,
    counts: (attempt: Attempt) => boolean = () => true,
  ): number {
    const { attempts } = this.session(key);
    let deadline = -Infinity;
    for (const attempt of attempts) {
      // What came later, or at the same time, may have brought another timeout.
      const timeouts = attempts
        .filter(({ endedAt }) => endedAt >= attempt.startedAt)
        .map(({ idleTimeoutMs }) => idleTimeoutMs);
      const idleTimeoutMs = Math.min(...timeouts);
      const { activityAt } = attempt;
      if (activityAt === undefined || !counts(attempt)) continue;
      if (!this.mayBeLost(attempt, attempts, idleTimeoutMs))
        deadline = Math.max(deadline, activityAt + spanOf(idleTimeoutMs));
    }
    return deadline;
  }

  private mayBeLost(attempt: Attempt, all: Attempt[], idleTimeoutMs: number): boolean {
    const { server, startedAt, endedAt } = attempt;
    const waitMs = unsentMs(this.rules, idleTimeoutMs);
    const spanMs = countsForMs(this.rules, idleTimeoutMs);
    const inTrouble = this.troubles.mayHaveLost(attempt, spanMs, waitMs);
    // Of two timeouts that come to two servers, either may be the last that comes to the storage, and each is heard later.
    const inShorterTimeout = all.some((other) => {
      const isElsewhere = other.server !== server;
      const unsent = unsentMs(this.rules, other.idleTimeoutMs);
      const unheardMs = isElsewhere ? unsent + this.rules.syncIntervalMs : 0;
      const [from, to] = [startedAt - unheardMs, other.endedAt + unheardMs];
      // An outage that has not ended since may have held it up.
      const isHeldUp = isElsewhere && this.troubles.metBy(other.server, from, to);
      return (
        other.idleTimeoutMs < attempt.idleTimeoutMs &&
        other.startedAt <= endedAt + unheardMs &&
        (other.endedAt >= from || isHeldUp)
      );
    });
    return inTrouble || inShorterTimeout;
  }

  private expect(isTrue: boolean, otherwise: string): void {
    if (!isTrue) this.broken.push(otherwise);
  }
}
