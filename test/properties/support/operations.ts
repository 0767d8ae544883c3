import fc from 'fast-check';
import type {
  ActivityFeed,
  ActivityStorage,
  EndReason,
  ExpiredSession,
  Touch,
} from 'nestjs-idle-session';
import { newSession } from '../../support/new-session.js';

/** Two of them share a partition in every storage here. */
const KEYS = ['a', 'q', 'b'] as const;
/** One of each partition, that nobody touches. */
const FIRST = ['A', 'B'];

/** One call of a storage. Times are in units that {@link Scale} gives a length. */
export type Operation =
  | { readonly type: 'start'; readonly key: string; readonly timeout: number }
  | ({ readonly type: 'touch' } & Touching)
  | { readonly type: 'sync'; readonly touches: readonly Touching[] }
  | { readonly type: 'unlock'; readonly key: string; readonly timeout: number }
  | { readonly type: 'end'; readonly key: string; readonly reason: EndReason }
  | { readonly type: 'expire'; readonly limit: number }
  | { readonly type: 'pass'; readonly time: number };

interface Touching {
  readonly key: string;
  readonly timeout: number;
  /** Before now; undefined: at the very last activity. */
  readonly ago: number | undefined;
}

/** How long things are, in milliseconds. */
export interface Scale {
  readonly pass: (time: number) => number;
  readonly timeout: (timeout: number) => number;
  /** How long a session lives at most, which is more than any timeout; null: without limit. */
  readonly absoluteTimeoutMs: number | null;
  /** How long a session may stay idle before it is locked; null: it never is. */
  readonly lockAfterMs: number | null;
  /** @param index of the operation */
  readonly ago: (ago: number, index: number) => number;
  /** What of a span of time is compared. */
  readonly compare: (milliseconds: number) => number;
}

/** Storages that are asked the same. */
export interface Subject {
  readonly storage: ActivityStorage & Partial<ActivityFeed>;
  readonly pass: (milliseconds: number) => void | Promise<void>;
}

const key = fc.constantFrom(...KEYS);
const timeout = fc.integer({ min: 1, max: 5 });
const touching = {
  key,
  timeout,
  ago: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: -2, max: 5 }) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
};

const start = fc.record({ type: fc.constant('start' as const), key, timeout });
const touch = fc.record({ type: fc.constant('touch' as const), ...touching });
const sync = fc.record({
  type: fc.constant('sync' as const),
  touches: fc.uniqueArray(fc.record(touching), { maxLength: 3, selector: (each) => each.key }),
});
const unlock = fc.record({ type: fc.constant('unlock' as const), key, timeout });
const end = fc.record({
  type: fc.constant('end' as const),
  key,
  reason: fc.constantFrom<EndReason>('idle', 'idle', 'idle', 'absolute', 'signed-out'),
});
const expire = fc.record({
  type: fc.constant('expire' as const),
  limit: fc.integer({ min: 1, max: 4 }),
});
const pass = fc.record({
  type: fc.constant('pass' as const),
  time: fc.integer({ min: 1, max: 4 }),
});

/** How long after its deadline or its end a record is kept. */
export const RETENTION = 18;
/** A sweep comes at the latest after so many passes, so that it comes before a record is dropped. */
const PASSES_WITHOUT_SWEEP = 3;

export function operations(maxLength: number, feeds: boolean): fc.Arbitrary<Operation[]> {
  const any = fc.oneof(
    start,
    touch,
    touch,
    unlock,
    end,
    expire,
    pass,
    pass,
    ...(feeds ? [sync, sync] : []),
  );
  return fc.array(any, { maxLength, size: 'max' }).map((all) => {
    let passes = 0;
    return all.flatMap((each): Operation[] => {
      if (each.type === 'pass') passes++;
      if (each.type === 'expire') passes = 0;
      if (passes < PASSES_WITHOUT_SWEEP) return [each];
      passes = 0;
      return [each, { type: 'expire', limit: 1 }];
    });
  });
}

