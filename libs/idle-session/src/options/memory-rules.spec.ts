import cluster from 'node:cluster';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Logger } from '@nestjs/common';
import expressSession, { Store } from 'express-session';
import { BufferedActivityStorage } from '../activity/buffer/buffered-activity-storage.js';
import { MemoryActivityStorage } from '../activity/memory-activity-storage.js';
import type { IdleSessionModuleOptions } from './idle-session.options.js';
import { resolveOptions } from './resolve-options.js';

const secret = 'a secret of more than sixteen characters';

class SharedStore extends Store {
  override get = () => {};
  override set = () => {};
  override destroy = () => {};
}

const memory = () => ({
  storage: new MemoryActivityStorage(),
  store: new expressSession.MemoryStore(),
});
const shared = () => ({
  storage: new BufferedActivityStorage(new MemoryActivityStorage()),
  store: new SharedStore(),
});

let warnings: string[];
beforeEach(() => {
  warnings = [];
});
afterEach(() => {
  jest.restoreAllMocks();
});
const logger = { warn: (message: string) => warnings.push(message) } as unknown as Logger;

type Kept = Pick<IdleSessionModuleOptions, 'storage'> & { store?: Store };

const start = ({ storage, store }: Kept) =>
  resolveOptions({ storage, session: { secret, store } }, logger);

describe('Sessions and their activity', () => {
  it('are not kept apart: a shared store needs a storage', () => {
    expect(() => start({ store: shared().store })).toThrow(
      /^Option "storage" got undefined; it takes a storage that all processes share, as they share session.store/,
    );
  });

  it('are not kept apart: a shared storage needs a store', () => {
    expect(() => start({ storage: shared().storage })).toThrow(
      /^Option "session.store" got undefined; it takes a store that all processes share, as they share storage/,
    );
  });

  it.each<[string, () => Kept]>([
    ['both left out', () => ({})],
    ['both in memory', memory],
    ['both shared', shared],
    ['a shared store, and memory that is meant', () => ({ ...memory(), store: shared().store })],
    ['a shared storage, and memory that is meant', () => ({ ...shared(), store: memory().store })],
    ['the store in memory, and the storage left out', () => ({ store: memory().store })],
    ['the storage in memory, and the store left out', () => ({ storage: memory().storage })],
  ])('may be given so: %s', (_, kept) => {
    expect(() => start(kept())).not.toThrow();
    expect(warnings).toEqual([]);
  });
});

describe('A worker of a cluster', () => {
  beforeEach(() => {
    jest.replaceProperty(cluster, 'isWorker', true);
  });

  it.each<[string, () => Kept]>([
    ['nothing', () => ({})],
    ['memory', memory],
    ['a shared store, and memory for the activity', () => ({ ...memory(), store: shared().store })],
    [
      'a shared storage, and memory for the sessions',
      () => ({ ...shared(), store: memory().store }),
    ],
  ])('is warned under each NODE_ENV, when it has %s', (_, kept) => {
    start(kept());
    expect(warnings).toEqual([
      expect.stringMatching(/^This process is one of several workers, and/),
    ]);
  });

  it('is not warned when all workers share both', () => {
    start(shared());
    expect(warnings).toEqual([]);
  });
});

describe('Memory in production', () => {
  beforeEach(() => {
    jest.replaceProperty(process, 'env', { ...process.env, NODE_ENV: 'production' });
  });

  it.each<[string, () => Kept]>([
    ['the default for both', () => ({})],
    ['the default for the store', () => ({ storage: memory().storage })],
    ['the default for the storage', () => ({ store: memory().store })],
  ])('is warned of where it is %s', (_, kept) => {
    start(kept());
    expect(warnings).toEqual([expect.stringMatching(/"storage" and "session.store".*memory/)]);
  });

  it.each<[string, () => Kept]>([
    ['was asked for', memory],
    ['is not used', shared],
  ])('is not warned of where it %s', (_, kept) => {
    start(kept());
    expect(warnings).toEqual([]);
  });
});
