import assert from 'node:assert/strict';
import {
  alternate,
  KEY,
  MARGIN,
  SESSION,
  TIMEOUT,
  type ActivityStorageContractCase,
} from './contract-case.js';

/** What a record says, from the start of the session on. */
export const activityCases: readonly ActivityStorageContractCase[] = [
  {
    name: 'knows nothing of a session that was never started',
    async run({ storage }) {
      assert.equal((await storage.read(KEY)).record, undefined);
      assert.equal((await storage.touch(KEY, TIMEOUT, Number.MAX_SAFE_INTEGER)).record, undefined);
      assert.equal((await storage.read(KEY)).record, undefined, 'a touch must not create a record');
    },
  },
  {
    name: 'starts a record once, at its own time',
    async run({ storage, other, advance }) {
      const first = await storage.start(KEY, SESSION);
      assert.equal(first.started, true);
      assert.deepEqual(first.record, {
        startedAt: first.now,
        authenticatedAt: first.now,
        lastActivityAt: first.now,
        idleTimeoutMs: TIMEOUT,
        absoluteTimeoutMs: null,
        lockAfterMs: null,
        owner: null,
      });
      await advance(1000);
      const { record } = await storage.read(KEY);
      const second = await other.start(KEY, { ...SESSION, idleTimeoutMs: TIMEOUT * 2 });
      assert.equal(second.started, false);
      assert.deepEqual(second.record, record);
    },
  },
  {
    name: 'is started by exactly one of many at once',
    async run({ storage, other }) {
      const starts = await Promise.all(
        alternate(storage, other, 20).map((each) => each.start(KEY, SESSION)),
      );
      assert.equal(starts.filter(({ started }) => started).length, 1);
    },
  },
  {
    name: 'keeps sessions apart',
    async run({ storage }) {
      await storage.start(KEY, SESSION);
      await storage.start('session-2', { ...SESSION, sessionId: 'id-2' });
      await storage.end('session-2', 'revoked');
      assert.equal((await storage.read(KEY)).record?.ended, undefined);
      assert.equal((await storage.read('session-2')).record?.ended, 'revoked');
    },
  },
  {
    name: 'moves activity on, and brings the new idle timeout along',
    async run({ storage, advance }) {
      await storage.start(KEY, SESSION);
      await advance(5000);
      const { record: before, now } = await storage.read(KEY);
      const { record } = await storage.touch(KEY, TIMEOUT * 2, now);
      assert.deepEqual(record, { ...before, lastActivityAt: now, idleTimeoutMs: TIMEOUT * 2 });
      assert.deepEqual((await storage.read(KEY)).record, record);
    },
  },
  {
    name: 'keeps what a session was started with, through activity and end',
    async run({ storage, other, advance }) {
      const limits = { absoluteTimeoutMs: 10 * TIMEOUT, lockAfterMs: TIMEOUT / 2, owner: 'a-hash' };
      await storage.start(KEY, { ...SESSION, ...limits });
      await advance(5000);
      const { record } = await other.touch(KEY, TIMEOUT * 2, Number.MAX_SAFE_INTEGER);
      assert.deepEqual({ ...record, ...limits }, record);
      const { record: ended } = await other.end(KEY, 'signed-out');
      assert.deepEqual(ended, { ...record, ended: 'signed-out' });
      assert.deepEqual((await storage.read(KEY)).record, ended);
    },
  },
  {
    name: 'takes activity from the future as now',
    async run({ storage, advance }) {
      await storage.start(KEY, SESSION);
      await advance(1000);
      const { record, now } = await storage.touch(KEY, TIMEOUT, Number.MAX_SAFE_INTEGER);
      assert.equal(record?.lastActivityAt, now);
    },
  },
  {
    name: 'comes to the same activity however touches are shuffled, doubled or late',
    async run({ storage, other, advance }) {
      const { record } = await storage.start(KEY, SESSION);
      await advance(30_000);
      const startedAt = (await storage.read(KEY)).record?.startedAt ?? record?.startedAt ?? 0;
      const touches = [12, 3, 25, 25, 7, 18, 0, 1, 25, 24].map(
        (second) => startedAt + second * 1000,
      );
      const both = alternate(storage, other, touches.length);
      await Promise.all(touches.map((at, index) => both[index]!.touch(KEY, TIMEOUT, at)));
      assert.equal((await storage.read(KEY)).record?.lastActivityAt, startedAt + 25_000);
    },
  },
  {
    name: 'never moves activity back, nor takes the timeout of older activity',
    async run({ storage, advance }) {
      await storage.start(KEY, SESSION);
      await advance(20_000);
      const { record: newer, now } = await storage.touch(KEY, TIMEOUT, Number.MAX_SAFE_INTEGER);
      const { record: after } = await storage.touch(KEY, TIMEOUT * 5, now - 10_000);
      assert.deepEqual(after, newer);
    },
  },
  {
    name: 'changes the timeout alone when activity is the same, up to the deadline',
    async run({ storage, advance }) {
      await storage.start(KEY, SESSION);
      await advance(TIMEOUT - MARGIN);
      const at = (await storage.read(KEY)).record?.lastActivityAt ?? 0;
      assert.equal((await storage.touch(KEY, TIMEOUT * 2, at)).record?.idleTimeoutMs, TIMEOUT * 2);
      await advance(TIMEOUT + MARGIN);
      const late = (await storage.read(KEY)).record?.lastActivityAt ?? 0;
      assert.equal(
        (await storage.touch(KEY, TIMEOUT * 9, late)).record?.idleTimeoutMs,
        TIMEOUT * 2,
      );
    },
  },
  {
    name: 'refuses activity at the deadline and after it',
    async run({ storage, advance }) {
      await storage.start(KEY, SESSION);
      await advance(TIMEOUT);
      const before = (await storage.read(KEY)).record;
      const deadline = (before?.lastActivityAt ?? 0) + TIMEOUT;
      assert.deepEqual((await storage.touch(KEY, TIMEOUT, deadline)).record, before);
      assert.deepEqual((await storage.touch(KEY, TIMEOUT, Number.MAX_SAFE_INTEGER)).record, before);
    },
  },
  {
    name: 'takes activity from before the deadline, however late it comes',
    async run({ storage, advance }) {
      await storage.start(KEY, SESSION);
      await advance(TIMEOUT + 5000);
      const at = ((await storage.read(KEY)).record?.lastActivityAt ?? 0) + TIMEOUT - 1;
      assert.equal((await storage.touch(KEY, TIMEOUT, at)).record?.lastActivityAt, at);
    },
  },
  {
    name: 'says that there is no record when it was lost',
    async run({ storage, other, lose }) {
      await storage.start(KEY, SESSION);
      await lose(KEY);
      assert.equal((await storage.read(KEY)).record, undefined);
      assert.equal((await other.touch(KEY, TIMEOUT, Number.MAX_SAFE_INTEGER)).record, undefined);
    },
  },
  {
    name: 'goes by one clock, and not by its clients’',
    async run({ storage, other, advance }) {
      await storage.start(KEY, SESSION);
      await advance(TIMEOUT - MARGIN);
      const [one, two] = await Promise.all([storage.read(KEY), other.read(KEY)]);
      assert.deepEqual(one.record, two.record);
      assert.ok(
        Math.abs(one.now - two.now) < MARGIN,
        `${one.now} and ${two.now} are too far apart`,
      );
      assert.equal((await other.end(KEY, 'idle')).won, false, 'alive for both');
    },
  },
];
