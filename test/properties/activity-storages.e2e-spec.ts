import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryActivityStorage } from 'nestjs-idle-session';
import { ManualClock } from 'nestjs-idle-session/testing';
import { RedisActivityRecords } from '../../libs/idle-session/src/redis/redis-activity-records.js';
import { passTime } from '../support/activity-records.js';
import { patient } from '../support/patient.js';
import { RedisServer, type RedisClient } from '../support/redis-server.js';
import { NaiveStorage } from './support/naive-storage.js';
import { answersOf, operations, RETENTION, type Scale } from './support/operations.js';
import { runs, TIME_LIMIT_MS } from './support/runs.js';
import { SharedStorage } from './support/shared-storage.js';

describe('MemoryActivityStorage', () => {
  /** To the millisecond, so that deadlines are met, and meet each other. */
  const exactly: Scale = {
    pass: (time) => time,
    timeout: (timeout) => timeout,
    absoluteTimeoutMs: 6,
    lockAfterMs: 3,
    ago: (ago) => ago,
    compare: (span) => span,
  };

  const anyLimit = fc.constantFrom(null, exactly.absoluteTimeoutMs);
  const anyLock = fc.constantFrom(null, exactly.lockAfterMs);

  it(
    'says and does what the contract says, whatever is called',
    async () => {
      const any = operations(60, false);
      const property = fc.asyncProperty(any, anyLimit, anyLock, async (all, limit, lock) => {
        const scale = { ...exactly, absoluteTimeoutMs: limit, lockAfterMs: lock };
        const answers = [MemoryActivityStorage, NaiveStorage].map((Storage) => {
          const clock = new ManualClock();
          const storage =
            Storage === NaiveStorage
              ? new NaiveStorage(clock.now, RETENTION)
              : new MemoryActivityStorage({ now: clock.now, retention: RETENTION });
          return answersOf({ storage, pass: (ms) => clock.advance(ms) }, all, scale);
        });
        const [memory, naive] = await Promise.all(answers);
        expect(memory).toEqual(naive);
      });
      await fc.assert(property, runs(300));
    },
    TIME_LIMIT_MS,
  );
});

describe('The scripts in Redis', () => {
  const HOUR = 3_600_000;
  const MINUTE = 60_000;
  /** Redis's own clock runs on, and only adds to a span: half a minute is left in each of them, and none meets a deadline. */
  const roughly: Scale = {
    pass: (time) => time * HOUR,
    timeout: (timeout) => (timeout + 0.5) * HOUR,
    absoluteTimeoutMs: 6.15 * HOUR,
    lockAfterMs: 138 * MINUTE,
    ago: (ago, index) => (ago + (ago < 0 ? 0 : (index + 1) / 120)) * HOUR,
    compare: (span) => Math.floor(span / MINUTE),
  };
  const retentionMs = (RETENTION + 0.35) * HOUR;

  let redis: RedisServer;
  let client: RedisClient;
  beforeAll(async () => {
    redis = await RedisServer.start();
    client = await redis.client();
  });
  afterAll(() => RedisServer.stopAll());

  it(
    'say and do what the storage in memory does, and report the same changes',
    async () => {
      let run = 0;
      const anyLock = fc.constantFrom(null, roughly.lockAfterMs);
      const property = fc.asyncProperty(operations(20, true), anyLock, async (all, lockAfterMs) => {
        const scale = { ...roughly, lockAfterMs };
        const prefix = `${run++}:`;
        const clock = new ManualClock();
        const memory = new SharedStorage({
          now: clock.now,
          retention: retentionMs,
          changesRemembered: 1000,
        });
        const records = patient(new RedisActivityRecords(client, prefix, retentionMs, ''));
        const [inMemory, inRedis] = [
          await answersOf({ storage: memory, pass: (ms) => clock.advance(ms) }, all, scale),
          await answersOf(
            { storage: records, pass: (ms) => passTime(client, ms, prefix) },
            all,
            scale,
          ),
        ];
        expect(inRedis).toEqual(inMemory);
      });
      await fc.assert(property, runs(25));
    },
    TIME_LIMIT_MS,
  );
});
