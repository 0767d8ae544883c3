import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { ActivityStorage } from '../activity/activity-storage.js';
import { KEY, SESSION, TIMEOUT, type ActivityStorageContractCase } from './contract-case.js';

/** How late a change may be told, with room for a busy machine. */
const TOLD_WITHIN_MS = 30_000;

/** What a storage tells those who watch it. One that has no `watch` keeps to this too. */
export const watchCases: readonly ActivityStorageContractCase[] = [
  {
    name: 'tells those who watch of an end that any process decided',
    async run({ storage, other }) {
      for (const [key, decider] of [
        ['session-1', storage],
        ['session-2', other],
      ] as const) {
        await decider.start(key, SESSION);
        await assertTold(storage, key, () => decider.end(key, 'signed-out'));
      }
    },
  },
  {
    name: 'tells those who watch of a deadline that moved back',
    async run({ storage, other }) {
      await other.start(KEY, SESSION);
      const shorten = () => other.touch(KEY, TIMEOUT / 4, Number.MAX_SAFE_INTEGER);
      await assertTold(storage, KEY, shorten);
    },
  },
  {
    name: 'tells those who watch of an unlock',
    async run({ storage, other, advance }) {
      if (!other.unlock) return;
      await other.start(KEY, { ...SESSION, lockAfterMs: TIMEOUT / 4 });
      // The first that a storage tells may be that it knows of nothing before.
      await assertTold(storage, KEY, () => other.touch(KEY, TIMEOUT / 2, Number.MAX_SAFE_INTEGER));
      await advance(TIMEOUT / 4);
      await assertTold(storage, KEY, () => other.unlock!(KEY, TIMEOUT));
    },
  },
  {
    name: 'tells nobody who has stopped to watch',
    async run({ storage }) {
      await storage.start(KEY, SESSION);
      let isStopped = false;
      const stop = storage.watch?.(() => assert.ok(!isStopped, 'told after the end of the watch'));
      // The other watcher shows that the change was told.
      await assertTold(storage, KEY, async () => {
        stop?.();
        isStopped = true;
        await storage.end(KEY, 'signed-out');
      });
    },
  },
];

/** Asserts that a change is told after it was made; what is told before may be of something else. */
async function assertTold(
  storage: ActivityStorage,
  key: string,
  change: () => Promise<unknown>,
): Promise<void> {
  let isTold = false;
  const stop = storage.watch?.((keys) => (isTold ||= keys === 'all' || keys.includes(key)));
  if (!stop) return;
  try {
    isTold = false;
    await change();
    const began = performance.now();
    while (!isTold && performance.now() - began < TOLD_WITHIN_MS) await delay(5);
    assert.ok(isTold, `the change of ${key} was not told`);
  } finally {
    stop();
  }
}
