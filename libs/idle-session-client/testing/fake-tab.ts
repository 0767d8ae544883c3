import { ANSWER_TIMEOUT_MS, TICK_MS } from '../src/browser/environment.js';
import type {
  Answer,
  Environment,
  Listeners,
  ObservedResponse,
  PageEvent,
  Timer,
} from '../src/browser/environment.js';
import type { TabMessage } from '../src/protocol/tab-message.js';
import { IdleSession } from '../src/session/idle-session.js';
import type { IdleSessionOptions } from '../src/session/idle-session-options.js';
import type { IdleSessionState } from '../src/session/state.js';
import type { FakeResponse } from './fake-server.js';

/** What becomes of requests. `deaf`: the server gets them, but its answers are lost. */
export type Network =
  'up' | 'down' | 'hanging' | 'deaf' | 'failing' | 'redirecting' | 'refusing' | 'lying';

export interface Sent {
  /** Since the world began, in milliseconds. */
  readonly at: number;
  readonly tab: FakeTab;
  readonly path: string;
  readonly idleForMs: number | undefined;
  readonly headers: Record<string, string>;
}

/** What the browser makes of more that happens to a page. */
const PAGE_EVENTS = { leaving: 'hidden', online: 'returned', posted: 'returned' } as const;

/** What a task needs of the tab in which it runs. */
export interface TaskOwner {
  readonly isFrozen: boolean;
  /** What would have happened here while the tab was frozen. */
  late: Task[];
  hiddenFor(): number;
}

export interface Task {
  readonly at: number;
  readonly tab: TaskOwner;
  readonly run: () => void;
  /** How many timers set each other to get here: browsers slow such chains down in hidden tabs. */
  readonly depth: number;
}

/** The world around a tab. */
export interface Surroundings {
  readonly network: Network;
  readonly latencyMs: number;
  readonly tardyMs: number;
  readonly observersFirst: boolean;
  readonly time: number;
  readonly wall: number;
  readonly elapsed: number;
  readonly sent: Sent[];
  plan(tab: TaskOwner, delayMs: number, run: () => void, isTimer?: boolean): () => void;
  run(task: Task): void;
  respond(path: string, body: object | undefined): FakeResponse | undefined;
  broadcast(from: FakeTab, message: TabMessage): void;
  withLock(tab: FakeTab, name: string, run: () => Promise<void>): Promise<void>;
}

/** Stands for the server where a task needs a tab: it is never frozen or hidden. */
const SERVER: TaskOwner = { isFrozen: false, late: [], hiddenFor: () => 0 };

/** One page in one tab, with a session that knows no other browser than this. */
export class FakeTab implements Environment, TaskOwner {
  readonly session: IdleSession;
  /** The state after each change, in order. */
  readonly states: IdleSessionState[] = [];
  late: Task[] = [];
  isFrozen = false;
  private hiddenSince = Infinity;
  private isCached = false;
  private listeners: Listeners | undefined;

  constructor(
    private readonly world: Surroundings,
    options: IdleSessionOptions,
  ) {
    this.session = new IdleSession(options, this);
    this.session.subscribe(() => this.states.push(this.session.getState()));
    this.session.start();
  }

  get state(): IdleSessionState {
    return this.session.getState();
  }

  /** Whether the session still listens to what happens here. */
  get isListenedTo(): boolean {
    return this.listeners !== undefined;
  }

  /** What this tab sent to the endpoints of that kind. */
  sentTo(path: string): Sent[] {
    return this.world.sent.filter((sent) => sent.tab === this && sent.path === path);
  }

  // What happens to a page

  act(): void {
    this.listeners?.onActivity();
  }

  page(event: PageEvent | 'leaving' | 'online' | 'posted'): void {
    if (event === 'hidden') this.hiddenSince = Math.min(this.hiddenSince, this.world.elapsed);
    if (event === 'visible') this.hiddenSince = Infinity;
    this.listeners?.onPageEvent(
      event in PAGE_EVENTS ? PAGE_EVENTS[event as keyof typeof PAGE_EVENTS] : (event as PageEvent),
    );
  }

