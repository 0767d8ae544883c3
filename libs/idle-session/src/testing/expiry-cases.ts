import assert from 'node:assert/strict';
import type { ActivityStorage, ExpiredSession } from '../activity/activity-storage.js';
import {
  ID,
  KEY,
  MARGIN,
  SESSION,
  TIMEOUT,
  type ActivityStorageContractCase,
} from './contract-case.js';

/** How a storage ends by itself the sessions whose time is up. */
export const expiryCases: readonly ActivityStorageContractCase[] = [
  {
    name: 'ends what is due by itself, for one of all that ask, with what is needed to find the session',
    async run({ storage, other, advance }) {
      await storage.start(KEY, { ...SESSION, owner: 'owner-1' });
      await advance(TIMEOUT - MARGIN);
      assert.deepEqual(await expireAll(storage), []);
      await advance(MARGIN);
      const { record } = await storage.read(KEY);
      const all = await Promise.all([expireAll(storage), expireAll(other)]);
      const [expired, ...others] = all.flat();
      assert.deepEqual(others, []);
      assertIs(expired, { key: KEY, sessionId: ID, reason: 'idle', owner: 'owner-1' });
      assertIs(expired, { startedAt: record?.startedAt, lastActivityAt: record?.lastActivityAt });
      assert.ok(expired!.endedAt >= expired!.lastActivityAt + TIMEOUT, 'says when it ended');
      assert.equal((await storage.read(KEY)).record?.ended, 'idle');
      assert.equal((await storage.end(KEY, 'idle')).won, false);
    },
  },
  {
    name: 'ends by itself what is older than its own absolute timeout, however active, and no other',
    async run({ storage, advance }) {
      await storage.start(KEY, { ...SESSION, absoluteTimeoutMs: 120_000 + MARGIN });
      await storage.start('session-2', { ...SESSION, sessionId: 'id-2' });
      for (let minute = 0; minute < 3; minute++) {
        await advance(40_000);
        await storage.touch(KEY, TIMEOUT, Number.MAX_SAFE_INTEGER);
        await storage.touch('session-2', TIMEOUT, Number.MAX_SAFE_INTEGER);
        assert.deepEqual(await expireAll(storage), []);
      }
      await advance(MARGIN);
      const [expired, ...others] = await expireAll(storage);
      assertIs(expired, { key: KEY, sessionId: ID, reason: 'absolute' });
      assert.deepEqual(others, []);
    },
  },
  {
    name: 'ends by itself nothing that was active since, and nothing that ended',
    async run({ storage, advance }) {
      await storage.start(KEY, SESSION);
      await storage.start('session-2', { ...SESSION, sessionId: 'id-2' });
      await storage.end('session-2', 'signed-out');
      await storage.told?.(['session-2']);
      await advance(TIMEOUT - MARGIN);
      await storage.touch(KEY, TIMEOUT, Number.MAX_SAFE_INTEGER);
      await advance(TIMEOUT - MARGIN);
      assert.deepEqual(await expireAll(storage), []);
      await advance(MARGIN);
      const [expired, ...others] = await expireAll(storage);
      assertIs(expired, { key: KEY, sessionId: ID, reason: 'idle' });
      assert.deepEqual(others, []);
    },
  },
  {
    name: 'ends by itself in time what got a shorter timeout',
    async run({ storage, advance }) {
      await storage.start(KEY, SESSION);
      await storage.touch(KEY, TIMEOUT / 4, Number.MAX_SAFE_INTEGER);
      await advance(TIMEOUT / 4);
      assert.equal((await expireAll(storage)).length, 1);
    },
  },
  {
    name: 'ends by itself at its absolute timeout what got a shorter timeout that lasts beyond it',
    async run({ storage, advance }) {
      await storage.start(KEY, { ...SESSION, absoluteTimeoutMs: TIMEOUT * 1.5 });
      await advance(TIMEOUT - MARGIN);
      await storage.touch(KEY, TIMEOUT, Number.MAX_SAFE_INTEGER);
      await advance(MARGIN);
      await storage.touch(KEY, (TIMEOUT * 7) / 12, Number.MAX_SAFE_INTEGER);
      await advance(TIMEOUT / 2);
      const [expired] = await expireAll(storage);
      assertIs(expired, { key: KEY, sessionId: ID, reason: 'absolute' });
    },
  },
  {
    name: 'counts the sessions that have started and not ended, if it counts',
    async run({ storage, other, advance }) {
      await assertCount(storage, 0);
      await storage.start(KEY, SESSION);
      await storage.start('session-2', {
        ...SESSION,
        sessionId: 'id-2',
        idleTimeoutMs: TIMEOUT * 2,
      });
      await storage.start(KEY, SESSION);
      await assertCount(other, 2);
      await other.end('session-3', 'lost');
      await other.end(KEY, 'revoked');
      await storage.end(KEY, 'signed-out');
      await assertCount(storage, 1);
      await advance(TIMEOUT * 2);
      await expireAll(other);
      await assertCount(storage, 0);
    },
  },
  {
    name: 'ends any number by itself, each once, a few at a time',
    async run({ storage, other, advance }) {
      const keys = Array.from({ length: 300 }, (_, index) => `session-${index}`);
      await Promise.all(
        keys.map((key) => storage.start(key, { ...SESSION, sessionId: `id of ${key}` })),
      );
      await advance(TIMEOUT);
      const expired = (await Promise.all([expireAll(storage, 20), expireAll(other, 20)])).flat();
      assert.deepEqual(expired.map(({ key }) => key).sort(), keys.sort());
      assert.ok(expired.every(({ key, sessionId }) => sessionId === `id of ${key}`));
    },
  },
];

/** Whether the expected fields are there: a storage may add some of its own. */
function assertIs(expired: ExpiredSession | undefined, expected: object): void {
  assert.deepEqual({ ...expired, ...expected }, expired);
}

async function assertCount(storage: ActivityStorage, expected: number): Promise<void> {
  const count = await storage.count?.();
  assert.ok(count == null || count === expected, `counts ${count} rather than ${expected}`);
}

async function expireAll(storage: ActivityStorage, limit = 1000): Promise<ExpiredSession[]> {
  const all: ExpiredSession[] = [];
  for (;;) {
    const { expired, more } = await storage.expire(limit);
    all.push(...expired);
    await storage.told?.(expired.map(({ key }) => key));
    if (!more) return all;
  }
}
