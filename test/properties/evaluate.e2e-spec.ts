import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import {
  evaluate,
  type ActivityRecord,
  type EndReason,
  type Evaluation,
  type IdlePolicy,
} from 'nestjs-idle-session';
import { runs, TIME_LIMIT_MS } from './support/runs.js';

const START = 1000;
const POLICY: fc.Arbitrary<IdlePolicy> = fc.record({
  warnBeforeMs: fc.oneof(fc.constant(false as const), fc.nat(4)),
});
/** Small numbers, so that deadlines are met to the millisecond, and meet each other. */
const RECORD: fc.Arbitrary<ActivityRecord> = fc
  .tuple(
    fc.nat(8),
    fc.integer({ min: 1, max: 8 }),
    fc.option(fc.integer({ min: 1, max: 12 })),
    fc.option(fc.integer({ min: 1, max: 8 })),
  )
  .map(([activeAfter, idleTimeoutMs, absoluteTimeoutMs, lockAfterMs]) => ({
    startedAt: START,
    authenticatedAt: START,
    lastActivityAt: START + activeAfter,
    idleTimeoutMs,
    absoluteTimeoutMs,
    lockAfterMs,
    owner: null,
  }));
const NOW = fc.nat(20).map((milliseconds) => START + milliseconds);

const left = (evaluation: Evaluation) =>
  evaluation.state === 'expired' ? 0 : evaluation.expiresInMs;

const idleDeadline = ({ lastActivityAt, idleTimeoutMs }: ActivityRecord) =>
  lastActivityAt + idleTimeoutMs;
const absoluteDeadline = ({ startedAt, absoluteTimeoutMs }: ActivityRecord) =>
  startedAt + (absoluteTimeoutMs ?? Infinity);

const lockDeadline = ({ lastActivityAt, lockAfterMs }: ActivityRecord) =>
  lastActivityAt + (lockAfterMs ?? Infinity);

type Property = (record: ActivityRecord, policy: IdlePolicy, now: number) => boolean;

const ALIVE: [string, Property][] = [
  [
    'is over exactly from the nearer of its two deadlines on',
    (record, policy, now) => {
      const deadline = Math.min(idleDeadline(record), absoluteDeadline(record));
      const expected = Math.max(0, deadline - Math.max(now, record.lastActivityAt));
      const evaluation = evaluate(record, policy, now);
      return (evaluation.state === 'expired') === (expected === 0) && left(evaluation) === expected;
    },
  ],
  [
    'is over by the earlier deadline, and as idle at a tie',
    (record, policy, now) => {
      const evaluation = evaluate(record, policy, now);
      if (evaluation.state !== 'expired') return true;
      const isIdle = idleDeadline(record) <= absoluteDeadline(record);
      return evaluation.reason === (isIdle ? 'idle' : 'absolute');
    },
  ],
  [
    'is never brought nearer to its end by later activity',
    (record, policy, now) => {
      const later = { ...record, lastActivityAt: record.lastActivityAt + 1 };
      const time = Math.max(now, later.lastActivityAt);
      return left(evaluate(later, policy, time)) >= left(evaluate(record, policy, time));
    },
  ],
  [
    'has less and less time left',
    (record, policy, now) =>
      left(evaluate(record, policy, now + 1)) <= left(evaluate(record, policy, now)),
  ],
  [
    'never has more than its whole timeout left',
    (record, policy, now) => left(evaluate(record, policy, now)) <= record.idleTimeoutMs,
  ],
  [
    'is locked exactly from its lock on, until it is over',
    (record, policy, now) => {
      const evaluation = evaluate(record, policy, now);
      const isDue = Math.max(now, record.lastActivityAt) >= lockDeadline(record);
      return (evaluation.state === 'locked') === (isDue && evaluation.state !== 'expired');
    },
  ],
  [
    'says how long it is to the lock, if it is not over by then',
    (record, policy, now) => {
      const evaluation = evaluate(record, policy, now);
      if (evaluation.state === 'expired') return true;
      const { locksInMs } = evaluation;
      if (locksInMs === null) {
        const deadline = Math.min(idleDeadline(record), absoluteDeadline(record));
        return lockDeadline(record) >= deadline;
      }
      const time = Math.max(now, record.lastActivityAt);
      const { state } = evaluate(record, policy, time + locksInMs);
      return state === 'locked' && locksInMs > 0 === (evaluation.state !== 'locked');
    },
  ],
  [
    'that is open is not locked by later activity',
    (record, policy, now) => {
      const time = Math.max(now, record.lastActivityAt + 1);
      const later = { ...record, lastActivityAt: record.lastActivityAt + 1 };
      const { state } = evaluate(record, policy, time);
      const isOpen = state === 'active' || state === 'warning';
      return !isOpen || evaluate(later, policy, time).state !== 'locked';
    },
  ],
  [
    'is in its warning exactly in the last while before its end',
    (record, policy, now) => {
      const evaluation = evaluate(record, policy, now);
      if (evaluation.state === 'expired' || evaluation.state === 'locked') return true;
      const isLast = policy.warnBeforeMs !== false && evaluation.expiresInMs <= policy.warnBeforeMs;
      return evaluation.state === (isLast ? 'warning' : 'active');
    },
  ],
];

const REASONS: EndReason[] = ['idle', 'absolute', 'signed-out', 'revoked'];

function check(property: Property): void {
  fc.assert(fc.property(RECORD, POLICY, NOW, property), runs(300));
}

describe('A session that did not end', () => {
  it.each(ALIVE)('%s', (_, property) => check(property), TIME_LIMIT_MS);
});

describe('A session that ended', () => {
  it.each(REASONS)(
    'is over as %s, whatever the time',
    (ended) =>
      check((record, policy, now) => {
        const evaluation = evaluate({ ...record, ended }, policy, now);
        return evaluation.state === 'expired' && evaluation.reason === ended;
      }),
    TIME_LIMIT_MS,
  );
});
