import { describe, expect, it } from '@jest/globals';
import { MemoryActivityStorage } from './memory-activity-storage.js';
import { activityStorageContract, ManualClock } from '../testing/index.js';

const RETENTION = 60 * 60_000;

const SESSION = {
  idleTimeoutMs: 15 * 60_000,
  absoluteTimeoutMs: null,
  lockAfterMs: null,
  owner: null,
};

describe('MemoryActivityStorage', () => {
  it.each(activityStorageContract)('$name', async ({ run }) => {
    const clock = new ManualClock();
    const storage = new MemoryActivityStorage({ now: clock.now, retention: RETENTION });
    const entries = (storage as unknown as { entries: Map<string, unknown> }).entries;
    await run({
      storage,
      other: storage,
      advance: (milliseconds) => clock.advance(milliseconds),
      lose: (key) => void entries.delete(key),
      retentionMs: RETENTION,
    });
  });

  it('holds no more than what is alive or retained, with sessions coming and going for days', async () => {
    const clock = new ManualClock();
    const storage = new MemoryActivityStorage({ now: clock.now, retention: '1h' });
    let most = 0;
    for (let session = 0; session < 20_000; session++) {
      await storage.start(`session-${session}`, { ...SESSION, sessionId: `id-${session}` });
      if (session % 3 === 0) await storage.end(`session-${session}`, 'signed-out');
      clock.advance(10_000);
      most = Math.max(most, storage.size);
    }
    // 75 minutes of one session each 10 s are 450; the sweep may lag behind by as many again.
    expect(most).toBeLessThan(1000);
  });

  it.each([5, null, '2026-01-01', new ManualClock()])('names a clock that is none: %p', (now) => {
    expect(() => new MemoryActivityStorage({ now: now as never })).toThrow(
      /^Option "now" got .*; it takes a function: \(\) => milliseconds\.$/,
    );
  });

  it('names a wrong retention', () => {
    expect(() => new MemoryActivityStorage({ retention: 'a day' })).toThrow(
      `Option "retention" got 'a day'; it takes a duration above zero`,
    );
  });
});
