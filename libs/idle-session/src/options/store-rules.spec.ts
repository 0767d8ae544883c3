import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Logger } from '@nestjs/common';
import MongoStore from 'connect-mongo';
import { RedisStore } from 'connect-redis';
import expressSession, { type Store } from 'express-session';
import createMemorystore from 'memorystore';
import createFileStore from 'session-file-store';
import { warnOfStore } from './store-rules.js';

const MINUTE = 60_000;

const Memorystore = createMemorystore(expressSession);
const FileStore = createFileStore(expressSession);

let warnings: string[];
beforeEach(() => {
  warnings = [];
});
const logger = { warn: (message: string) => warnings.push(message) } as unknown as Logger;

const redis = (options: object) => new RedisStore({ client: {} as never, ...options });

const directory = mkdtempSync(join(tmpdir(), 'idle-session-'));
afterAll(() => rmSync(directory, { recursive: true }));

const files = (options: object) =>
  new FileStore({ path: directory, reapInterval: -1, logFn() {}, ...options });
const memory = (options: ConstructorParameters<typeof Memorystore>[0]) => new Memorystore(options);

/** It asks MongoDB for a collection as it starts, and for nothing else. */
const mongo = (options: object) =>
  new MongoStore({
    client: { db: () => ({ collection: () => ({}) }) } as never,
    autoRemove: 'disabled',
    ...options,
  });

describe('A store that drops sessions of people who are active', () => {
  it.each<[string, Store, number | null, RegExp]>([
    ['connect-redis, disableTouch', redis({ disableTouch: true }), 15 * MINUTE, /disableTouch/],
    ['connect-redis, disableTouch', redis({ disableTouch: true }), null, /disableTouch/],
    ['connect-redis, a ttl function', redis({ ttl: () => 60 }), 15 * MINUTE, /a function as ttl/],
    ['connect-mongo', mongo({ touchAfter: 86_400 }), 15 * MINUTE, /touchAfter: 86400/],
    ['session-file-store, as it is', files({}), 16 * MINUTE, /ttl: 3600/],
    ['session-file-store, a short ttl', files({ ttl: 600 }), 15 * MINUTE, /ttl: 600/],
    ['memorystore', memory({ ttl: 10 * MINUTE }), 15 * MINUTE, /ttl: 600000/],
    [
      'memorystore, a ttl function',
      memory({ ttl: () => MINUTE }),
      15 * MINUTE,
      /a function as ttl/,
    ],
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
    ['connect-mongo, as it is', mongo({}), 15 * MINUTE],
    [
      'connect-mongo, a short ttl, since the date of the session wins',
      mongo({ ttl: 60 }),
      15 * MINUTE,
    ],
    ['connect-mongo, within two timeouts', mongo({ touchAfter: 1800 }), 15 * MINUTE],
    ['session-file-store, as it is', files({}), 15 * MINUTE],
    ['memorystore, as it is', memory({}), 15 * MINUTE],
    ['memorystore, a ttl of four timeouts', memory({ ttl: 60 * MINUTE }), 15 * MINUTE],
    ['express-session', new expressSession.MemoryStore(), 15 * MINUTE],
    ['a timeout that nobody knows', mongo({ touchAfter: 86_400 }), null],
  ])('is not one that keeps them: %s', (_, store, idleTimeoutMs) => {
    warnOfStore(store, idleTimeoutMs, logger);
    expect(warnings).toEqual([]);
  });
});
