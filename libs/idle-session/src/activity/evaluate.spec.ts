import { describe, expect, it } from '@jest/globals';
import type { EndReason } from 'idle-session-client/protocol';
import type { ActivityRecord, RecordedEnd } from './activity-storage.js';
import {
  evaluate,
  isBeingReplaced,
  isFresh,
  type Evaluation,
  type IdlePolicy,
} from './evaluate.js';

const START = 100_000;
const IDLE = 900;
const ABSOLUTE = 10_000;
const WARN = 120;

const RECORD: ActivityRecord = {
  startedAt: START,
  authenticatedAt: START,
  lastActivityAt: START,
  idleTimeoutMs: IDLE,
  absoluteTimeoutMs: ABSOLUTE,
  lockAfterMs: null,
  owner: null,
};

interface Case {
  title: string;
  record?: Partial<ActivityRecord>;
  policy?: Partial<IdlePolicy>;
  /** Milliseconds since the session started. */
  at: number;
  is: Evaluation;
}

const active = (
  expiresInMs: number,
  absoluteExpiresInMs: number | null,
  locksInMs: number | null = null,
): Evaluation => ({
  state: 'active',
  expiresInMs,
  locksInMs,
  absoluteExpiresInMs,
});
const warning = (
  expiresInMs: number,
  absoluteExpiresInMs: number | null,
  locksInMs: number | null = null,
): Evaluation => ({
  state: 'warning',
  expiresInMs,
  locksInMs,
  absoluteExpiresInMs,
});
const locked = (expiresInMs: number, absoluteExpiresInMs: number | null): Evaluation => ({
  state: 'locked',
  expiresInMs,
  locksInMs: 0,
  absoluteExpiresInMs,
});
const expired = (reason: EndReason, absoluteExpiresInMs: number | null): Evaluation => ({
  state: 'expired',
  reason,
  absoluteExpiresInMs,
});

function evaluateCase({ record, policy, at }: Pick<Case, 'record' | 'policy' | 'at'>) {
  return evaluate({ ...RECORD, ...record }, { warnBeforeMs: WARN, ...policy }, START + at);
}

