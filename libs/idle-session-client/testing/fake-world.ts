import { setImmediate } from 'node:timers';
import { LOCK_KEPT_MS, LOCK_TIMEOUT_MS } from '../src/browser/environment.js';
import type { TabMessage } from '../src/protocol/tab-message.js';
import type { IdleSessionOptions } from '../src/session/idle-session-options.js';
import { FakeServer, type FakePolicy, type FakeResponse } from './fake-server.js';
import {
  FakeTab,
  type Network,
  type Sent,
  type Surroundings,
  type Task,
  type TaskOwner,
} from './fake-tab.js';

export type { FakeTab, Network } from './fake-tab.js';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

interface Turn {
  readonly start: () => void;
}

/** From when on, and how much, timers that chain are slowed down in a hidden tab. */
const THROTTLED_AFTER_MS = 5 * MINUTE;
const THROTTLED_DEPTH = 5;

/** Some day in 2025, so that wall times are not mistaken for durations. */
const EPOCH = 1_750_000_000_000;

/** One browser with its tabs, clocks and network, and one server. No time passes but by `advance()` and `sleep()`. */
export class FakeWorld implements Surroundings {
  network: Network = 'up';
  /** How long a request takes to the server, and an answer back. */
  latencyMs = 20;
  /** How much longer each answer takes. */
  tardyMs = 0;
  /** Answers in the place of the server. */
  intercept: ((path: string) => FakeResponse | undefined) | undefined;
  /** Whether the observers of a response are called before the sender of the request has its answer. */
  observersFirst = false;
  hasLocks = true;
  readonly server: FakeServer;
  readonly sent: Sent[] = [];
  readonly tabs: FakeTab[] = [];

  private awake = 0;
  private slept = 0;
  private jumped = 0;
  private tasks: Task[] = [];
  private depth = 0;
  private readonly turns = new Map<string, Turn[]>();

  constructor(policy: Partial<FakePolicy> = {}) {
    this.server = new FakeServer(() => this.time, {
      idleTimeoutMs: 15 * MINUTE,
      warnBeforeMs: 2 * MINUTE,
      absoluteTimeoutMs: 12 * HOUR,
      lockAfterMs: false,
      ...policy,
    });
  }

  /** Since the world began: what the server's clock says. */
  get time(): number {
    return this.awake + this.slept;
  }

  get wall(): number {
    return EPOCH + Math.floor(this.time) + this.jumped;
  }

  /** Stands still in sleep. */
  get elapsed(): number {
    return this.awake;
  }

  open(options: IdleSessionOptions = {}): FakeTab {
    const tab = new FakeTab(this, options);
    this.tabs.push(tab);
    return tab;
  }

  async advance(milliseconds: number): Promise<void> {
    const until = this.awake + milliseconds;
    await settled();
    for (let task = this.next(until); task; task = this.next(until)) {
      this.awake = Math.max(this.awake, task.at);
      this.run(task);
      await settled();
    }
    this.awake = until;
  }

  /** The machine sleeps: no timer runs, and no page is told when it wakes. */
  sleep(milliseconds: number): void {
    this.slept += milliseconds;
  }

  /** The person sets the clock. */
  jump(milliseconds: number): void {
    this.jumped += milliseconds;
  }

  /** What was sent to the endpoints, all or those of one kind. */
  sentTo(path: string): Sent[] {
    return this.sent.filter((sent) => sent.path === path);
  }

  plan(tab: TaskOwner, delayMs: number, run: () => void, isTimer = false): () => void {
    const depth = isTimer ? this.depth + 1 : 0;
    let at = this.awake + Math.max(0, delayMs);
    if (isTimer && tab.hiddenFor() > THROTTLED_AFTER_MS && depth > THROTTLED_DEPTH) {
      at = Math.ceil(at / MINUTE) * MINUTE;
    }
    const task = { at, tab, run, depth };
    this.tasks.push(task);
    return () => {
      this.tasks = this.tasks.filter((other) => other !== task);
      tab.late = tab.late.filter((other) => other !== task);
    };
  }

  run(task: Task): void {
    if (task.tab.isFrozen) {
      task.tab.late.push(task);
      return;
    }
    this.depth = task.depth;
    task.run();
    // What follows an await is no part of the chain; timers set there start a new one.
    this.depth = 0;
  }

  respond(path: string, body: object | undefined): FakeResponse | undefined {
    const instead = this.intercept?.(path);
    if (instead) return instead;
    switch (this.network) {
      case 'up':
        return this.server.handle(path, body);
      case 'deaf':
        this.server.handle(path, body);
        return undefined;
      case 'failing':
        return { status: 503, body: { status: 503, title: 'Service Unavailable' } };
      case 'refusing':
        return { status: 401, body: undefined };
      case 'lying':
        // The sign-in page of a hotel.
        return { status: 200, body: undefined };
      case 'down':
      case 'hanging':
      case 'redirecting':
        return undefined;
    }
  }

  broadcast(from: FakeTab, message: TabMessage): void {
    for (const tab of this.tabs) {
      if (tab === from) continue;
      const copy = structuredClone(message);
      this.plan(tab, 1, () => tab.receiveMessage(copy));
    }
  }

  /** Web locks: one turn after the other; a frozen tab keeps its own; a tab that waits too long goes on without. */
  async withLock(tab: FakeTab, name: string, run: () => Promise<void>): Promise<void> {
    if (!this.hasLocks) return run();
    const turns = this.turns.get(name) ?? [];
    this.turns.set(name, turns);
    let turn: Turn | undefined;
    const granted = await new Promise<boolean>((resolve) => {
      const giveUp = this.plan(tab, LOCK_TIMEOUT_MS, () => resolve(false));
      turn = {
        start: () => {
          giveUp();
          resolve(true);
        },
      };
      turns.push(turn);
      if (turns.length === 1) turn.start();
    });
    const leave = () => {
      const wasFirst = turns[0] === turn;
      turns.splice(turns.indexOf(turn as Turn), 1);
      if (wasFirst) turns[0]?.start();
    };
    if (!granted) {
      leave();
      return run();
    }
    await run();
    await new Promise<void>((resolve) => {
      this.plan(tab, LOCK_KEPT_MS, resolve);
    });
    leave();
  }

  private next(until: number): Task | undefined {
    let first: Task | undefined;
    for (const task of this.tasks) {
      if (task.at <= until && (!first || task.at < first.at)) first = task;
    }
    if (first) this.tasks.splice(this.tasks.indexOf(first), 1);
    return first;
  }
}

/** Everything that waits for no more than promises has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
