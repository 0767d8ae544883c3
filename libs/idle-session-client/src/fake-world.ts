import { setImmediate } from 'node:timers';
import type { Answer, Environment, PageEvent, ServerTiming } from './environment.js';
import { FakeServer, type FakePolicy, type FakeResponse } from './fake-server.js';
import { IdleSession, type IdleSessionOptions } from './idle-session.js';
import type { IdleSessionState } from './state.js';
import type { IdleSessionWord } from './tabs.js';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** What becomes of requests. `deaf`: the server gets them, but its answers are lost. */
export type Network =
  'up' | 'down' | 'hanging' | 'deaf' | 'failing' | 'redirecting' | 'refusing' | 'lying';

export interface Sent {
  /** Since the world began, in milliseconds. */
  readonly at: number;
  readonly tab: FakeTab;
  readonly path: string;
  readonly idleForMs: number | undefined;
}

interface Task {
  readonly at: number;
  readonly tab: FakeTab;
  readonly run: () => void;
  /** How many timers set each other to get here: browsers slow such chains down in hidden tabs. */
  readonly depth: number;
}

interface Turn {
  readonly tab: FakeTab;
  readonly start: () => void;
}

/** How long a request hangs, how long a tab waits for its turn, and how long each turn takes, as in the real environment. */
const HANG_MS = 10_000;
const TURN_MS = 3000;
const TURN_TAKES_MS = 100;

/** From when on, and how much, timers that chain are slowed down in a hidden tab. */
const THROTTLED_AFTER_MS = 5 * MINUTE;
const THROTTLED_DEPTH = 5;

/** Some day in 2025, so that wall times are not mistaken for durations. */
const EPOCH = 1_750_000_000_000;

/** One browser with its tabs, clocks and network, and one server. No time passes but by `advance()` and `sleep()`. */
export class FakeWorld {
  network: Network = 'up';
  /** How long a request takes to the server, and an answer back. */
  latencyMs = 20;
  /** How much longer each answer takes. */
  tardyMs = 0;
  /** Answers in the place of the server. */
  intercept: ((path: string) => Answer | undefined) | undefined;
  /** Whether the observers of a response hear of it before the one who sent the request. */
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

  /** Somebody sets the clock. */
  jump(milliseconds: number): void {
    this.jumped += milliseconds;
  }

  /** What was sent to the endpoints, all or those of one kind. */
  sentTo(path: string): Sent[] {
    return this.sent.filter((sent) => sent.path === path);
  }

