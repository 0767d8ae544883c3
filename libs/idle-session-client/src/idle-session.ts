import type { Answer, Environment, PageEvent, ServerTiming } from './environment.js';
import { isStatus, reasonOf, type ServerStatus } from './server-status.js';
import { STARTING, withChanges, type EndReason, type IdleSessionState } from './state.js';
import { SteadyClock } from './steady-clock.js';
import type { IdleSessionWord } from './tabs.js';

export interface IdleSessionOptions {
  /** Where the server's endpoints are; default `'/idle-session'`. */
  readonly path?: string;
  /** Whether activity while the warning shows extends the session; default false: only `extend()` does. */
  readonly extendOnActivity?: boolean;
}

/** The most seldom and the most frequent that heartbeats are, over all tabs. */
const HEARTBEAT_MS = 60_000;
const HEARTBEATS_PER_TIMEOUT = 4;

/** How far the server may be behind the person when a page is hidden or closed. */
const TOLERATED_LAG_MS = 1000;

/** How soon to ask again if the server could not be asked: doubled each time, up to the second. */
const FIRST_RETRY_MS = 2000;
const LAST_RETRY_MS = 30_000;

/** For how long a question that is on its way answers the next one, too. */
const SAME_QUESTION_MS = 1000;

/** How often to look whether the machine has slept: no event tells a page that stayed visible. */
const SLEEP_LOOK_MS = 5000;

/** An answer comes by then or not at all. */
const LONGEST_ANSWER_MS = 10_000;

/** Timers beyond fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const SECOND_MS = 1000;

/**
 * The browser's side of the idle clock. The server's word is the truth; the timer in here only decides when to ask.
 * Before it warns, and before it takes a session for ended, it asks.
 *
 * All times in here are those of a {@link SteadyClock}; only the state and the words to other tabs have the wall
 * clock's.
 */
export class IdleSession {
  #current: IdleSessionState = STARTING;
  readonly #listeners = new Set<() => void>();
  readonly #path: string;
  readonly #clock: SteadyClock;
  readonly #stops: (() => void)[] = [];

  #deadline = Infinity;
  /** When the server said so: older words are not taken for newer ones. */
  #saidAt = -Infinity;
  /** When it was heard. */
  #newsAt = -Infinity;
  /** When another tab told of an end, and why: what the server said before is to be asked again. */
  #toldAt = -Infinity;
  #toldReason: EndReason | undefined;
  /** When the person last did something here, what of that was sent, and what the server has heard. */
  #actedAt = -Infinity;
  #sentAt = -Infinity;
  #heardAt = -Infinity;
  /** When a tab last told the server of the person. */
  #beatAt = -Infinity;
  readonly #holds = new Set<symbol>();

  #asking: Promise<void> | undefined;
  #askedAt = -Infinity;
  #extending: Promise<boolean> | undefined;
  /** Whether anybody answered the last request, be it with an error. */
  #reached = true;
  #retryMs = FIRST_RETRY_MS;
  #cancelReview: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;
  #cancelLook: (() => void) | undefined;
  #cancelBeat: (() => void) | undefined;
  #destroyed = false;

  readonly #options: IdleSessionOptions;
  readonly #environment: Environment;