/** What a storage answers to all that, with its times as spans from now. */
export async function answersOf(
  { storage, pass }: Subject,
  all: readonly Operation[],
  scale: Scale,
): Promise<unknown[]> {
  const answers: unknown[] = [];
  const cursors = new Map<number, string | undefined>();
  const spans = ({ record, now, ...rest }: Awaited<ReturnType<ActivityStorage['read']>>) => ({
    ...rest,
    record: record && {
      ...record,
      startedAt: scale.compare(now - record.startedAt),
      authenticatedAt: scale.compare(now - record.authenticatedAt),
      lastActivityAt: scale.compare(now - record.lastActivityAt),
    },
  });
  const expiredSpans = ({ endedAt, ...session }: ExpiredSession) => ({
    ...session,
    startedAt: scale.compare(endedAt - session.startedAt),
    lastActivityAt: scale.compare(endedAt - session.lastActivityAt),
  });
  const sessionOf = (name: string, timeout: number) => ({
    ...newSession(scale.timeout(timeout), `id of ${name}`),
    absoluteTimeoutMs: scale.absoluteTimeoutMs,
    lockAfterMs: scale.lockAfterMs,
  });
  const timeOf = async (touched: Touching, index: number): Promise<number> => {
    const { record, now } = await storage.read(touched.key);
    if (touched.ago === undefined) return record?.lastActivityAt ?? now;
    return now - scale.ago(touched.ago, index);
  };

  // A feed has nothing to tell of a partition in which nothing ever was.
  for (const [index, name] of FIRST.entries()) {
    await storage.start(name, sessionOf(name, 1));
    const partition = storage.partitionOf?.(name) ?? index;
    const news = await storage.sync?.(partition, [], undefined);
    cursors.set(partition, news?.cursor);
  }
  for (const [index, each] of all.entries()) {
    switch (each.type) {
      case 'start': {
        const { key, timeout } = each;
        answers.push(spans(await storage.start(key, sessionOf(key, timeout))));
        break;
      }
      case 'touch': {
        const { key, timeout } = each;
        const at = await timeOf(each, index);
        answers.push(spans(await storage.touch(key, scale.timeout(timeout), at)));
        break;
      }
      case 'unlock':
        answers.push(spans(await storage.unlock!(each.key, scale.timeout(each.timeout))));
        break;
      case 'end':
        answers.push(spans(await storage.end(each.key, each.reason)));
        await storage.told?.([each.key]);
        break;
      case 'expire':
        answers.push((await expireAll(storage, each.limit)).map(expiredSpans));
        break;
      case 'pass':
        await pass(scale.pass(each.time));
        // However time passes: from here on, news are what comes after.
        for (const partition of cursors.keys()) {
          const news = await storage.sync?.(partition, [], undefined);
          cursors.set(partition, news?.cursor);
        }
        break;
      case 'sync': {
        const touches = new Map<number, Touch[]>();
        for (const name of KEYS) touches.set(storage.partitionOf!(name), []);
        for (const touched of each.touches) {
          touches.get(storage.partitionOf!(touched.key))!.push({
            key: touched.key,
            idleTimeoutMs: scale.timeout(touched.timeout),
            at: await timeOf(touched, index),
          });
        }
        for (const [partition, sent] of touches) {
          const news = await storage.sync!(partition, sent, cursors.get(partition));
          cursors.set(partition, news?.cursor);
          answers.push(news?.changed === 'all' ? 'all' : [...new Set(news?.changed)].sort());
        }
      }
    }
    for (const name of KEYS) answers.push(spans(await storage.read(name)));
    answers.push(await storage.count?.());
  }
  return answers;
}

async function expireAll(storage: ActivityStorage, limit: number): Promise<ExpiredSession[]> {
  const all: ExpiredSession[] = [];
  for (let more = true; more;) {
    const expiry = await storage.expire(limit);
    all.push(...expiry.expired);
    await storage.told?.(expiry.expired.map(({ key }) => key));
    more = expiry.more;
  }
  return all.sort((one, other) => (one.key < other.key ? -1 : 1));
}
