import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryActivityStorage } from 'nestjs-idle-session';
import { ExpiredSessionSweeper } from '../../libs/idle-session/src/session/expired-session.sweeper.js';
import { Stopwatch } from '../support/stopwatch.js';
import { createTestApp, SECRET, type TestApp } from '../support/test-app.js';
import { sessionIdOf, signInCookie } from '../support/cookies.js';
import { MinimalStore } from '../support/minimal-store.js';
import { RecordingLogger } from '../support/recording-logger.js';

const never = () => new Promise<never>(() => {});
const rejecting = () => Promise.reject(new Error('on purpose'));
const throwing = () => {
  throw new Error('on purpose');
};

let test: TestApp;
let store: MinimalStore;
let storage: MemoryActivityStorage;
let Cookie: string;
let unhandled: unknown[];
const logger = new RecordingLogger();
const note = (error: unknown) => unhandled.push(error);

beforeEach(async () => {
  unhandled = [];
  process.on('unhandledRejection', note);
  store = new MinimalStore();
  storage = new MemoryActivityStorage();
  test = await createTestApp({
    options: { storageTimeout: 200, storage, session: { secret: SECRET, store } },
    configure: (app) => app.useLogger(logger),
  });
  Cookie = await signInCookie(test);
  logger.lines.length = 0;
});
afterEach(async () => {
  jest.restoreAllMocks();
  await test.app.close();
  process.off('unhandledRejection', note);
});

async function expectUnavailable(): Promise<void> {
  await test.browser().get('/page').set({ Cookie }).expect(503);
  await test.browser().get('/idle-session/status').set({ Cookie }).expect(503);
  expect(logger.errors).toHaveLength(1);
  expect(logger.errors[0]).not.toContain(sessionIdOf(Cookie));
  expect(unhandled).toEqual([]);
}

type Reading = Awaited<ReturnType<MemoryActivityStorage['read']>>;
const withRecord = (change: object) => (reading: Reading) => ({
  ...reading,
  record: { ...reading.record, ...change },
});

describe.each<[string, (reading: Reading) => unknown]>([
  ['answers nothing', () => undefined],
  ['answers null', () => null],
  ['answers text', () => 'record'],
  ['answers NaN for the time', (reading) => ({ ...reading, now: NaN })],
  ['answers no time', ({ record }) => ({ record })],
  ['answers text for the time', (reading) => ({ ...reading, now: String(reading.now) })],
  ['answers null for the record', (reading) => ({ ...reading, record: null })],
  ['answers text for the record', (reading) => ({ ...reading, record: 'record' })],
  ['answers an empty record', (reading) => ({ ...reading, record: {} })],
  ['does not know the last activity', withRecord({ lastActivityAt: NaN })],
  ['does not know the idle timeout', withRecord({ idleTimeoutMs: undefined })],
  ['does not know the start', withRecord({ startedAt: 'yesterday' })],
  ['does not know the absolute timeout', withRecord({ absoluteTimeoutMs: undefined })],
  ['answers null for the end', withRecord({ ended: null })],
])('A storage that %s', (_, spoil) => {
  it('is answered 503, and one line is logged: nothing is taken for a live session', async () => {
    const read = storage.read.bind(storage);
    jest.spyOn(storage, 'read').mockImplementation(async (key) => spoil(await read(key)) as never);
    await expectUnavailable();
    expect(logger.errors[0]).toMatch(
      /^The activity storage \(read\) answers what cannot be used: /,
    );
  });
});

function leaveOut(field: 'won' | 'started', operation: 'end' | 'start'): void {
  const own = storage[operation].bind(storage) as (...given: unknown[]) => Promise<object>;
  jest.spyOn(storage, operation).mockImplementation((async (...given: unknown[]) => ({
    ...(await own(...given)),
    [field]: undefined,
  })) as never);
}

it('A storage whose start() does not say whether it started is answered 503', async () => {
  leaveOut('started', 'start');
  await test.browser().post('/sign-in').set({ Cookie }).expect(503);
  expect(logger.errors).toHaveLength(1);
});

it('A storage whose end() does not say whether it won hinders no sign-out, and is logged', async () => {
  leaveOut('won', 'end');
  await test.browser().post('/idle-session/sign-out').set({ Cookie }).expect(204);
  await test.browser().get('/members').set({ Cookie }).expect(401);
  expect(logger.errors).toEqual([
    expect.stringMatching(/^The activity storage \(end\) answers what cannot be used: /),
    expect.stringMatching(/^The activity storage did not take the end of session /),
  ]);
});

it.each([[undefined], [null], [{}], [{ expired: 'none' }]])(
  'A storage whose expire() answers %p is logged, and ends nothing',
  async (answer) => {
    jest.spyOn(storage, 'expire').mockResolvedValue(answer as never);
    const sweeper = test.app.get(ExpiredSessionSweeper);
    await sweeper.sweep();
    await sweeper.sweep();
    expect(logger.errors).toEqual([expect.stringMatching(/^The activity storage \(expire\) /)]);
    expect(unhandled).toEqual([]);
  },
);

describe.each<[string, () => unknown]>([
  ['never settles', never],
  ['rejects', rejecting],
  ['throws', throwing],
])('What %s', (_, does) => {
  it('in read() of the storage is answered 503', async () => {
    jest.spyOn(storage, 'read').mockImplementation(does as never);
    await test.browser().get('/page').set({ Cookie }).expect(503);
    expect(logger.errors).toHaveLength(1);
    expect(unhandled).toEqual([]);
  });

  const isRefused = does !== never;
  const outcome = isRefused ? 'holds up nobody who is in time' : 'is answered 503';
  it(`in touch() of the storage ${outcome}, and is logged once`, async () => {
    jest.spyOn(storage, 'touch').mockImplementation(does as never);
    const page = () => test.browser().get('/page').set({ Cookie });
    await page().expect(isRefused ? 200 : 503);
    await page().expect(isRefused ? 200 : 503);
    expect(logger.errors).toHaveLength(1);
    expect(unhandled).toEqual([]);
  });

  it('in get() of the session store is answered 503', async () => {
    jest.spyOn(store, 'get').mockImplementation(does as never);
    await expectUnavailable();
  });

  it.each(['set', 'destroy'] as const)(
    'in %s() of the session store is answered 503',
    async (method) => {
      jest.spyOn(store, method).mockImplementation(does as never);
      await test.browser().post('/sign-in').set({ Cookie }).expect(503);
      expect(logger.errors.length).toBeGreaterThan(0);
      expect(unhandled).toEqual([]);
    },
  );

  it('in flush() of the storage does not keep the app from closing', async () => {
    Object.assign(storage, { flush: does });
    const stopwatch = new Stopwatch();
    await test.app.close();
    expect(stopwatch.stop()).toBeLessThan(2000);
    expect(logger.errors).toEqual([expect.stringMatching(/^The activity storage \(flush\) /)]);
    expect(unhandled).toEqual([]);
  });
});