  plan(tab: FakeTab, milliseconds: number, run: () => void, isTimer = false): () => void {
    const depth = isTimer ? this.depth + 1 : 0;
    let at = this.awake + Math.max(0, milliseconds);
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

  broadcast(from: FakeTab, word: IdleSessionWord): void {
    for (const tab of this.tabs) {
      if (tab === from) continue;
      const copy = structuredClone(word);
      this.plan(tab, 1, () => tab.hearWord(copy));
    }
  }

  /** Web locks: one turn after the other; a frozen tab keeps its own; who waits too long goes on without. */
  async takeTurn(tab: FakeTab, name: string, run: () => Promise<void>): Promise<void> {
    if (!this.hasLocks) return run();
    const turns = this.turns.get(name) ?? [];
    this.turns.set(name, turns);
    let turn: Turn | undefined;
    const granted = await new Promise<boolean>((resolve) => {
      const giveUp = this.plan(tab, TURN_MS, () => resolve(false));
      turn = {
        tab,
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
      this.plan(tab, TURN_TAKES_MS, resolve);
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

export class FakeTab implements Environment {
  readonly session: IdleSession;
  /** Each state that was told, in order. */
  readonly told: IdleSessionState[] = [];
  /** What would have happened here while the tab was frozen. */
  late: Task[] = [];
  isFrozen = false;
  private hiddenSince = Infinity;
  private isCached = false;
  private readonly heard = {
    activity: new Set<() => void>(),
    timing: new Set<(timing: ServerTiming) => void>(),
    refused: new Set<() => void>(),
    page: new Set<(event: PageEvent) => void>(),
    word: new Set<(word: IdleSessionWord) => void>(),
  };

  constructor(
    private readonly world: FakeWorld,
    options: IdleSessionOptions,
  ) {
    this.session = new IdleSession(options, this);
    this.session.subscribe(() => this.told.push(this.session.getState()));
  }

  get state(): IdleSessionState {
    return this.session.getState();
  }

  /** How many of the environment's events somebody still listens to. */
  get listeners(): number {
    return Object.values(this.heard).reduce((sum, { size }) => sum + size, 0);
  }

  /** What this tab sent to the endpoints of that kind. */
  sentTo(path: string): Sent[] {
    return this.world.sentTo(path).filter(({ tab }) => tab === this);
  }

  // What happens to a page

  act(): void {
    for (const heard of this.heard.activity) heard();
  }

  page(event: PageEvent): void {
    if (event === 'hidden') this.hiddenSince = Math.min(this.hiddenSince, this.world.elapsed);
    if (event === 'visible') this.hiddenSince = Infinity;
    for (const heard of this.heard.page) heard(event);
  }

  freeze(): void {
    this.page('hidden');
    this.isFrozen = true;
  }

  /** Goes on: first what has queued up, then the page is told. */
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

  hearWord(word: IdleSessionWord): void {
    if (this.isCached) return;
    for (const heard of this.heard.word) heard(word);
  }

  /** What some response told the page in its headers. */
  hearTiming(timing: ServerTiming): void {
    for (const heard of this.heard.timing) heard(timing);
  }

  /** The app's own request. */
  async fetch(kind: 'busy' | 'passive' = 'busy'): Promise<Answer | undefined> {
    return this.exchange(kind).catch(() => undefined);
  }

  // Environment

  now = (): number => this.world.wall;
  elapsed = (): number => this.world.elapsed;

  after(milliseconds: number, run: () => void): () => void {
    // As browsers do: beyond, they fire at once.
    return this.world.plan(this, milliseconds > 2 ** 31 - 1 ? 0 : milliseconds, run, true);
  }

  request(_method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    const name = path.split('/').at(-1) ?? '';
    const { idleForMs } = (body ?? {}) as { idleForMs?: number };
    this.world.sent.push({ at: this.world.time, tab: this, path: name, idleForMs });
    return this.exchange(name, body);
  }

  alone(name: string, run: () => Promise<void>): Promise<void> {
    return this.world.takeTurn(this, name, run);
  }

  onActivity = (heard: () => void) => listen(this.heard.activity, heard);
  onServerTiming = (heard: (timing: ServerTiming) => void) => listen(this.heard.timing, heard);
  onRefused = (heard: () => void) => listen(this.heard.refused, heard);
  onPage = (heard: (event: PageEvent) => void) => listen(this.heard.page, heard);
  onWord = (_name: string, heard: (word: IdleSessionWord) => void) =>
    listen(this.heard.word, heard);

  tell(word: IdleSessionWord): void {
    this.world.broadcast(this, word);
  }

  private exchange(path: string, body?: object): Promise<Answer> {
    const { world } = this;
    const { latencyMs, observersFirst } = world;
    const backMs = latencyMs + world.tardyMs;
    const startedAt = world.elapsed;
    return new Promise((resolve, reject) => {
      const fail = () => reject(new TypeError('Failed to fetch'));
      if (world.network === 'down') return world.plan(this, 5, fail);
      if (world.network === 'hanging') return world.plan(this, HANG_MS, fail);
      const observe = ({ status, remainingMs }: FakeResponse) => {
        const agoMs = world.elapsed - startedAt;
        if (remainingMs !== undefined) this.hearTiming({ expiresInMs: remainingMs, agoMs });
        if (status === 401) for (const heard of this.heard.refused) heard();
      };
      // The server works whatever becomes of the page that asked.
      return world.plan(SERVER, latencyMs, () => {
        const response = world.respond(path, body);
        if (!response) return world.plan(this, backMs, fail);
        if (observersFirst) world.plan(this, backMs, () => observe(response));
        world.plan(this, backMs, () => resolve({ status: response.status, body: response.body }));
        if (!observersFirst) world.plan(this, backMs + 1, () => observe(response));
        return undefined;
      });
    });
  }
}

/** Stands for the server where a task needs a tab: it is never frozen or hidden. */
const SERVER = { isFrozen: false, late: [], hiddenFor: () => 0 } as unknown as FakeTab;

function listen<Heard>(listeners: Set<Heard>, heard: Heard): () => void {
  listeners.add(heard);
  return () => listeners.delete(heard);
}

/** Everything that waits for no more than promises has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Random numbers from 0 to 1 that are the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
