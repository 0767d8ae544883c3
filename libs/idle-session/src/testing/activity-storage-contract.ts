import assert from 'node:assert/strict';
import type { EndReason } from 'idle-session-client/protocol';
import type { ActivityStorage, ExpiredSession, NewSession } from '../activity/activity-storage.js';

/** A storage to hold against the contract, and what the tests need beside it. */
export interface ActivityStorageHarness {
  /** The storage, empty. */
  readonly storage: ActivityStorage;
  /**
   * The same records through another client: of a second process, with its own clock wrong by an hour. The storage
   * itself if there can be only one.
   */
  readonly other: ActivityStorage;
  /** Lets time pass on the storage's clock. */
  readonly advance: (milliseconds: number) => void | Promise<void>;
  /** Loses the record, as an eviction or a flush would. */
  readonly lose: (key: string) => void | Promise<void>;
  /** How long the storage keeps a record after its deadline or its end, in milliseconds. */
  readonly retentionMs: number;
}

/** One sentence of the contract with its test. */
export interface ActivityStorageContractCase {
  readonly name: string;
  /** Rejects with an `AssertionError` if the storage does not keep to it. */
  readonly run: (harness: ActivityStorageHarness) => Promise<void>;
}

const KEY = 'session-1';
const ID = 'id-1';
const TIMEOUT = 60_000;
const SESSION: NewSession = {
  sessionId: ID,
  idleTimeoutMs: TIMEOUT,
  absoluteTimeoutMs: null,
  lockAfterMs: null,
  owner: null,
};

/**
 * What every {@link ActivityStorage} has to keep to, for any test runner.
 *
 * @example
 * it.each(activityStorageContract)('$name', async ({ run }) => run(await createHarness()));
 */