  constructor(options: IdleSessionOptions, environment: Environment) {
    this.#options = options;
    this.#environment = environment;
    this.#path = (options.path ?? '/idle-session').replace(/\/$/, '');
    this.#clock = new SteadyClock(environment);
    this.#stops.push(
      environment.onActivity(() => this.touch()),
      environment.onServerTiming((timing) => this.#hearTiming(timing)),
      // Of its own requests it knows already.
      environment.onRefused(() => void (this.#current.online && this.#ask())),
      environment.onPage((event) => this.#hearPage(event)),
      environment.onWord(this.#path, (word) => this.#hearWord(word)),
    );
    this.#lookForSleep();
    void this.#ask();
  }

  getState = (): IdleSessionState => this.#current;

  /** Calls back after each change of state; returns how to stop. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** The person wants to stay. Resolves to whether the session goes on; if not, the countdown does. */
  extend = (): Promise<boolean> => {
    this.#extending ??= this.#extendOnce().finally(() => (this.#extending = undefined));
    return this.#extending;
  };

  /** Ends the session. Resolves to whether the server has it; if not, nothing has changed. */
  signOut = async (): Promise<boolean> => {
    const answer = await this.#request('POST', 'sign-out');
    const done = answer?.status === 204;
    if (done) {
      this.#end('signed-out');
    } else {
      this.#change({ failed: true });
      this.#missed();
    }
    return done;
  };

  /** The person did something that the page's events do not show. */
  touch = (): void => {
    const { state, expiresAt, absoluteExpiresAt } = this.#current;
    if (state !== 'warning' && state !== 'extending') {
      this.#actedAt = this.#clock.now();
      if (state === 'active') this.#planBeat();
      return;
    }
    // Whatever the person does moves the idle limit alone.
    const movable = (expiresAt ?? 0) < (absoluteExpiresAt ?? Infinity) - SECOND_MS;
    if (this.#options.extendOnActivity && movable) void this.extend();
  };

  /**
   * While held, the person counts as present: a video plays, an upload runs. Bounded by the absolute limit.
   * @param reason for whoever debugs it
   * @returns how to release it; once is enough
   */
  hold = (reason: string): (() => void) => {
    const hold = Symbol(reason);
    this.#holds.add(hold);
    this.touch();
    return () => {
      if (!this.#holds.has(hold)) return;
      this.touch();
      this.#holds.delete(hold);
    };
  };

  /** Stops everything; the session goes on at the server until its time is up. */
  destroy = (): void => {
    this.#rest();
    this.#destroyed = true;
    for (const stop of this.#stops.splice(0)) stop();
    this.#listeners.clear();
  };

  #isAlive(): boolean {
    return !this.#destroyed && ['active', 'warning', 'extending'].includes(this.#current.state);
  }

  #isOver(): boolean {
    const { state } = this.#current;
    return this.#destroyed || state === 'expired' || state === 'signed-out';
  }

  #presentAt(): number {
    return this.#holds.size > 0 ? this.#clock.now() : this.#actedAt;
  }

  #heartbeatMs(): number {
    const { idleTimeoutMs } = this.#current;
    return Math.min(HEARTBEAT_MS, (idleTimeoutMs ?? Infinity) / HEARTBEATS_PER_TIMEOUT);
  }

  #untilBeat(): number {
    return Math.max(this.#beatAt, this.#heardAt) + this.#heartbeatMs() - this.#clock.now();
  }

  // Asking

  /** Asks where the session stands; several who want to know at once ask once. */
  #ask(): Promise<void> {
    const now = this.#clock.now();
    if (this.#isOver()) return Promise.resolve();
    const isFresh = now - this.#askedAt < SAME_QUESTION_MS && !this.#isDoubtful(this.#askedAt);
    if (this.#asking && isFresh) return this.#asking;
    this.#askedAt = now;
    const asking = this.#askOnce().finally(() => {
      if (this.#asking === asking) this.#asking = undefined;
      this.#review();
    });
    this.#asking = asking;
    return asking;
  }

  async #askOnce(): Promise<void> {
    const unheard = this.#isAlive() && this.#presentAt() > this.#heardAt;
    if (unheard && (await this.#tellServer(this.#presentAt()))) return;
    if (unheard && !this.#reached) return;
    const sentAt = this.#clock.now();
    if (!this.#hearAnswer(await this.#request('GET', 'status'), sentAt)) this.#missed();
  }

  async #extendOnce(): Promise<boolean> {
    if (!this.#isAlive()) return false;
    if (this.#current.state === 'warning') this.#change({ state: 'extending', failed: false });
    const heard = await this.#tellServer(this.#clock.now());
    // Still within the warning: not heard, or nearer to the absolute limit, which nothing moves.
    if (this.#current.state === 'extending') this.#change({ state: 'warning', failed: !heard });
    return heard && this.#isAlive();
  }

  /** Tells the server when the person was last there; resolves to whether it heard. */
  async #tellServer(presentAt: number): Promise<boolean> {
    const now = this.#clock.now();
    this.#beatAt = now;
    this.#sentAt = presentAt;
    const body = { idleForMs: Math.max(0, now - presentAt) };
    const heard = this.#hearAnswer(await this.#request('POST', 'heartbeat', body), now);
    if (heard) {
      this.#heardAt = Math.max(this.#heardAt, presentAt);
    } else {
      this.#sentAt = -Infinity;
      this.#missed();
    }
    return heard;
  }

  async #request(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer | undefined> {
    if (this.#destroyed) return undefined;
    try {
      const answer = await this.#environment.request(method, `${this.#path}/${path}`, body);
      this.#reached = true;
      return answer;
    } catch {
      this.#reached = false;
      return undefined;
    }
  }

  /** The server could not be asked. That is no end: it is asked again, and until then the clock goes on. */
  #missed(): void {
    if (this.#isOver()) return;
    this.#change({ online: false });
    this.#review();
    this.#cancelRetry?.();
    this.#cancelRetry = this.#environment.after(this.#retryMs, () => void this.#ask());
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  // Hearing

  /** Takes in the server's own word; false for anything else, such as a 5xx, a proxy's page or silence. */
  #hearAnswer(answer: Answer | undefined, saidAt: number): boolean {
    const reason = answer?.status === 401 ? reasonOf(answer.body) : undefined;
    if (reason !== undefined) this.#end(reason);
    else if (answer?.status === 200 && isStatus(answer.body)) this.#hearStatus(answer.body, saidAt);
    else return false;
    return true;
  }

  #hearStatus(status: ServerStatus, saidAt: number): void {
    if (this.#isOver()) return;
    const known = this.#current.sessionRef;
    this.#answered();
    // Asked before the session that is known, or before what another answer has said of it.
    const stale = saidAt < this.#saidAt && status.sessionRef !== known;
    if (stale) return;
    if (status.state === 'expired') {
      this.#change({ loginUrl: status.loginUrl });
      // A public page, opened after signing out, shows nothing that would have to be covered.
      if (known !== null || status.reason !== 'signed-out') this.#end(status.reason ?? 'idle');
      return;
    }
    if (known !== null && status.sessionRef !== known) {
      // Another tab has been told and has lost the cookie, or somebody else has signed in.
      const isDue = this.#deadline <= this.#clock.now();
      return this.#end(this.#toldReason ?? (isDue ? 'idle' : 'signed-out'));
    }
    if (status.state === 'none') return;
    if (this.#isDoubtful(saidAt)) return void this.#ask();
    const deadline = saidAt + (status.expiresInMs ?? 0);
    if (!this.#isNews(deadline, saidAt, this.#clock.now())) return;
    const { idleTimeoutMs, warnBeforeMs, loginUrl, sessionRef, absoluteExpiresInMs } = status;
    this.#change({ idleTimeoutMs, warnBeforeMs, loginUrl, sessionRef });
    const absolute = absoluteExpiresInMs === null ? null : saidAt + absoluteExpiresInMs;
    this.#setDeadline(deadline, absolute, saidAt);
    this.#tellTabs();
  }

  #hearTiming({ expiresInMs, agoMs }: ServerTiming): void {
    if (this.#isOver()) return;
    if (this.#current.sessionRef === null) return void this.#ask();
    const now = this.#clock.now();
    const saidAt = now - agoMs;
    if (this.#isDoubtful(saidAt)) return;
    const deadline = saidAt + expiresInMs;
    if (!this.#isNews(deadline, saidAt, now)) return;
    const { absoluteExpiresAt } = this.#current;
    const absolute = absoluteExpiresAt === null ? null : this.#clock.fromWall(absoluteExpiresAt);
    this.#setDeadline(deadline, absolute, saidAt);
    this.#tellTabs();
  }

  #hearWord(word: IdleSessionWord): void {
    if (this.#isOver() || word.sessionRef !== this.#current.sessionRef) return;
    const clock = this.#clock;
    if (word.ended !== undefined) {
      if (this.#toldReason !== undefined) return;
      // Nothing is shown from now on, but whether it is true, the server is to say.
      this.#toldReason = word.ended;
      this.#toldAt = clock.now();
      this.#change({ covered: true });
      return void this.#ask();
    }
    const saidAt = clock.fromWall(word.saidAt);
    // Or from the future: the wall clock was set back on the way.
    if (this.#isDoubtful(saidAt) || saidAt > clock.now() + SECOND_MS) return void this.#ask();
    this.#beatAt = Math.max(this.#beatAt, clock.fromWall(word.beatAt));
    const deadline = clock.fromWall(word.expiresAt);
    if (!this.#isNews(deadline, saidAt, saidAt + LONGEST_ANSWER_MS)) return;
    const { absoluteExpiresAt } = word;
    const absolute = absoluteExpiresAt === null ? null : clock.fromWall(absoluteExpiresAt);
    this.#setDeadline(deadline, absolute, saidAt);
  }

  #hearPage(event: PageEvent): void {
    if (event === 'hidden' || event === 'leaving') {
      const told = Math.max(this.#heardAt, this.#sentAt);
      const presentAt = this.#presentAt();
      if (this.#current.state === 'active' && presentAt - told > TOLERATED_LAG_MS) {
        void this.#tellServer(presentAt);
      }
      return;
    }
    // Back on the screen: timers may have been held up, or the machine asleep.
    const due =
      this.#current.state === 'starting' || !this.#current.online || this.#clock.hasLeapt();
    if (due || event !== 'visible') void this.#ask();
    else this.#review();
  }

  /** Whether it is to be asked again. Of what was said before the clock leapt, nobody knows how long ago that was. */
  #isDoubtful(saidAt: number): boolean {
    return saidAt < Math.max(this.#toldAt, this.#clock.leaptAt);
  }

  /**
   * Answers overtake each other: unless one was asked for after the other was heard, the longer deadline holds, for the
   * server only moves it forward.
   */
  #isNews(deadline: number, saidAt: number, heardBy: number): boolean {
    return saidAt >= this.#newsAt || (heardBy >= this.#saidAt && deadline > this.#deadline);
  }

  // Deciding

  #answered(): void {
    this.#change({ online: true });
    this.#retryMs = FIRST_RETRY_MS;
    this.#cancelRetry?.();
  }

  #setDeadline(deadline: number, absolute: number | null, saidAt: number): void {
    const clock = this.#clock;
    this.#answered();
    const current = this.#current;
    this.#toldReason = undefined;
    this.#saidAt = Math.max(this.#saidAt, saidAt);
    this.#newsAt = clock.now();
    this.#deadline = deadline;
    this.#heardAt = Math.max(this.#heardAt, deadline - (current.idleTimeoutMs ?? Infinity));
    const remaining = deadline - clock.now();
    const warning = remaining <= (current.warnBeforeMs ?? 0);
    this.#change({
      state: !warning ? 'active' : current.state === 'extending' ? 'extending' : 'warning',
      expiresAt: clock.toWall(deadline),
      absoluteExpiresAt: absolute === null ? null : clock.toWall(absolute),
      covered: remaining <= 0,
      failed: warning && current.failed,
    });
    this.#review();
  }

  /** Looks at the clock, does what is due, and sees to it that it is looked at again in time. */
  #review(): void {
    this.#cancelReview?.();
    if (!this.#isAlive()) return;
    const clock = this.#clock;
    const remaining = this.#deadline - clock.now();
    const untilWarning = remaining - (this.#current.warnBeforeMs ?? 0);
    this.#planBeat();
    // After a jump of the wall clock, what is shown follows the steady one.
    const expiresAt = clock.toWall(this.#deadline);
    if (Math.abs(expiresAt - (this.#current.expiresAt ?? 0)) > SECOND_MS)
      this.#change({ expiresAt });

    if (this.#current.state === 'active' && untilWarning > 0) return this.#planReview(untilWarning);
    if (remaining <= 0) this.#change({ covered: true });
    if (this.#current.state === 'active') {
      if (this.#current.online) return void this.#ask();
      this.#change({ state: 'warning' });
    }
    if (remaining > 0) return this.#planReview(Math.min(remaining, SECOND_MS));
    if (!this.#current.online || this.#asking) return;
    // Asked just before the end: once more, but not faster than this.
    const wait = this.#askedAt + SAME_QUESTION_MS - clock.now();
    if (wait > 0) this.#planReview(wait);
    else void this.#ask();
  }

  #planReview(milliseconds: number): void {
    const wait = Math.min(milliseconds, LONGEST_TIMER_MS);
    this.#cancelReview = this.#environment.after(wait, () => this.#review());
  }

  #lookForSleep(): void {
    this.#cancelLook = this.#environment.after(SLEEP_LOOK_MS, () => {
      this.#lookForSleep();
      if (!this.#clock.hasLeapt()) return;
      this.#review();
      void this.#ask();
    });
  }

  /** Plans the next heartbeat, if there is something to tell; one at a time, with its turn among the tabs. */
  #planBeat(): void {
    if (!this.#isAlive() || this.#cancelBeat || this.#presentAt() <= this.#heardAt) return;
    const wait = Math.max(0, this.#untilBeat());
    this.#cancelBeat = this.#environment.after(wait, () => {
      const turn = `${this.#path} ${this.#current.sessionRef}`;
      void this.#environment
        .alone(turn, () => this.#beat())
        .finally(() => {
          this.#cancelBeat = undefined;
          if (this.#current.online) this.#planBeat();
        });
    });
  }

  async #beat(): Promise<void> {
    // Another tab may have told the server meanwhile.
    if (!this.#isAlive() || this.#untilBeat() > 0) return;
    const presentAt = this.#presentAt();
    if (presentAt > this.#heardAt) await this.#tellServer(presentAt);
  }

  #end(reason: EndReason): void {
    if (this.#isOver()) return;
    this.#rest();
    this.#change({
      state: reason === 'signed-out' ? 'signed-out' : 'expired',
      reason,
      online: true,
      covered: true,
      failed: false,
    });
    this.#tellTabs(reason);
  }

  #rest(): void {
    this.#cancelReview?.();
    this.#cancelRetry?.();
    this.#cancelLook?.();
    this.#cancelBeat?.();
  }

  #tellTabs(ended?: EndReason): void {
    const { sessionRef, expiresAt, absoluteExpiresAt } = this.#current;
    if (sessionRef === null || expiresAt === null) return;
    this.#environment.tell({
      sessionRef,
      saidAt: this.#clock.toWall(this.#saidAt),
      expiresAt,
      absoluteExpiresAt,
      beatAt: this.#clock.toWall(this.#beatAt),
      ...(ended !== undefined && { ended }),
    });
  }

  #change(changes: Partial<IdleSessionState>): void {
    const next = withChanges(this.#current, changes);
    if (next === this.#current || this.#destroyed) return;
    this.#current = next;
    for (const listener of Array.from(this.#listeners)) {
      try {
        listener();
      } catch (error) {
        // What a listener throws is its own, and no reason to lose the clock.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
