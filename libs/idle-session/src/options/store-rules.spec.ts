import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Logger } from '@nestjs/common';
import { RedisStore } from 'connect-redis';
import expressSession, { Store } from 'express-session';
import { warnOfStore } from './store-rules.js';

const MINUTE = 60_000;

let warnings: string[];
beforeEach(() => {
  warnings = [];
});
const logger = { warn: (message: string) => warnings.push(message) } as unknown as Logger;

const redis = (options: object) => new RedisStore({ client: {} as never, ...options });

/** A store that keeps its options as the package does. */
function storeNamed(name: string, options: object): Store {
  class NamedStore extends Store {
    override get = () => {};
    override set = () => {};
    override destroy = () => {};
    readonly options = options;
  }
  Object.defineProperty(NamedStore, 'name', { value: name });
  return new NamedStore();
}

describe('A store that drops sessions of people who are active', () => {
  it.each<[string, Store, number | null, RegExp]>([
    ['connect-redis, disableTouch', redis({ disableTouch: true }), 15 * MINUTE, /disableTouch/],
    ['connect-redis, disableTouch', redis({ disableTouch: true }), null, /disableTouch/],
    ['connect-redis, a ttl function', redis({ ttl: () => 60 }), 15 * MINUTE, /a function as ttl/],
    [
      'connect-mongo',
      storeNamed('MongoStore', { touchAfter: 86_400 }),
      15 * MINUTE,
      /touchAfter: 86400/,
    ],
    ['session-file-store', storeNamed('FileStore', { ttl: 3600 }), 16 * MINUTE, /ttl: 3600/],
    ['memorystore', storeNamed('MemoryStore', { ttl: 10 * MINUTE }), 15 * MINUTE, /ttl: 600000/],
  ])('is warned of at start: %s', (_, store, idleTimeoutMs, pattern) => {
    warnOfStore(store, idleTimeoutMs, logger);
    expect(warnings).toEqual([expect.stringMatching(pattern)]);
    expect(warnings[0]).toMatch(/^Option "session.store" has .*people who are active/);
  });

  it.each<[string, Store, number | null]>([
    ['connect-redis', redis({}), 15 * MINUTE],
    [
      'connect-redis, a short ttl, since the date of the session wins',
      redis({ ttl: 60 }),
      15 * MINUTE,
    ],
    ['connect-mongo', storeNamed('MongoStore', { touchAfter: 0 }), 15 * MINUTE],
    [
      'connect-mongo, within two timeouts',
      storeNamed('MongoStore', { touchAfter: 1800 }),
      15 * MINUTE,
    ],
    ['session-file-store', storeNamed('FileStore', { ttl: 3600 }), 15 * MINUTE],
    ['memorystore', storeNamed('MemoryStore', {}), 15 * MINUTE],
    ['express-session', new expressSession.MemoryStore(), 15 * MINUTE],
    ['a timeout that nobody knows', storeNamed('MongoStore', { touchAfter: 86_400 }), null],
  ])('is not one that keeps them: %s', (_, store, idleTimeoutMs) => {
    warnOfStore(store, idleTimeoutMs, logger);
    expect(warnings).toEqual([]);
  });
});
