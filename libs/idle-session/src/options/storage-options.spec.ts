import { describe, expect, it } from '@jest/globals';
import expressSession from 'express-session';
import { BufferedActivityStorage } from '../activity/buffer/buffered-activity-storage.js';
import { MemoryActivityStorage } from '../activity/memory-activity-storage.js';
import { RedisActivityStorage } from '../redis/redis-activity-storage.js';
import type { Duration } from '../utils/duration.js';
import { resolveOptions } from './resolve-options.js';
import { logger, SECRET } from './resolve-options.spec-support.js';

const client = { eval: async () => {}, evalSha: async () => {} };
const buffer = 'syncInterval, touchInterval, rememberedSessions';

describe('An option that there is not', () => {
  it.each<[string, (options: object) => unknown, string]>([
    ['MemoryActivityStorage', (options) => new MemoryActivityStorage(options), 'retention, now'],
    [
      'RedisActivityStorage',
      (options) => new RedisActivityStorage(client, options),
      `prefix, retention, subscriber, ${buffer}`,
    ],
    [
      'BufferedActivityStorage',
      (options) => new BufferedActivityStorage(new MemoryActivityStorage(), options),
      buffer,
    ],
  ])('stops a %s, which names those that there are', (_, create, names) => {
    expect(() => create({ retentions: '24h' })).toThrow(
      `Option "retentions" got a value; it takes nothing: there is no such option, only ${names}.`,
    );
    expect(() => create({})).not.toThrow();
  });
});

describe('The prefix of a RedisActivityStorage', () => {
  const create = (prefix: unknown) => () => new RedisActivityStorage(client, { prefix } as object);

  it.each([null, 5, {}])('is refused where it is no string: %p', (prefix) => {
    expect(create(prefix)).toThrow(/^Option "prefix" got .*; it takes a string\.$/);
  });

  it.each(['desk:', '', undefined])('may be %p', (prefix) => {
    expect(create(prefix)).not.toThrow();
  });
});

describe('The subscriber of a RedisActivityStorage', () => {
  const connection = { ...client, subscribe: async () => {}, on() {} };
  const ofIoredis = { ...connection, evalsha: async () => {} };

  it.each([
    ['ioredis', { ...ofIoredis, isCluster: false }],
    ['node-redis with RESP2', { ...connection, options: { RESP: 2 } }],
  ])('is refused where it is the client itself, whose commands it would refuse: %s', (_, same) => {
    expect(() => new RedisActivityStorage(same, { subscriber: same } as object)).toThrow(
      'Option "subscriber" got an object; it takes a connection of its own, such as client.duplicate(): with messages, the client takes no commands.',
    );
    const subscriber = { ...same };
    expect(() => new RedisActivityStorage(same, { subscriber } as object)).not.toThrow();
  });

  it.each([
    ['a cluster of ioredis', { ...ofIoredis, isCluster: true }],
    ['a cluster or sentinel of node-redis', connection],
    ['node-redis with RESP3', { ...connection, options: { RESP: 3 } }],
  ])('may be the client itself: %s', (_, same) => {
    expect(() => new RedisActivityStorage(same, { subscriber: same } as object)).not.toThrow();
  });
});

describe('Options of a class', () => {
  class Settings {
    get touchInterval() {
      return 'soon' as Duration;
    }
  }

  it.each<[string, (options: object) => unknown]>([
    ['RedisActivityStorage', (options) => new RedisActivityStorage(client, options)],
    [
      'BufferedActivityStorage',
      (options) => new BufferedActivityStorage(new MemoryActivityStorage(), options),
    ],
  ])('reach a %s by its getters', (_, create) => {
    expect(() => create(new Settings())).toThrow('Option "touchInterval" got \'soon\'');
  });

  it('reach the module by its getters, also those of the session and of its cookie', () => {
    const store = new expressSession.MemoryStore();
    class CookieSettings {
      get secure() {
        return true;
      }
    }
    class SessionSettings {
      secret = SECRET;
      get store() {
        return store;
      }
      get cookie() {
        return new CookieSettings();
      }
    }
    class ModuleSettings {
      get session() {
        return new SessionSettings();
      }
      get lockAfter() {
        return '5m' as Duration;
      }
      get loginUrl() {
        return '/login';
      }
    }
    const resolved = resolveOptions(new ModuleSettings(), logger);
    expect(resolved).toMatchObject({ lockAfterMs: 300_000, loginUrl: '/login' });
    expect(resolved.session.store).toBe(store);
    expect(resolved.session).toMatchObject({ name: '__Host-app-sid', cookie: { secure: true } });
  });
});
