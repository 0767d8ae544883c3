import assert from 'node:assert/strict';
import type { RecordedEnd } from '../activity/activity-storage.js';
import {
  alternate,
  ID,
  KEY,
  MARGIN,
  SESSION,
  TIMEOUT,
  type ActivityStorageContractCase,
} from './contract-case.js';

/** How a session is ended, once and for good, and for how long that is told. */
export const endCases: readonly ActivityStorageContractCase[] = [
  {
    name: 'is ended by exactly one of many at once, who learns that it won',
    async run({ storage, other }) {
      await storage.start(KEY, SESSION);
      const reasons: RecordedEnd[] = ['signed-out', 'revoked', 'absolute', 'signed-out'];
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
    name: 'gives the session id to nobody but who won, if it gives it',
    async run({ storage, other }) {
      await storage.start(KEY, SESSION);
      const { sessionId } = await other.end(KEY, 'revoked');
      assert.ok(sessionId === undefined || sessionId === ID, `gives ${sessionId}`);
      assert.equal((await storage.end(KEY, 'revoked')).sessionId, undefined);
      const { sessionId: unknown } = await storage.end('session-2', 'revoked');
      assert.ok(!unknown, 'there is none of a session that was never started');
    },
  },
  {
    name: 'keeps the reason as it was given',
    async run({ storage, other }) {
      const reasons: RecordedEnd[] = ['absolute', 'signed-out', 'revoked', 'replaced', 'confirmed'];
      for (const reason of reasons) {
        await storage.start(reason, SESSION);
        await storage.end(reason, reason);
        assert.equal((await other.read(reason)).record?.ended, reason);
      }
    },
  },
  {
    name: 'stays ended, for all that comes after',
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
      await advance(TIMEOUT - MARGIN);
      const tooEarly = await storage.end(KEY, 'idle');
      assert.equal(tooEarly.won, false);
      assert.equal(tooEarly.record?.ended, undefined);
      await advance(MARGIN);
      assert.equal((await storage.end(KEY, 'idle')).won, true);
    },
  },
  {
    name: 'ends nothing as lost that it has a record of',
    async run({ storage, other }) {
      await storage.start(KEY, SESSION);
      const found = await other.end(KEY, 'lost');
      assert.equal(found.won, false);
      assert.equal(found.record?.ended, undefined);
      assert.equal((await storage.read(KEY)).record?.ended, undefined);
    },
  },
  {
    name: 'leaves an ended record where there was none',
    async run({ storage, other }) {
      for (const reason of ['idle', 'lost'] as const) {
        assert.equal((await storage.end(reason, reason)).won, true);
        assert.equal((await other.start(reason, SESSION)).record?.ended, reason);
      }
    },
  },
  {
    name: 'tells the reason for as long as records are retained, and then forgets',
    async run({ storage, advance, retentionMs }) {
      await storage.start(KEY, SESSION);
      await storage.end(KEY, 'revoked');
      await advance(retentionMs - MARGIN);
      assert.equal((await storage.read(KEY)).record?.ended, 'revoked');
      await advance(MARGIN);
      assert.equal((await storage.read(KEY)).record, undefined);
    },
  },
  {
    name: 'keeps an idle record past its deadline for as long, so that its end can be told',
    async run({ storage, advance, retentionMs }) {
      await storage.start(KEY, SESSION);
      await advance(TIMEOUT + retentionMs - MARGIN);
      assert.notEqual((await storage.read(KEY)).record, undefined);
      await advance(MARGIN);
      assert.equal((await storage.read(KEY)).record, undefined);
    },
  },
];
