import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ObservedResponse } from './environment.js';
import { onResponse } from './response-observer.js';

const ORIGIN = 'https://app.example';

/** As browsers make it of a response out of the network that tells what is left. */
const ENTRY = {
  name: `${ORIGIN}/claims`,
  requestStart: 100,
  transferSize: 900,
  responseStatus: 200,
  serverTiming: [{ name: 'idle-session', description: 'active', duration: 900_000 }],
};

let tell: (entry: object) => void;
const kept = new Map<string, PropertyDescriptor | undefined>();

beforeAll(() => {
  class FakeObserver {
    constructor(callback: (list: { getEntries(): object[] }) => void) {
      tell = (entry) => callback({ getEntries: () => [entry] });
    }
    observe() {}
    disconnect() {}
  }
  const globals = { location: new URL(`${ORIGIN}/page`), PerformanceObserver: FakeObserver };
  for (const [name, value] of Object.entries(globals)) {
    kept.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
});

afterAll(() => {
  for (const [name, was] of kept) {
    if (was) Object.defineProperty(globalThis, name, was);
    else Reflect.deleteProperty(globalThis, name);
  }
});

describe('The observer of responses', () => {
  let seen: ObservedResponse[];

  beforeEach(() => {
    seen = [];
    onResponse((response) => seen.push(response), '/idle-session', new AbortController().signal);
  });

  it('tells the status, and what the server says is left', () => {
    tell(ENTRY);
    expect(seen).toMatchObject([{ status: 200, expiresInMs: 900_000, mayBeOld: false }]);
  });

  it('tells of a lock by what Server-Timing says', () => {
    const serverTiming = [{ name: 'idle-session', description: 'locked', duration: 60_000 }];
    tell({ ...ENTRY, serverTiming });
    expect(seen).toMatchObject([{ state: 'locked', expiresInMs: 60_000 }]);
  });

  it('tells nothing of the endpoints, whose answers are read as a whole', () => {
    tell({ ...ENTRY, name: `${ORIGIN}/idle-session/status` });
    expect(seen).toEqual([]);
    tell({ ...ENTRY, name: `${ORIGIN}/idle-sessions` });
    expect(seen).toHaveLength(1);
  });

  it('tells nothing of other origins', () => {
    tell({ ...ENTRY, name: 'https://other.example/claims' });
    expect(seen).toEqual([]);
  });

  it('tells of what came not straight from the server that it may be old', () => {
    tell({ ...ENTRY, transferSize: 0 });
    expect(seen).toMatchObject([{ status: 200, expiresInMs: 900_000, mayBeOld: true }]);
  });

  it('goes on where the browser keeps the timings from the page, as Firefox does on plain http', () => {
    tell({ ...ENTRY, serverTiming: undefined });
    expect(seen).toMatchObject([{ status: 200, expiresInMs: undefined }]);
  });

  it('tells of an end by what Server-Timing says, since WebKit tells no status', () => {
    const serverTiming = [{ name: 'idle-session', description: 'expired', duration: 0 }];
    tell({ ...ENTRY, responseStatus: undefined, serverTiming });
    expect(seen).toMatchObject([{ status: undefined, expiresInMs: 0, mayBeOld: false }]);
  });
});
