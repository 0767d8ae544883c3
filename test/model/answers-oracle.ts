/** How long an app process may keep accepted activity to itself, and may not know of an end that another decided. */
export const SYNC_INTERVAL = 1000;

/** How long Redis hangs at most. */
export const LONGEST_HANG_MS = 3000;

/** How late a process may be on a busy machine. */
const LATENESS = 500;

export interface Answered {
  readonly what: 'sign-in' | 'me' | 'heartbeat' | 'poll' | 'unlock' | 'sign-out';
  /** Which of the app's processes was asked. */
  readonly process: number;
  /** By the asker's monotonic clock, as all times here: what happened, happened between the two. */
  readonly sentAt: number;
  readonly answeredAt: number;
  /** For how long the person had been idle when the request was sent; infinite for what is no activity. */
  readonly idleForMs: number;
  /** The HTTP status; 0 without an answer. */
  readonly status: number;
  /** Whether the answer was that of somebody who is signed in. */
  readonly served: boolean;
  /** Whether the answer was that the session is locked. */
  readonly locked: boolean;
  /** Whether the answer was that there is no session, or none any more. */
  readonly out: boolean;
}

/** What faults left of the activity that processes accepted. */
interface KnownFaults {
  /** Whether what a process accepted then is lost, since the process was killed. */
  lost(process: number, acceptedAt: number): boolean;
  /** Up to when activity had come through Redis and these processes by `time` in any case. */
  deliveredUntil(time: number, processes: readonly number[]): number;
}

/** Activity that a process accepted. */
interface Proof {
  readonly activeAt: number;
  readonly process: number;
  readonly acceptedAt: number;
}

/**
 * Judges an app by what one person sends and is answered, in real time, whatever the app and Redis are made of. The
 * person may be signed out once no activity that was accepted keeps them in; they must be out once none that the app
 * could have received does. It is the same with the lock, until they unlock it. What happens inside is not known here; `storage-oracle.ts` goes by that.
 */
export class Person {
  sessionRef = '';
  /** How often an app process said that the session ended. */
  endEvents = 0;
  private readonly log: string[] = [];
  private readonly proofs: Proof[] = [];
  private heardAtLatest = 0;
  private triesToSignOut = false;
  private signedOutBy: { process: number; at: number } | undefined;

  constructor(
    readonly cookie: string,
    private readonly limits: { readonly idleTimeoutMs: number; readonly lockAfterMs: number },
    private readonly faults: KnownFaults,
  ) {}

  /** Takes in that a sign-out is on its way: from now on the session may be over, or not yet. */
  signsOut(): void {
    this.triesToSignOut = true;
  }

  /** Takes in an answer. Returns what is wrong about it, if anything is. */
  take(answer: Answered): string | undefined {
    const wrong = this.wrongAbout(answer);
    this.note(answer);
    return wrong;
  }

  /** Takes in that a process said that the session ended. Returns what is wrong about that. */
  takeEnd(now: number): string | undefined {
    this.endEvents++;
    this.log.push(`${seconds(now)} said to have ended`);
    if (this.endEvents > 1) return 'a session ended twice';
    if (!this.triesToSignOut && now < this.provenUntil())
      return 'a session ended although its person was active';
    return undefined;
  }

  /** Until when the person is in, whatever else happened. */
  provenUntil(): number {
    return this.activeAt(() => true) + this.limits.idleTimeoutMs;
  }

  /**
   * Until when the session is not locked, by what the asked process must have known when it was asked: it may have decided
   * at once, and answered late. An outage may take longer than half of `lockAfter`, and what another process accepted may
   * not have come through yet.
   */
  private unlockedUntil(asked: number, sentAt: number): number {
    const isKnown = ({ process, acceptedAt }: Proof) =>
      process === asked || acceptedAt <= this.faults.deliveredUntil(sentAt, [process, asked]);
    return this.activeAt(isKnown) + this.limits.lockAfterMs;
  }

  /** When the person was last active, by those proofs. */
  private activeAt(counts: (proof: Proof) => boolean): number {
    const proofs = this.proofs.filter(
      (proof) => !this.faults.lost(proof.process, proof.acceptedAt) && counts(proof),
    );
    return Math.max(0, ...proofs.map(({ activeAt }) => activeAt));
  }

  /** From when on the person is out in any case, unless they are heard again. */
  overFrom(): number {
    return this.signedOutBy
      ? this.signedOutBy.at + SYNC_INTERVAL + LATENESS
      : this.heardAtLatest + this.limits.idleTimeoutMs + LATENESS;
  }

  /** From when on the session is locked in any case, unless the person is heard again. */
  lockedFrom(): number {
    return this.heardAtLatest + this.limits.lockAfterMs + LATENESS;
  }

  history(): string {
    return this.log.join('\n');
  }

  private wrongAbout(answer: Answered) {
    const { what, process, sentAt, answeredAt, status, served, locked, out } = answer;
    if (served && this.signedOutBy) {
      const known = this.signedOutBy.process === process ? 0 : SYNC_INTERVAL + LATENESS;
      if (sentAt > this.signedOutBy.at + known) return 'served after signing out';
    } else if (served && sentAt > this.overFrom()) return 'served after the end';
    if (served && what !== 'unlock' && sentAt > this.lockedFrom()) return 'served while locked';
    if (locked && what === 'unlock') return 'locked after an unlock';
    if (locked && answeredAt < this.unlockedUntil(process, sentAt)) return 'locked although active';
    if (out && !this.triesToSignOut && answeredAt < this.provenUntil())
      return 'signed out although active';
    if (!served && !locked && !out && status !== 503 && status !== 0) return `answered ${status}`;
    return undefined;
  }

  private note(answer: Answered): void {
    const { what, process, sentAt, answeredAt, idleForMs, status, served, locked, out } = answer;
    const took = Math.round(answeredAt - sentAt);
    const outcome = served ? 'served' : locked ? 'locked' : out ? 'out' : 'not heard';
    this.log.push(`${seconds(sentAt)} ${what} at ${process}: ${status}, ${outcome}, ${took} ms`);
    if (this.log.length > 40) this.log.shift();

    if (what === 'sign-out') {
      if (out) this.signedOutBy ??= { process, at: answeredAt };
    } else if (idleForMs !== Infinity && !out && !locked) {
      // Whoever was not answered may have been heard all the same; an unlock when Redis goes on, which then takes its time.
      const heardAt = what === 'unlock' && !served ? answeredAt + LONGEST_HANG_MS : answeredAt;
      this.heardAtLatest = Math.max(this.heardAtLatest, heardAt);
      if (!served) return;
      this.proofs.push({ activeAt: sentAt - idleForMs, process, acceptedAt: answeredAt });
      if (this.proofs.length > 20) this.proofs.shift();
    }
  }
}

function seconds(time: number): string {
  return (time / 1000).toFixed(3);
}