  freeze(): void {
    this.page('hidden');
    this.isFrozen = true;
  }

  /** Goes on: first what has queued up, then the page events. */
  thaw(): void {
    this.isFrozen = false;
    for (const task of this.late.splice(0)) this.world.run(task);
    this.page('returned');
    this.page('visible');
  }

  /** Into the back/forward cache, where no message reaches it, and back. */
  leave(): void {
    this.page('leaving');
    this.page('hidden');
    this.isCached = true;
    this.isFrozen = true;
  }

  comeBack(): void {
    this.isCached = false;
    this.thaw();
  }

  hiddenFor(): number {
    return this.world.elapsed - this.hiddenSince;
  }

  receiveMessage(message: TabMessage): void {
    if (!this.isCached) this.listeners?.onTabMessage(message);
  }

  /** A response of the server to the page. */
  observe(response: ObservedResponse): void {
    this.listeners?.onResponse(response);
  }

  /** The app's own request. */
  async fetch(
    kind: 'busy' | 'passive' | 'wrong password' | 'right password' = 'busy',
  ): Promise<Answer | undefined> {
    return this.exchange(kind).catch(() => undefined);
  }

  // Environment

  now = (): number => this.world.wall;
  elapsed = (): number => this.world.elapsed;

  createTimer(signal: AbortSignal): Timer {
    let stop = () => {};
    signal.addEventListener('abort', () => stop());
    return {
      stop: () => stop(),
      start: (delayMs, run) => {
        stop();
        stop = this.world.plan(this, delayMs, run, true);
      },
    };
  }

  request(path: string, headers: Record<string, string>, idleForMs?: number): Promise<Answer> {
    const name = path.split('/').at(-1) ?? '';
    this.world.sent.push({ at: this.world.time, tab: this, path: name, idleForMs, headers });
    return this.exchange(name, idleForMs === undefined ? undefined : { idleForMs });
  }

  withLock(name: string, run: () => Promise<void>): Promise<void> {
    return this.world.withLock(this, name, run);
  }

  listen(_path: string, listeners: Listeners, signal: AbortSignal): void {
    this.listeners = listeners;
    const ticks = this.createTimer(signal);
    const tick = () => {
      ticks.start(TICK_MS, tick);
      listeners.onPageEvent('tick');
    };
    ticks.start(TICK_MS, tick);
    signal.addEventListener('abort', () => (this.listeners = undefined));
  }

  postToTabs(message: TabMessage): void {
    this.world.broadcast(this, message);
  }

  private exchange(path: string, body?: object): Promise<Answer> {
    const { world } = this;
    const { latencyMs, observersFirst } = world;
    const backMs = latencyMs + world.tardyMs;
    const startedAt = world.elapsed;
    return new Promise((resolve, reject) => {
      const fail = () => reject(new TypeError('Failed to fetch'));
      if (world.network === 'down') return world.plan(this, 5, fail);
      if (world.network === 'hanging') return world.plan(this, ANSWER_TIMEOUT_MS, fail);
      const observe = ({ status, remainingMs, state }: FakeResponse) => {
        const requestedAgoMs = world.elapsed - startedAt;
        this.observe({ status, expiresInMs: remainingMs, state, requestedAgoMs });
      };
      // The server works on, also when the page that asked is frozen or gone.
      return world.plan(SERVER, latencyMs, () => {
        const response = world.respond(path, body);
        if (!response) return world.plan(this, backMs, fail);
        if (observersFirst) world.plan(this, backMs, () => observe(response));
        const { remainingMs: _, state: __, ...answer } = response;
        world.plan(this, backMs, () => resolve(answer));
        if (!observersFirst) world.plan(this, backMs + 1, () => observe(response));
        return undefined;
      });
    });
  }
}
