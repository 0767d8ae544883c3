import assert from 'node:assert/strict';
import type { ActivityStorage } from '../activity/activity-storage.js';
import {
  KEY,
  MARGIN,
  SESSION,
  TIMEOUT,
  type ActivityStorageContractCase,
} from './contract-case.js';

const LOCK = TIMEOUT / 2;
const LOCKING = { ...SESSION, lockAfterMs: LOCK };

const lastActivity = async (storage: ActivityStorage) =>
  (await storage.read(KEY)).record?.lastActivityAt ?? 0;

/** What a lock keeps out. A storage keeps to it also without `unlock`. */
const lockedCases: readonly ActivityStorageContractCase[] = [
  {
    name: 'refuses activity at the lock and after it',
    async run({ storage, advance }) {
      await storage.start(KEY, LOCKING);
      await advance(LOCK);
      const { record: before } = await storage.read(KEY);
      const lock = (before?.lastActivityAt ?? 0) + LOCK;
      assert.deepEqual((await storage.touch(KEY, TIMEOUT, lock)).record, before);
      assert.deepEqual((await storage.touch(KEY, TIMEOUT, Number.MAX_SAFE_INTEGER)).record, before);
    },
  },
  {
    name: 'takes activity from before the lock, however late it comes',
    async run({ storage, advance }) {
      await storage.start(KEY, LOCKING);
      await advance(LOCK + 5000);
      const at = (await lastActivity(storage)) + LOCK - 1;
      assert.equal((await storage.touch(KEY, TIMEOUT, at)).record?.lastActivityAt, at);
    },
  },
  {
    name: 'changes no timeout of a session that is locked',
    async run({ storage, advance }) {
      await storage.start(KEY, LOCKING);
      await advance(LOCK);
      const at = await lastActivity(storage);
      assert.equal((await storage.touch(KEY, TIMEOUT * 2, at)).record?.idleTimeoutMs, TIMEOUT);
    },
  },
  {
    name: 'ends a locked session by itself, and not before its deadline',
    async run({ storage, advance }) {
      await storage.start(KEY, LOCKING);
      await advance(TIMEOUT - MARGIN);
      assert.deepEqual((await storage.expire(10)).expired, []);
      assert.equal((await storage.end(KEY, 'idle')).won, false, 'locked is not ended');
      await advance(MARGIN);
      assert.equal((await storage.expire(10)).expired[0]?.reason, 'idle');
    },
  },
];

const unlockCase = (
  name: string,
  run: (
    harness: Parameters<ActivityStorageContractCase['run']>[0] & {
      readonly unlock: (
        by: ActivityStorage,
        idleTimeoutMs?: number,
      ) => ReturnType<NonNullable<ActivityStorage['unlock']>>;
    },
  ) => Promise<void>,
): ActivityStorageContractCase => ({
  name,
  async run(harness) {
    if (!harness.storage.unlock) return;
    await run({ ...harness, unlock: (by, timeout = TIMEOUT) => by.unlock!(KEY, timeout) });
  },
});

/** One that has no `unlock` keeps to these too. */
const unlockCases: readonly ActivityStorageContractCase[] = [
  unlockCase(
    'unlocks a session at its own time, with the new idle timeout, and keeps all else',
    async ({ storage, other, advance, unlock }) => {
      await storage.start(KEY, { ...LOCKING, absoluteTimeoutMs: 10 * TIMEOUT, owner: 'a-hash' });
      await advance(LOCK + 5000);
      const { record: before } = await storage.read(KEY);
      const { record, now } = await unlock(other, TIMEOUT * 2);
      assert.deepEqual(record, { ...before, lastActivityAt: now, idleTimeoutMs: TIMEOUT * 2 });
      assert.deepEqual((await storage.read(KEY, true)).record, record);
      await advance(LOCK - MARGIN);
      const again = await storage.touch(KEY, TIMEOUT, Number.MAX_SAFE_INTEGER);
      assert.equal(again.record?.lastActivityAt, again.now, 'activity counts again');
    },
  ),
  unlockCase('locks again after as long a time', async ({ storage, advance, unlock }) => {
    await storage.start(KEY, LOCKING);
    await advance(LOCK);
    await unlock(storage);
    await advance(LOCK);
    const { record } = await storage.read(KEY);
    assert.deepEqual((await storage.touch(KEY, TIMEOUT, Number.MAX_SAFE_INTEGER)).record, record);
  }),
  unlockCase(
    'tells one of several that it unlocked the session',
    async ({ storage, other, advance, unlock }) => {
      await storage.start(KEY, LOCKING);
      assert.equal((await unlock(storage)).unlocked, false, 'not locked');
      await advance(LOCK);
      const answers = await Promise.all([storage, other, storage].map((by) => unlock(by)));
      assert.equal(answers.filter(({ unlocked }) => unlocked).length, 1);
    },
  ),
  unlockCase(
    'changes nothing of a session that is not locked',
    async ({ storage, advance, unlock }) => {
      await storage.start(KEY, LOCKING);
      await advance(LOCK - MARGIN);
      const { record } = await storage.read(KEY);
      assert.deepEqual((await unlock(storage, TIMEOUT * 2)).record, record);
    },
  ),
  unlockCase('unlocks nothing without a record', async ({ storage, unlock }) => {
    assert.equal((await unlock(storage)).record, undefined);
    assert.equal((await storage.read(KEY)).record, undefined);
  }),
  unlockCase('unlocks nothing that has ended', async ({ storage, other, unlock }) => {
    await storage.start(KEY, LOCKING);
    const { record } = await other.end(KEY, 'signed-out');
    assert.deepEqual((await unlock(storage)).record, record);
  }),
  unlockCase(
    'unlocks nothing whose idle deadline has passed',
    async ({ storage, advance, unlock }) => {
      await storage.start(KEY, LOCKING);
      await advance(TIMEOUT);
      const { record } = await storage.read(KEY);
      assert.deepEqual((await unlock(storage)).record, record);
      assert.equal((await storage.end(KEY, 'idle')).won, true);
    },
  ),
  unlockCase(
    'unlocks nothing whose absolute deadline has passed',
    async ({ storage, advance, unlock }) => {
      await storage.start(KEY, { ...LOCKING, absoluteTimeoutMs: LOCK + 5000 });
      await advance(LOCK + 5000);
      const { record } = await storage.read(KEY);
      assert.deepEqual((await unlock(storage)).record, record);
    },
  ),
  unlockCase(
    'ends by itself in time what was unlocked with a shorter timeout',
    async ({ storage, advance, unlock }) => {
      await storage.start(KEY, LOCKING);
      await advance(LOCK);
      await unlock(storage, TIMEOUT / 4);
      await advance(TIMEOUT / 4);
      assert.equal((await storage.expire(10)).expired.length, 1);
    },
  ),
  unlockCase(
    'leaves a session ended that is unlocked and ended at once',
    async ({ storage, other, advance, unlock }) => {
      await storage.start(KEY, LOCKING);
      await advance(LOCK);
      const [, { won }] = await Promise.all([unlock(storage), other.end(KEY, 'revoked')]);
      assert.equal(won, true);
      assert.equal((await storage.read(KEY, true)).record?.ended, 'revoked');
      assert.equal((await unlock(other)).record?.ended, 'revoked');
    },
  ),
];

/** A session that is locked while its person is away. */
export const lockCases = [...lockedCases, ...unlockCases];
