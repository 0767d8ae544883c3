import { afterEach, beforeEach, jest } from '@jest/globals';
import type { EndReason } from 'idle-session-client/protocol';
import { ActivityStorage, type ActivityReading, type NewSession } from '../activity-storage.js';
import { MemoryActivityStorage } from '../memory-activity-storage.js';
import type { ActivityFeed, Changes, Touch } from './activity-feed.js';
import type { BufferedActivityStorageOptions } from './buffer-options.js';
import { BufferedActivityStorage } from './buffered-activity-storage.js';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const IDLE = 15 * MINUTE;

export const session = (idleTimeoutMs = IDLE, sessionId = 'id'): NewSession => ({
  sessionId,
  idleTimeoutMs,
  absoluteTimeoutMs: null,
  lockAfterMs: null,
  owner: null,
});

/** By how much the storage's clock is ahead of this process's. */
let ahead = 5_000_000;

export function setAhead(milliseconds: number): void {
  ahead = milliseconds;
}

/** Every test begins at the same time, on a clock that it moves itself. */
export function useMovedClock(): void {
  beforeEach(() => {
    jest.useFakeTimers();
    ahead = 5_000_000;
  });
  afterEach(() => {
    jest.useRealTimers();
  });
}

export const pass = (milliseconds: number) => jest.advanceTimersByTimeAsync(milliseconds);
export const storageNow = () => performance.now() + ahead;

let callsOfAll = 0;

/** Whether an operation is answered without a call to the storage. */
export async function isFromMemory(operation: () => Promise<unknown>): Promise<boolean> {
  const before = callsOfAll;
  const answer = operation();
  answer.catch(() => {});
  await pass(0);
  return callsOfAll === before;
}

/** What all processes share. */
export class World {
  readonly memory = new MemoryActivityStorage({ now: storageNow });
  /** The keys whose deadline moved back, in order. */
  readonly changes: string[] = [];
}

/** One process's way to the storage: takes down what is asked, and fails as the test says. */
export class Connection extends ActivityStorage {
  readonly calls: string[] = [];
  /** The time at which each operation is done after it was asked, and until its answer is here. */
  latency: Partial<Record<string, { there?: number; back?: number }>> = {};
  fails: Partial<Record<string, 'rejects' | 'hangs'>> = {};
  /** Keys on a part of the storage that hangs. */
  hangsFor: (key: string) => boolean = () => false;

  constructor(protected readonly world: World) {
    super();
  }

  override read(key: string, fresh = false): Promise<ActivityReading> {
    return this.answer(fresh ? 'read fresh' : 'read', key, () => this.world.memory.read(key));
  }

  override start(key: string, session: NewSession) {
    return this.answer('start', key, () => this.world.memory.start(key, session));
  }

  override touch(key: string, idleTimeoutMs: number, at: number) {
    return this.answer('touch', key, () => this.touchNow({ key, idleTimeoutMs, at }));
  }

  override unlock(key: string, idleTimeoutMs: number) {
    return this.answer('unlock', key, () => {
      this.world.changes.push(key);
      return this.world.memory.unlock(key, idleTimeoutMs);
    });
  }

  override end(key: string, reason: EndReason) {
    return this.answer('end', key, () => {
      this.world.changes.push(key);
      return this.world.memory.end(key, reason);
    });
  }

  override expire(limit: number) {
    return this.answer('expire', String(limit), () => this.world.memory.expire(limit));
  }

  /** What was asked, without the exchanges that happen beside. */
  get asked(): string[] {
    return this.calls.filter((call) => !call.startsWith('sync'));
  }

  protected async touchNow({ key, idleTimeoutMs, at }: Touch): Promise<ActivityReading> {
    const { memory, changes } = this.world;
    const { record: before } = await memory.read(key);
    const after = await memory.touch(key, idleTimeoutMs, at);
    const due = (record = after.record) =>
      (record?.lastActivityAt ?? 0) + (record?.idleTimeoutMs ?? 0);
    if (due() < due(before)) changes.push(key);
    return after;
  }

  protected async answer<T>(operation: string, subject: string, run: () => Promise<T>): Promise<T> {
    this.calls.push(`${operation} ${subject}`);
    if (operation !== 'sync') callsOfAll++;
    const { there = 0, back = 0 } = this.latency[operation] ?? {};
    const failure = this.fails[operation];
    if (failure === 'rejects') throw new Error(`${operation} failed`);
    if (failure === 'hangs' || this.hangsFor(subject)) return new Promise(() => {});
    if (there > 0) await new Promise((resolve) => setTimeout(resolve, there));
    const value = await run();
    if (back > 0) await new Promise((resolve) => setTimeout(resolve, back));
    return value;
  }
}

/** Tells of changes at once, without a history. */
export class WatchedConnection extends Connection {
  override watch(onChange: (keys: readonly string[] | 'all') => void) {
    return this.world.memory.watch(onChange);
  }
}

/** A connection that tells what changed, in two partitions: of the keys that begin with a, c, … and with b, d, …. */
export class FeedConnection extends Connection implements ActivityFeed {
  readonly partitions = 2;
  /** The touches of each exchange that brought any. */
  readonly sent: { readonly at: number; readonly touches: readonly Touch[] }[] = [];
  /** Whether the storage has lost what it could tell. */
  forgetful = false;

  partitionOf(key: string): number {
    return key.charCodeAt(0) % 2;
  }

  sync(partition: number, touches: readonly Touch[], since: unknown): Promise<Changes> {
    if (touches.length > 0) this.sent.push({ at: performance.now(), touches });
    return this.answer('sync', String(partition), async () => {
      const refused: Touch[] = [];
      for (const touch of touches) {
        const { record } = await this.touchNow(touch);
        const counted = record && record.ended === undefined && record.lastActivityAt >= touch.at;
        if (!counted) refused.push(touch);
      }
      const { changes } = this.world;
      const known = since !== undefined && !this.forgetful;
      const changed = changes
        .slice(Number(since))
        .filter((key) => this.partitionOf(key) === partition);
      return {
        now: storageNow(),
        cursor: String(changes.length),
        changed: known ? [...changed, ...refused.map(({ key }) => key)] : 'all',
      };
    });
  }

  get touchesSent(): Touch[] {
    return this.sent.flatMap(({ touches }) => touches);
  }
}

/** A process with a buffer in front of the storage that it shares with others. Its activity is due at once. */
export function aProcess(world = new World(), options?: BufferedActivityStorageOptions) {
  const connection = new FeedConnection(world);
  const buffer = new BufferedActivityStorage(connection, { touchInterval: 0, ...options });
  return { world, connection, buffer };
}

/** A process that has been in use for a while, with the sessions started, so that it knows what changed since. */
export async function aWarmProcess(
  keys: readonly string[] = ['a'],
  options?: BufferedActivityStorageOptions,
  idleTimeoutMs = IDLE,
  world = new World(),
) {
  const it = aProcess(world, options);
  for (const key of keys) await it.buffer.start(key, session(idleTimeoutMs, `id of ${key}`));
  // From its first news on it knows where to go on.
  await pass(SECOND);
  for (const key of keys) await it.buffer.read(key);
  it.connection.calls.length = 0;
  it.connection.sent.length = 0;
  return it;
}

export const now = () => Number.MAX_SAFE_INTEGER;

export const storedActivity = async ({ memory }: World, key = 'a') =>
  (await memory.read(key)).record?.lastActivityAt;
