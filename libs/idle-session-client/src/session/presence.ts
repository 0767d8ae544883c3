import type { Environment, Timer } from '../browser/environment.js';
import type { ServerLink } from './server-link.js';
import type { SessionContext } from './session-context.js';
import type { StateStore } from './state-store.js';
import type { SteadyClock } from './steady-clock.js';
import { HEARTBEAT_MS, HEARTBEATS_PER_TIMEOUT, SECOND_MS } from './times.js';

/** When the person was last present, and how much of that the server knows. Reports the rest in heartbeats. */
export class Presence {
  readonly #clock: SteadyClock;
  readonly #store: StateStore;
  readonly #timer: Timer;
  readonly #server: ServerLink;
  readonly #environment: Environment;

  /** While there is one, the person counts as present. */
  readonly holds = new Set<symbol>();
  /** When a tab last sent a heartbeat. */
  lastHeartbeatAt = -Infinity;
  #lastActivityAt = -Infinity;
  /** The presence that the server knows, or that a heartbeat under way reports. */
  #confirmedAt = -Infinity;
  /** When the session is locked, as far as the server has said. */
  #locksAt = Infinity;
  #isHeartbeatPlanned = false;

  constructor(context: SessionContext, server: ServerLink) {
    this.#clock = context.clock;
    this.#store = context.store;
    this.#timer = context.environment.createTimer(context.store.closed);
    this.#server = server;
    this.#environment = context.environment;
  }

  recordActivity(): void {
    this.#lastActivityAt = this.#clock.now();
    this.planHeartbeat();
  }

  /** The server knows that the person was present then. */
  confirm(presentAt: number, locksAt = this.#locksAt): void {
    // Not what is in the future: until then, no heartbeat would be sent.
    this.#confirmedAt = Math.max(this.#confirmedAt, Math.min(presentAt, this.#clock.now()));
    this.#locksAt = locksAt;
  }

  /** Another tab sent a heartbeat then. */
  confirmHeartbeat(at: number): void {
    this.lastHeartbeatAt = Math.max(this.lastHeartbeatAt, Math.min(at, this.#clock.now()));
  }

  /** Sends a heartbeat at once; resolves to whether the server answered. */
  async report(presentAt: number): Promise<boolean> {
    const confirmedAt = this.#confirmedAt;
    this.lastHeartbeatAt = this.#clock.now();
    this.confirm(presentAt);
    const isAnswered = await this.#server.query(this.lastHeartbeatAt - presentAt);
    if (!isAnswered) this.#confirmedAt = confirmedAt;
    return isAnswered;
  }

  /** Sends a heartbeat at once if the person was present later than the server knows, by more than so much. */
  reportUnconfirmed(leastMs = 0): Promise<boolean> | undefined {
    return this.#isUnconfirmed(leastMs) ? this.report(this.#lastPresentAt()) : undefined;
  }

  /** Plans the next heartbeat, if there is something to report; one at a time, and in one tab at a time. */
  planHeartbeat(): void {
    // While offline, what is to be reported goes with the check.
    if (this.#isHeartbeatPlanned || !this.#store.current.online || !this.#isUnconfirmed()) return;
    this.#isHeartbeatPlanned = true;
    this.#timer.start(this.#msUntilHeartbeat(), () => {
      void this.#environment
        .withLock(`idle-session:${this.#store.current.sessionRef}`, async () => {
          // Another tab may have sent one meanwhile.
          if (this.#msUntilHeartbeat() <= 0) await this.reportUnconfirmed();
        })
        .finally(() => {
          this.#isHeartbeatPlanned = false;
          this.planHeartbeat();
        });
    });
  }

  #lastPresentAt(): number {
    return this.holds.size > 0 ? this.#clock.now() : this.#lastActivityAt;
  }

  #isUnconfirmed(leastMs = 0): boolean {
    return this.#store.isAlive && this.#lastPresentAt() - this.#confirmedAt > leastMs;
  }

  #msUntilHeartbeat(): number {
    const { idleTimeoutMs } = this.#store.current;
    const lastAt = Math.max(this.lastHeartbeatAt, this.#confirmedAt);
    const timeoutMs = Math.min(idleTimeoutMs ?? Infinity, this.#locksAt - lastAt);
    const intervalMs = Math.min(HEARTBEAT_MS, timeoutMs / HEARTBEATS_PER_TIMEOUT);
    const dueAt = lastAt + Math.max(SECOND_MS, intervalMs);
    return Math.max(dueAt - this.#clock.now(), this.#server.waitMs);
  }
}
