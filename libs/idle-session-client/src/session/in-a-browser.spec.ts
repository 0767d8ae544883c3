import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { browserEnvironment } from '../browser/browser-environment.js';
import type { IdleSessionStatus } from '../protocol/idle-session-status.js';
import type { TabMessage } from '../protocol/tab-message.js';
import { createIdleSession } from './create-idle-session.js';

const MINUTE = 60_000;

/** As much of a page as the environment needs; test/browser and test/sample have a real one. */
function page(idleTimeoutMs: number) {
  const PerformanceObserver = class {
    observe() {}
    disconnect() {}
  };
  const window = Object.assign(new EventTarget(), { PerformanceObserver });
  const document = Object.assign(new EventTarget(), { hidden: false, activeElement: null });
  const Forbidden = class {
    constructor() {
      throw new Error('The content security policy does not allow it.');
    }
  };
  const status: IdleSessionStatus = {
    state: 'active',
    reason: null,
    expiresInMs: idleTimeoutMs,
    locksInMs: null,
    idleTimeoutMs,
    warnBeforeMs: 2 * MINUTE,
    absoluteExpiresInMs: null,
    sessionRef: 'session-1',
    loginUrl: '/login',
    unlockUrl: null,
  };
  const start = Date.now();
  const fetch = async () =>
    Response.json({ ...status, expiresInMs: idleTimeoutMs - (Date.now() - start) });
  return {
    window,
    document,
    fetch,
    Worker: Forbidden,
    SharedWorker: Forbidden,
    HTMLIFrameElement: class {},
    KeyboardEvent: class {},
    PerformanceObserver,
  };
}

describe('A session in a browser', () => {
  const kept = new Map<string, PropertyDescriptor | undefined>();
  let globals: ReturnType<typeof page>;
  let stops: (() => void)[];

  function enter(idleTimeoutMs = 15 * MINUTE) {
    globals = page(idleTimeoutMs);
    for (const [name, value] of Object.entries(globals)) {
      kept.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
  }

  function start() {
    const session = createIdleSession();
    stops.push(session.destroy);
    return session;
  }

  beforeEach(() => {
    stops = [];
  });

  afterEach(() => {
    for (const stop of stops) stop();
    jest.useRealTimers();
    for (const [name, was] of kept) {
      if (was) Object.defineProperty(globalThis, name, was);
      else Reflect.deleteProperty(globalThis, name);
    }
  });

  it('warns in time where the page allows no workers (react-idle-timer 225)', async () => {
    jest.useFakeTimers();
    enter();
    const session = start();
    await jest.advanceTimersByTimeAsync(13 * MINUTE - 2000);
    expect(session.getState().state).toBe('active');
    await jest.advanceTimersByTimeAsync(3000);
    expect(session.getState().state).toBe('warning');
  });

  it('plans no timer that is longer than those of a browser', async () => {
    jest.useFakeTimers();
    enter(26 * 24 * 60 * MINUTE);
    const planned = jest.spyOn(globalThis, 'setTimeout');
    start();
    await jest.advanceTimersByTimeAsync(MINUTE);
    expect(planned.mock.calls.length).toBeLessThan(10);
    for (const [, delayMs] of planned.mock.calls) expect(delayMs).toBeLessThan(2 ** 31);
  });

  it('goes on when a download or a mailto link has announced to leave, or it was called off (react-idle-timer 285, 291)', async () => {
    jest.useFakeTimers();
    enter();
    const session = start();
    await jest.advanceTimersByTimeAsync(MINUTE);
    const { state } = session.getState();
    globals.window.dispatchEvent(new Event('beforeunload', { cancelable: true }));
    await jest.advanceTimersByTimeAsync(12 * MINUTE + 1000);
    expect([state, session.getState().state]).toEqual(['active', 'warning']);
  });

  it('keeps apart two apps of one origin, and joins the tabs of each (ng-idle 146)', async () => {
    enter();
    const message: TabMessage = {
      sessionRef: 'session-1',
      requestedAt: 1,
      expiresAt: 2,
      locksAt: Infinity,
      lastHeartbeatAt: 0,
    };
    const received: string[] = [];
    const [first] = ['/a', '/a', '/b'].map((name, tab) => {
      const environment = browserEnvironment();
      const stopping = new AbortController();
      stops.push(() => stopping.abort());
      const onTabMessage = () => received.push(`tab ${tab} of ${name}`);
      const others = { onActivity() {}, onResponse() {}, onPageEvent() {} };
      environment.listen(name, { ...others, onTabMessage }, stopping.signal);
      return environment;
    });
    first?.postToTabs(message);
    while (received.length === 0) await delay(10);
    // Messages come in order: what was to arrive elsewhere has arrived by now.
    await delay(10);
    expect(received).toEqual(['tab 1 of /a']);
  });

  it('tells the other tabs once when it is left after a form was posted, also by a script, and not after others', async () => {
    enter();
    const stopping = new AbortController();
    const other = new BroadcastChannel('idle-session:/a');
    stops.push(
      () => stopping.abort(),
      () => other.close(),
    );
    const told: unknown[] = [];
    other.onmessage = ({ data }) => told.push(data);
    const heard: string[] = [];
    const listeners = { onActivity() {}, onResponse() {}, onTabMessage() {} };
    const onPageEvent = (event: string) => heard.push(event);
    browserEnvironment().listen('/a', { ...listeners, onPageEvent }, stopping.signal);

    /** Whether the others are told when the page is left after these; then it is there again. */
    const tells = async (
      ...events: [type: string, method: string | null, prevented?: boolean][]
    ) => {
      for (const [type, method, defaultPrevented = false] of events) {
        const target = { getAttribute: () => method };
        const properties = {
          target: { value: target },
          defaultPrevented: { value: defaultPrevented },
        };
        globals.window.dispatchEvent(Object.defineProperties(new Event(type), properties));
      }
      globals.window.dispatchEvent(new Event('pagehide'));
      globals.window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
      // Messages come in order: what the page had to tell has arrived by then.
      const last = new BroadcastChannel('idle-session:/a');
      last.postMessage('last');
      while (told.at(-1) !== 'last') await delay(10);
      last.close();
      return told.splice(0).includes('posted');
    };
    expect(await tells()).toBe(false);
    expect(await tells(['submit', 'POST'], ['formdata', 'POST'])).toBe(true);
    expect(await tells()).toBe(false);
    // `form.submit()`, and a script that reads the form.
    expect(await tells(['formdata', 'post'])).toBe(true);
    expect(await tells()).toBe(false);
    // A script that reads the form as it is submitted, and sends it itself.
    expect(await tells(['formdata', 'post'], ['submit', 'post', true])).toBe(false);
    expect(await tells(['submit', null], ['formdata', null])).toBe(false);
    expect(await tells(['submit', 'post'], ['formdata', 'post'], ['formdata', null])).toBe(true);
    expect(await tells(['submit', 'get'], ['formdata', 'get'])).toBe(false);
  });
});
