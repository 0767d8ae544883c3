import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import expressSession, { type Store } from 'express-session';
import createMemorystore from 'memorystore';
import createFileStore from 'session-file-store';
import { expectEnded } from '../support/requests.js';
import { MINUTE, SECRET } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';
import { RecordingLogger } from '../support/recording-logger.js';

const start = testApps();

const Memorystore = createMemorystore(expressSession);
const FileStore = createFileStore(expressSession);

const directory = mkdtempSync(join(tmpdir(), 'idle-session-'));
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => void jest.restoreAllMocks());

/** An app whose store and clock share one time. */
async function startOn(store: Store, logger?: RecordingLogger) {
  const session = { secret: SECRET, store };
  const test = await start({ options: { absoluteTimeout: false, session }, logger });
  const began = Date.now() - test.clock.now();
  jest.spyOn(Date, 'now').mockImplementation(() => began + test.clock.now());
  return test;
}

const countRows = (store: Store) =>
  new Promise<number | undefined>((resolve, reject) =>
    store.length!((error: unknown, count) => (error ? reject(error as Error) : resolve(count))),
  );

describe.each<[string, () => Store]>([
  ['memorystore', () => new Memorystore({})],
  [
    'session-file-store',
    () => new FileStore({ path: directory, reapInterval: -1, retries: 0, logFn() {} }),
  ],
])('On %s, a session', (_, createStore) => {
  it('lives as long as the person is active, and is gone when they sign out', async () => {
    const store = createStore();
    const test = await startOn(store);
    const ada = await test.signedIn();
    for (let time = 0; time < 10; time++) {
      test.clock.advance(15 * MINUTE - 1);
      await ada.get('/page').expect(200, { user: 'ada' });
    }
    expect(await countRows(store)).toBe(1);
    await ada.post('/sign-out').expect(204);
    expect(await countRows(store)).toBe(0);
    await ada.get('/page').expect(200, { user: null });
  });

  it('ends when the person is idle, and its data goes', async () => {
    const store = createStore();
    const test = await startOn(store);
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await expectEnded(ada, 'idle');
    expect(await countRows(store)).toBe(0);
  });
});

it('A ttl of memorystore that is too short is warned of, and what it drops leaves one line', async () => {
  const logger = new RecordingLogger();
  const test = await startOn(new Memorystore({ ttl: 10 * MINUTE }), logger);
  expect(logger.warnings).toEqual([expect.stringContaining('ttl: 600000')]);
  const ada = await test.signedIn();
  test.clock.advance(11 * MINUTE);
  await expectEnded(ada, 'revoked');
  expect(logger.warnings.slice(1)).toEqual([
    expect.stringMatching(/^The data of live session .* is gone from the session store/),
  ]);
});