export const activityStorageContract: readonly ActivityStorageContractCase[] = [
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
    name: 'keeps what a session was started with, whatever happens to it',
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
      await advance(TIMEOUT - 1000);
      const at = (await storage.read(KEY)).record?.lastActivityAt ?? 0;
      assert.equal((await storage.touch(KEY, TIMEOUT * 2, at)).record?.idleTimeoutMs, TIMEOUT * 2);
      await advance(TIMEOUT + 1000);
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
    name: 'is ended by exactly one of many at once, who learns that it won',
    async run({ storage, other }) {
      await storage.start(KEY, SESSION);
      const reasons: EndReason[] = ['signed-out', 'revoked', 'absolute', 'signed-out'];
      const ends = await Promise.all(
        alternate(storage, other, 24).map((each, index) => each.end(KEY, reasons[index % 4]!)),
      );
      assert.equal(ends.filter(({ won }) => won).length, 1);
      const told = new Set(ends.map(({ record }) => record?.ended));
      assert.equal(told.size, 1, 'all are told the same reason');
      assert.deepEqual(told, new Set([(await storage.read(KEY)).record?.ended]));
    },
  },
  {
    name: 'stays ended, whatever comes after',
    async run({ storage, other, advance }) {
      await storage.start(KEY, SESSION);
      await storage.end(KEY, 'signed-out');
      const ended = (await storage.read(KEY)).record;
      await advance(1000);
      await other.touch(KEY, TIMEOUT, Number.MAX_SAFE_INTEGER);
      assert.equal((await other.start(KEY, SESSION)).started, false);
      assert.equal((await other.end(KEY, 'revoked')).won, false);
      assert.equal((await storage.read(KEY)).record?.ended, ended?.ended);
    },
  },
  {
    name: 'ends nothing as idle that is still in time',
    async run({ storage, advance }) {
      await storage.start(KEY, SESSION);
      await advance(TIMEOUT - 5000);
      const tooEarly = await storage.end(KEY, 'idle');
      assert.equal(tooEarly.won, false);
      assert.equal(tooEarly.record?.ended, undefined);
      await advance(5000);
      assert.equal((await storage.end(KEY, 'idle')).won, true);
    },
  },
  {
    name: 'leaves an ended record where there was none',
    async run({ storage }) {
      assert.equal((await storage.end(KEY, 'idle')).won, true);
      assert.equal((await storage.start(KEY, SESSION)).record?.ended, 'idle');
    },
  },
  {
    name: 'tells the reason for as long as records are retained, and then forgets',
    async run({ storage, advance, retentionMs }) {
      await storage.start(KEY, SESSION);
      await storage.end(KEY, 'revoked');
      await advance(retentionMs - 5000);
      assert.equal((await storage.read(KEY)).record?.ended, 'revoked');
      await advance(5000);
      assert.equal((await storage.read(KEY)).record, undefined);
    },
  },
  {
    name: 'keeps an idle record past its deadline for as long, so that its end can be told',
    async run({ storage, advance, retentionMs }) {
      await storage.start(KEY, SESSION);
      await advance(TIMEOUT + retentionMs - 5000);
      assert.notEqual((await storage.read(KEY)).record, undefined);
      await advance(5000);
      assert.equal((await storage.read(KEY)).record, undefined);
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
    name: 'ends what is due by itself, for one of all that ask, with what is needed to find the session',
    async run({ storage, other, advance }) {
      await storage.start(KEY, SESSION);
      await advance(TIMEOUT - 5000);
      assert.deepEqual(await expireAll(storage), []);
      await advance(5000);
      const all = await Promise.all([expireAll(storage), expireAll(other)]);
      assert.deepEqual(all.flat(), [{ key: KEY, sessionId: ID, reason: 'idle' }]);
      assert.equal((await storage.read(KEY)).record?.ended, 'idle');
      assert.equal((await storage.end(KEY, 'idle')).won, false);
    },
  },
  {
    name: 'ends by itself what is older than its own absolute timeout, however active, and no other',
    async run({ storage, advance }) {
      await storage.start(KEY, { ...SESSION, absoluteTimeoutMs: 130_000 });
      await storage.start('session-2', { ...SESSION, sessionId: 'id-2' });
      for (let minute = 0; minute < 3; minute++) {
        await advance(40_000);
        await storage.touch(KEY, TIMEOUT, Number.MAX_SAFE_INTEGER);
        await storage.touch('session-2', TIMEOUT, Number.MAX_SAFE_INTEGER);
        assert.deepEqual(await expireAll(storage), []);
      }
      await advance(10_000);
      const expired = await expireAll(storage);
      assert.deepEqual(expired, [{ key: KEY, sessionId: ID, reason: 'absolute' }]);
    },
  },
  {
    name: 'ends by itself nothing that was active since, and nothing that ended',
    async run({ storage, advance }) {
      await storage.start(KEY, SESSION);
      await storage.start('session-2', { ...SESSION, sessionId: 'id-2' });
      await storage.end('session-2', 'signed-out');
      await advance(TIMEOUT - 5000);
      await storage.touch(KEY, TIMEOUT, Number.MAX_SAFE_INTEGER);
      await advance(TIMEOUT - 5000);
      assert.deepEqual(await expireAll(storage), []);
      await advance(5000);
      assert.deepEqual(await expireAll(storage), [{ key: KEY, sessionId: ID, reason: 'idle' }]);
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
  {
    name: 'goes by one clock, whatever its clients take the time to be',
    async run({ storage, other, advance }) {
      await storage.start(KEY, SESSION);
      await advance(TIMEOUT - 5000);
      const [one, two] = await Promise.all([storage.read(KEY), other.read(KEY)]);
      assert.deepEqual(one.record, two.record);
      assert.ok(Math.abs(one.now - two.now) < 1000, `${one.now} and ${two.now} are too far apart`);
      assert.equal((await other.end(KEY, 'idle')).won, false, 'alive for both');
    },
  },
];

function alternate(
  storage: ActivityStorage,
  other: ActivityStorage,
  count: number,
): ActivityStorage[] {
  return Array.from({ length: count }, (_, index) => (index % 2 === 0 ? storage : other));
}

async function expireAll(storage: ActivityStorage, limit = 1000): Promise<ExpiredSession[]> {
  const all: ExpiredSession[] = [];
  for (;;) {
    const { expired, more } = await storage.expire(limit);
    all.push(...expired);
    if (!more) return all;
  }
}
