import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { IdleSessionOptions } from './idle-session-options.js';
import { createPageSession, type PageSession } from './page-session.js';
import { STARTING, type IdleSessionState } from './state.js';
import { StateStore } from './state-store.js';

/** As much of a session as its users see. */
class FakeSession {
  readonly #store = new StateStore();
  readonly #ended = new AbortController();
  readonly holds = new Set<string>();
  isRunning = true;
  answer!: (value: boolean) => void;
  readonly #answered = new Promise<boolean>((resolve) => {
    this.answer = resolve;
  });

  constructor(readonly options: IdleSessionOptions) {}

  readonly signal = this.#ended.signal;
  getState = () => this.#store.current;
  subscribe = this.#store.subscribe;
  extend = () => this.#answered;
  signOut = () => this.#answered;
  check = jest.fn();
  touch = jest.fn();
  hold = (reason: string) => {
    this.holds.add(reason);
    return () => void this.holds.delete(reason);
  };
  destroy = () => {
    this.isRunning = false;
    this.#store.close();
  };

  become(state: IdleSessionState['state']): void {
    this.#store.update({ state });
    if (state === 'expired') this.#ended.abort(new DOMException('idle', 'AbortError'));
  }
}

const noop = () => {};

describe('The session of the page', () => {
  let sessions: FakeSession[];
  let page: PageSession;

  const running = () => sessions.filter(({ isRunning }) => isRunning);
  const last = () => sessions.at(-1)!;
  /** All that is due at once has run. */
  const soon = () => jest.advanceTimersByTimeAsync(0);

  beforeEach(() => {
    jest.useFakeTimers();
    sessions = [];
    ({ idleSession: page } = createPageSession((options = {}) => {
      const session = new FakeSession(options);
      sessions.push(session);
      return session;
    }));
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('is starting, and does not run, before it is used', () => {
    expect(page.getState()).toBe(STARTING);
    page.touch();
    page.check();
    expect(sessions).toEqual([]);
  });

  it('is one for all who use it', () => {
    const seen: string[] = [];
    page.subscribe(() => seen.push(`first: ${page.getState().state}`));
    page.subscribe(() => seen.push(`second: ${page.getState().state}`));
    last().become('active');
    expect(sessions).toHaveLength(1);
    expect(seen).toEqual(['first: active', 'second: active']);
    expect(page.getState()).toBe(last().getState());
  });

  it('is destroyed once nobody uses it', async () => {
    const stops = [page.subscribe(noop), page.subscribe(noop)];
    stops[0]!();
    await soon();
    expect(running()).toHaveLength(1);
    stops[1]!();
    await soon();
    expect(running()).toEqual([]);
    expect(page.getState()).toBe(STARTING);
  });

  it('goes on where one component takes the place of another, or is mounted twice', async () => {
    const first = page.subscribe(noop);
    last().become('active');
    first();
    page.subscribe(noop);
    await soon();
    expect(sessions).toHaveLength(1);
    expect(page.getState().state).toBe('active');
  });

  it('does not take one that stops twice for two', async () => {
    const stop = page.subscribe(noop);
    page.subscribe(noop);
    stop();
    stop();
    await soon();
    expect(running()).toHaveLength(1);
  });

  it('calls nobody back who has stopped', () => {
    const listener = jest.fn();
    page.subscribe(listener)();
    last().become('active');
    expect(listener).not.toHaveBeenCalled();
  });

  it('starts with the options that it was given before', () => {
    page.configure({ path: '/api/idle-session' });
    expect(sessions).toEqual([]);
    page.subscribe(noop);
    expect(last().options).toEqual({ path: '/api/idle-session' });
  });

  it('starts anew with options that come later, and is never two', () => {
    page.subscribe(noop);
    page.configure({ path: '/api/idle-session' });
    expect(running()).toEqual([last()]);
    expect(last().options).toEqual({ path: '/api/idle-session' });
  });

  it('runs until the server has answered, though nobody looks', async () => {
    const result = page.signOut();
    await soon();
    expect(running()).toHaveLength(1);
    last().answer(true);
    expect(await result).toBe(true);
    await soon();
    expect(running()).toEqual([]);
  });

  it('runs as long as it is held', async () => {
    const release = page.hold('upload');
    expect([...last().holds]).toEqual(['upload']);
    await soon();
    expect(running()).toHaveLength(1);
    release();
    release();
    expect(last().holds.size).toBe(0);
    await soon();
    expect(running()).toEqual([]);
  });

  it('starts anew after its end, for those who use it', () => {
    const listener = jest.fn();
    page.subscribe(listener);
    page.hold('video');
    last().become('expired');
    page.restart();
    expect(running()).toEqual([last()]);
    expect(sessions).toHaveLength(2);
    // They look again, as the server may say that there is no session.
    expect(listener).toHaveBeenCalledTimes(2);
    expect(page.getState()).toBe(STARTING);
    expect([...last().holds]).toEqual(['video']);
    last().become('active');
    expect(listener).toHaveBeenCalledTimes(3);
  });

  it('has a signal before it starts, which the end aborts', () => {
    const { signal } = page;
    page.subscribe(noop);
    last().become('expired');
    expect(signal.reason).toMatchObject({ name: 'AbortError', message: 'idle' });
    page.restart();
    expect(page.signal.aborted).toBe(false);
    last().become('expired');
    expect(page.signal.aborted).toBe(true);
  });
});