describe('evaluate', () => {
  describe('holds a session against the idle timeout', () => {
    it.each<Case>([
      { title: 'active from the first millisecond', at: 0, is: active(IDLE, ABSOLUTE) },
      {
        title: 'active one millisecond before the warning',
        at: IDLE - WARN - 1,
        is: active(WARN + 1, ABSOLUTE - IDLE + WARN + 1),
      },
      {
        title: 'warning exactly warnBefore before the end',
        at: IDLE - WARN,
        is: warning(WARN, ABSOLUTE - IDLE + WARN),
      },
      {
        title: 'warning in the last millisecond',
        at: IDLE - 1,
        is: warning(1, ABSOLUTE - IDLE + 1),
      },
      { title: 'expired at the deadline', at: IDLE, is: expired('idle', ABSOLUTE - IDLE) },
      { title: 'expired long after it', at: IDLE + 5000, is: expired('idle', 4100) },
      {
        title: 'counted from the last activity',
        record: { lastActivityAt: START + 5000 },
        at: 5000 + IDLE - WARN - 1,
        is: active(WARN + 1, ABSOLUTE - 5000 - IDLE + WARN + 1),
      },
      {
        title: "the record's own timeout, not a common one",
        record: { idleTimeoutMs: 60 },
        policy: { warnBeforeMs: 10 },
        at: 60,
        is: expired('idle', ABSOLUTE - 60),
      },
    ])('$title', ({ is, ...given }) => {
      expect(evaluateCase(given)).toEqual(is);
    });
  });

  describe('holds a session against the absolute timeout, however active it is', () => {
    const busy = { lastActivityAt: START + ABSOLUTE - 10 };
    it.each<Case>([
      {
        title: 'the nearer limit is the one that counts',
        record: { lastActivityAt: START + ABSOLUTE - 500 },
        at: ABSOLUTE - 400,
        is: active(400, 400),
      },
      {
        title: 'warning exactly warnBefore before it',
        record: { lastActivityAt: START + ABSOLUTE - WARN },
        at: ABSOLUTE - WARN,
        is: warning(WARN, WARN),
      },
      {
        title: 'warning in its last millisecond',
        record: busy,
        at: ABSOLUTE - 1,
        is: warning(1, 1),
      },
      { title: 'expired at it', record: busy, at: ABSOLUTE, is: expired('absolute', 0) },
      {
        title: 'expired after it, with nothing below zero',
        record: busy,
        at: ABSOLUTE + 70,
        is: expired('absolute', 0),
      },
    ])('$title', ({ is, ...given }) => {
      expect(evaluateCase(given)).toEqual(is);
    });
  });

  describe('of two limits that have passed', () => {
    it.each<Case>([
      {
        title: 'the earlier one is the reason: idle',
        record: { lastActivityAt: START + ABSOLUTE - IDLE - 1 },
        at: ABSOLUTE + 5000,
        is: expired('idle', 0),
      },
      {
        title: 'the earlier one is the reason: absolute',
        record: { lastActivityAt: START + ABSOLUTE - IDLE + 1 },
        at: ABSOLUTE + 5000,
        is: expired('absolute', 0),
      },
      {
        title: 'idle is the reason at a tie',
        record: { lastActivityAt: START + ABSOLUTE - IDLE },
        at: ABSOLUTE,
        is: expired('idle', 0),
      },
    ])('$title', ({ is, ...given }) => {
      expect(evaluateCase(given)).toEqual(is);
    });
  });

  describe('takes the word of a record that ended over the clock', () => {
    it.each(['idle', 'absolute', 'signed-out', 'revoked'] as const)(
      '%s stays the reason, before and after any deadline',
      (ended) => {
        for (const at of [0, IDLE, ABSOLUTE, 10 * ABSOLUTE]) {
          expect(evaluateCase({ record: { ended }, at })).toMatchObject({
            state: 'expired',
            reason: ended,
          });
        }
      },
    );
  });

  describe('knows no limit where there is none', () => {
    it.each<Case>([
      {
        title: 'no absolute limit is left to tell',
        record: { absoluteTimeoutMs: null },
        at: 0,
        is: active(IDLE, null),
      },
      {
        title: 'a session in use lives for years without an absolute limit',
        record: { lastActivityAt: START + 1e12, absoluteTimeoutMs: null },
        at: 1e12 + 1,
        is: active(IDLE - 1, null),
      },
      {
        title: 'the idle limit holds without an absolute one',
        record: { absoluteTimeoutMs: null },
        at: IDLE,
        is: expired('idle', null),
      },
      {
        title: 'no warning, down to the last millisecond',
        policy: { warnBeforeMs: false },
        at: IDLE - 1,
        is: active(1, ABSOLUTE - IDLE + 1),
      },
      {
        title: 'without a warning it still expires',
        policy: { warnBeforeMs: false },
        at: IDLE,
        is: expired('idle', ABSOLUTE - IDLE),
      },
    ])('$title', ({ is, ...given }) => {
      expect(evaluateCase(given)).toEqual(is);
    });
  });

  describe('locks a session that stays idle for long enough', () => {
    const LOCK = 300;
    const record = { lockAfterMs: LOCK };
    it.each<Case>([
      {
        title: 'active one millisecond before the lock',
        record,
        at: LOCK - 1,
        is: active(IDLE - LOCK + 1, ABSOLUTE - LOCK + 1, 1),
      },
      { title: 'locked at the lock', record, at: LOCK, is: locked(IDLE - LOCK, ABSOLUTE - LOCK) },
      {
        title: 'locked, not in its warning, to the last millisecond',
        record,
        at: IDLE - 1,
        is: locked(1, ABSOLUTE - IDLE + 1),
      },
      { title: 'expired at the end', record, at: IDLE, is: expired('idle', ABSOLUTE - IDLE) },
      {
        title: 'counted from the last activity',
        record: { ...record, lastActivityAt: START + 5000 },
        at: 5000 + LOCK,
        is: locked(IDLE - LOCK, ABSOLUTE - 5000 - LOCK),
      },
      {
        title: 'in its warning before the lock',
        record,
        policy: { warnBeforeMs: IDLE - LOCK + 10 },
        at: LOCK - 5,
        is: warning(IDLE - LOCK + 5, ABSOLUTE - LOCK + 5, 5),
      },
      {
        title: 'never, if the session is idle for too long by then',
        record: { lockAfterMs: IDLE },
        at: IDLE - WARN - 1,
        is: active(WARN + 1, ABSOLUTE - IDLE + WARN + 1),
      },
      {
        title: 'never, if the session is too old by then',
        record: { ...record, lastActivityAt: START + ABSOLUTE - LOCK },
        at: ABSOLUTE - 200,
        is: active(200, 200),
      },
      {
        title: 'not while the clock is behind the last activity',
        record: { ...record, lastActivityAt: START + 5000 },
        at: 100,
        is: active(IDLE, ABSOLUTE - 5000, LOCK),
      },
    ])('$title', ({ is, ...given }) => {
      expect(evaluateCase(given)).toEqual(is);
    });
  });

  describe('with a clock that went back', () => {
    it.each<Case>([
      {
        title: 'promises the whole idle timeout and no more',
        record: { lastActivityAt: START + 5000 },
        at: 100,
        is: active(IDLE, ABSOLUTE - 5000),
      },
      {
        title: 'promises no more than the absolute limit, as of the last activity',
        record: { lastActivityAt: START + ABSOLUTE - 200 },
        at: 0,
        is: active(200, 200),
      },
      {
        title: 'says the same before the very start',
        at: -50_000,
        is: active(IDLE, ABSOLUTE),
      },
    ])('$title', ({ is, ...given }) => {
      expect(evaluateCase(given)).toEqual(is);
    });
  });

  it('changes nothing that it was given', () => {
    const record = Object.freeze({ ...RECORD });
    const policy = Object.freeze({ warnBeforeMs: WARN });
    expect(evaluate(record, policy, START + 1)).toEqual(evaluate(record, policy, START + 1));
  });
});

