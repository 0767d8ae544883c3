import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { isActiveInIframe, onActivity } from './activity-listeners.js';

/** As much of a page as is listened to; test/browser has a real one. */
class FakePage {
  readonly listeners = new Map<string, Set<(event: object) => void>>();
  /** Undefined: the browser does not tell. */
  userActivation: { isActive: boolean } | undefined = { isActive: false };
  pointerLockElement: object | null = null;
  activeElement: object | null = null;

  addEventListener = (
    type: string,
    listener: (event: object) => void,
    { signal }: { signal: AbortSignal },
  ) => {
    const listeners = this.listeners.get(type) ?? new Set();
    this.listeners.set(type, listeners.add(listener));
    signal.addEventListener('abort', () => listeners.delete(listener));
  };

  /** As the browser sends it. */
  send(type: string, event: object = {}): void {
    for (const listener of this.listeners.get(type) ?? [])
      listener({ type, isTrusted: true, repeat: false, ...event });
  }
}

describe('The listeners to activity', () => {
  const kept = new Map<string, PropertyDescriptor | undefined>();
  let page: FakePage;
  let count: number;
  let stop: () => void;

  beforeEach(() => {
    jest.useFakeTimers();
    page = new FakePage();
    for (const name of ['window', 'document', 'navigator']) {
      kept.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
      Object.defineProperty(globalThis, name, { value: page, configurable: true });
    }
    count = 0;
    const stopping = new AbortController();
    stop = () => stopping.abort();
    onActivity(() => (count += 1), stopping.signal);
  });

  afterEach(() => {
    stop();
    jest.useRealTimers();
    for (const [name, was] of kept) {
      if (was) Object.defineProperty(globalThis, name, was);
      else Reflect.deleteProperty(globalThis, name);
    }
  });

  const counts = (type: string, event?: object): boolean => {
    const before = count;
    page.send(type, event);
    jest.advanceTimersByTime(250);
    return count > before;
  };

  it.each(['keydown', 'pointerdown', 'wheel', 'touchmove'])('count a %s', (type) => {
    expect(counts(type)).toBe(true);
    expect(counts(type, { isTrusted: false })).toBe(false);
  });

  it.each(['input', 'click'])('count a trusted %s only while the person is active', (type) => {
    expect(counts(type)).toBe(false);
    page.userActivation = { isActive: true };
    expect(counts(type)).toBe(true);
    expect(counts(type, { isTrusted: false })).toBe(false);
  });

  it.each(['input', 'click'])(
    'count a trusted %s where the browser does not tell who is',
    (type) => {
      page.userActivation = undefined;
      expect(counts(type)).toBe(true);
    },
  );

  it.each([
    ['insertCompositionText', true],
    ['insertFromComposition', true],
    ['insertFromPaste', true],
    ['insertFromDrop', true],
    ['insertReplacementText', true],
    ['insertText', false],
    ['insertParagraph', false],
    ['deleteContentBackward', false],
    ['historyUndo', false],
  ])('take an input that no script can cause for activity, %s: %s', (inputType, expected) => {
    expect(counts('input', { inputType })).toBe(expected);
  });

  it('do not count what a held key does, be it input or clicks, until it is let go', () => {
    page.userActivation = { isActive: true };
    expect(counts('keydown')).toBe(true);
    for (let times = 0; times < 10; times++) {
      expect(counts('keydown', { repeat: true })).toBe(false);
      expect(counts('input', { inputType: 'insertText' })).toBe(false);
      expect(counts('input', { inputType: 'insertFromPaste' })).toBe(false);
      expect(counts('click')).toBe(false);
    }
    expect(counts('keyup')).toBe(false);
    expect(counts('click')).toBe(true);
  });

  it('know that a key is held also when it began right after something else', () => {
    page.userActivation = { isActive: true };
    page.send('pointerdown');
    page.send('keydown');
    page.send('keydown', { repeat: true });
    jest.advanceTimersByTime(250);
    expect(counts('input')).toBe(false);
  });

  it('count a pointer that moves, and no layout that moves under it', () => {
    expect(counts('pointermove', { screenX: 1, screenY: 1 })).toBe(false);
    expect(counts('pointermove', { screenX: 1, screenY: 1 })).toBe(false);
    expect(counts('pointermove', { screenX: 2, screenY: 1 })).toBe(true);
  });

  it('count a pointer that moves while the page has locked it', () => {
    page.pointerLockElement = {};
    const at = { screenX: 1, screenY: 1 };
    expect(counts('pointermove', { ...at, movementX: 0, movementY: 0 })).toBe(false);
    expect(counts('pointermove', { ...at, movementX: 0, movementY: -3 })).toBe(true);
    expect(counts('pointermove', { ...at, movementX: 2, movementY: 0 })).toBe(true);
  });

  it('tell of the first of many events at once, and then once in a quarter of a second', () => {
    for (let times = 0; times < 100; times++) page.send('wheel');
    expect(count).toBe(1);
    jest.advanceTimersByTime(250);
    for (let times = 0; times < 100; times++) page.send('keydown');
    expect(count).toBe(2);
  });

  it('ask the browser while a frame has the focus, also one in a shadow root', () => {
    page.userActivation = { isActive: true };
    const frame = { localName: 'iframe' };
    const hostOf = (activeElement: object) => ({ localName: 'x-a', shadowRoot: { activeElement } });
    for (const focused of [frame, hostOf(frame), hostOf(hostOf(frame))]) {
      page.activeElement = focused;
      expect(isActiveInIframe()).toBe(true);
    }
    for (const focused of [null, { localName: 'input' }, hostOf({ localName: 'input' })]) {
      page.activeElement = focused;
      expect(isActiveInIframe()).toBe(false);
    }
  });

  it('leave nothing behind', () => {
    page.send('wheel');
    stop();
    jest.advanceTimersByTime(10_000);
    expect([...page.listeners.values()].every(({ size }) => size === 0)).toBe(true);
  });
});
