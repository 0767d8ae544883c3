import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { MemoryActivityStorage } from '../activity/memory-activity-storage.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { OutageLog } from '../utils/outage-log.js';
import { SessionActivity } from './session-activity.js';
import { SessionEvents } from './session-events.js';
import { UnrecordedEnds } from './unrecorded-ends.js';

const TURN_MS = 1000;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A storage that does not take the end of one session, as a cluster with one full node. */
class PartlyFull extends MemoryActivityStorage {
  readonly asked: string[] = [];
  isFull = true;

  override async end(...[key, reason]: Parameters<MemoryActivityStorage['end']>) {
    this.asked.push(key);
    if (this.isFull && key === 'refused') throw new Error('OOM');
    return super.end(key, reason);
  }
}

it('An end that the storage keeps refusing does not hold up the others, and is tried with them until it is taken', async () => {
  const storage = new PartlyFull();
  const options: Partial<ResolvedOptions> = { storage, storageTimeoutMs: 1000 };
  const events = new SessionEvents();
  const told: string[] = [];
  events.events.subscribe(({ sessionRef }) => told.push(sessionRef));
  const log = new OutageLog({ error() {}, log() {} });
  const ends = new UnrecordedEnds(
    new SessionActivity(options as ResolvedOptions, log, events),
    events,
  );
  for (const ref of ['refused', 'a', 'b']) ends.add(ref, 'signed-out', { cause: 'request' });

  await jest.advanceTimersByTimeAsync(TURN_MS);
  expect(storage.asked).toEqual(['refused']);
  await jest.advanceTimersByTimeAsync(TURN_MS);
  expect(told).toEqual(['a', 'b']);
  storage.isFull = false;
  await jest.advanceTimersByTimeAsync(TURN_MS);
  expect(told).toEqual(['a', 'b', 'refused']);
  await jest.advanceTimersByTimeAsync(TURN_MS);
  expect(storage.asked).toHaveLength(5);
});