describe('A proof of who the person is', () => {
  it.each([
    [0, true],
    [300, true],
    [301, false],
    [-5000, true],
  ])('of %p ms ago is no older than 300 ms: %p', (ageMs, fresh) => {
    expect(isFresh({ record: RECORD, now: START + ageMs }, 300)).toBe(fresh);
  });

  it('is as old as the activity after it says, where the clock went back', () => {
    const record = { ...RECORD, lastActivityAt: START + 301 };
    expect(isFresh({ record, now: START }, 300)).toBe(false);
  });

  it('is none without a record, or without its time in the record', () => {
    const { authenticatedAt: _, ...record } = RECORD;
    expect(isFresh({ record: undefined, now: START }, 300)).toBe(false);
    expect(isFresh({ record: record as ActivityRecord, now: START }, 300)).toBe(false);
  });
});

describe('A session whose person confirmed in another request', () => {
  const ended = (reason: RecordedEnd) => ({ ...RECORD, ended: reason });

  it('gets its new id until the old one would have been idle', () => {
    expect(isBeingReplaced({ record: ended('confirmed'), now: START + IDLE - 1 })).toBe(true);
    expect(isBeingReplaced({ record: ended('confirmed'), now: START + IDLE })).toBe(false);
  });

  it.each<RecordedEnd>(['replaced', 'signed-out', 'revoked'])(
    'is told from one that ended as %s',
    (reason) => {
      expect(isBeingReplaced({ record: ended(reason), now: START })).toBe(false);
    },
  );
});
