import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { IdleSessionService, type IdleSessionModuleOptions } from 'nestjs-idle-session';
import { PATIENCE_MS } from '../support/durations.js';
import { Stopwatch } from '../support/stopwatch.js';
import { createTestApp, MINUTE, SECRET, type TestApp } from '../support/test-app.js';
import { signInCookie } from '../support/cookies.js';
import { RecordingLogger } from '../support/recording-logger.js';

const never = () => new Promise<never>(() => {});
const rejecting = () => Promise.reject(new Error('on purpose'));
const throwing = () => {
  throw new Error('on purpose');
};
/** A promise of another library. */
// oxlint-disable-next-line unicorn/no-thenable
const thenable = (value: unknown) => ({ then: (done: (value: unknown) => void) => done(value) });

let test: TestApp | undefined;
let unhandled: unknown[];
const note = (error: unknown) => unhandled.push(error);
beforeEach(() => {
  unhandled = [];
  process.on('unhandledRejection', note);
});
afterEach(async () => {
  await test?.app.close();
  test = undefined;
  process.off('unhandledRejection', note);
});

/** An app whose function does what the test says, once it is signed in. */
async function createApp(
  option: string,
  before: unknown,
): Promise<{ logger: RecordingLogger; now: { does: (...given: never[]) => unknown } }> {
  const logger = new RecordingLogger();
  const now = { does: (() => before) as (...given: never[]) => unknown };
  const call = (...given: never[]) => now.does(...given);
  const options =
    option === 'session.genid'
      ? { session: { secret: SECRET, genid: call } }
      : { [option]: call, warnBefore: false };
  test = await createTestApp({
    options: { storageTimeout: 300, ...(options as Partial<IdleSessionModuleOptions>) },
    configure: (app) => app.useLogger(logger),
  });
  return { logger, now };
}

const wrong: [string, unknown, string, () => unknown][] = [
  ['idleTimeout', '15m', 'never settles', never],
  ['idleTimeout', '15m', 'rejects', rejecting],
  ['idleTimeout', '15m', 'throws', throwing],
  ['idleTimeout', '15m', 'returns nothing', () => undefined],
  ['idleTimeout', '15m', 'returns a thenable of nothing', () => thenable(undefined)],
  ['appliesTo', true, 'never settles', never],
  ['appliesTo', true, 'rejects', rejecting],
  ['appliesTo', true, 'throws', throwing],
  ['appliesTo', true, 'returns a promise of false', async () => false],
  ['appliesTo', true, 'returns a thenable', () => thenable(true)],
  ['appliesTo', true, 'returns nothing', () => undefined],
];

describe.each(wrong)('%s(), returning %p before, that %s', (option, before, _, does) => {
  it('fails the request with an error that names the option, in time, and nothing else', async () => {
    const { logger, now } = await createApp(option, before);
    const Cookie = await signInCookie(test!);
    now.does = does;
    const stopwatch = new Stopwatch();
    await test!.browser().get('/page').set({ Cookie }).expect(500);
    expect(stopwatch.stop()).toBeLessThan(2000);
    expect(logger.errors.join('\n')).toContain(`Option "${option}"`);
    expect(unhandled).toEqual([]);
    now.does = () => before;
    await test!.browser().get('/page').set({ Cookie }).expect(200, { user: 'ada' });
  });
});

it('An idleTimeout that comes as a thenable holds', async () => {
  const { now } = await createApp('idleTimeout', '15m');
  const Cookie = await signInCookie(test!);
  now.does = () => thenable('5m');
  const { body } = await test!.browser().get('/idle-session/status').set({ Cookie }).expect(200);
  expect(body.idleTimeoutMs).toBe(300_000);
});

describe.each([
  ['ownerOf', 'never settles', never],
  ['ownerOf', 'rejects', rejecting],
  ['ownerOf', 'throws', throwing],
  ['ownerOf', 'returns a thenable', () => thenable('ada')],
  ['ownerOf', 'returns a number', () => 7],
  ['session.genid', 'never settles', never],
  ['session.genid', 'rejects', rejecting],
  ['session.genid', 'throws', throwing],
  ['session.genid', 'returns a thenable', () => thenable('id')],
  ['session.genid', 'returns nothing', () => undefined],
] as [string, string, () => unknown][])('%s() that %s', (option, _, does) => {
  it('signs nobody in, with an error that names the option', async () => {
    const { logger, now } = await createApp(option, 'an-id-or-owner');
    now.does = does;
    const browser = test!.browser();
    const response = await browser.post('/sign-in').expect(500);
    now.does = () => 'an-id-or-owner';
    await browser.get('/page').expect(200, { user: null });
    expect(`${logger.errors.join('\n')} ${response.text}`).toContain(`Option "${option}"`);
    expect(unhandled).toEqual([]);
  });
});

it.each([[''], [null], [undefined]])('ownerOf() that returns %p knows nobody', async (nobody) => {
  const { now } = await createApp('ownerOf', 'ada');
  now.does = () => nobody;
  const ada = await test!.signedIn();
  await ada.get('/page').expect(200);
  await ada.get('/idle-session/draft-key').expect(404);
});

describe('session.genid() that throws', () => {
  it.each(['app-sid=x', 'app-sid=x; app-sid=y'])(
    'fails the request and not the process, with the cookies %s',
    async (Cookie) => {
      const { logger, now } = await createApp('session.genid', 'an id');
      now.does = throwing;
      await test!.browser().get('/page').set({ Cookie }).timeout(PATIENCE_MS).expect(500);
      expect(logger.errors.join('\n')).toContain('Option "session.genid"');
      expect(unhandled).toEqual([]);
    },
  );
});

describe('isActivity() of protect()', () => {
  it.each<[string, () => unknown]>([
    ['throws', throwing],
    ['rejects', rejecting],
    ['returns a promise of false', async () => false],
    ['returns nothing', () => undefined],
  ])(
    'that %s fails the request with an error that names it, and is no activity',
    async (_, does) => {
      const logger = new RecordingLogger();
      test = await createTestApp({
        configure: (app) => {
          app.useLogger(logger);
          const isActivity = does as () => boolean;
          app.use('/protected', app.get(IdleSessionService).protect({ isActivity }));
        },
      });
      const Cookie = await signInCookie(test);
      test.clock.advance(MINUTE);
      await test.browser().get('/protected').set({ Cookie }).timeout(PATIENCE_MS).expect(500);
      expect(logger.errors.join('\n')).toContain('Option "isActivity"');
      expect(unhandled).toEqual([]);
      const { body } = await test.browser().get('/idle-session/status').set({ Cookie }).expect(200);
      expect(body.expiresInMs).toBe(14 * MINUTE);
    },
  );
});
