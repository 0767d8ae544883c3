import { describe, expect, it } from '@jest/globals';
import { IdleSessionModule, type IdleSessionModuleOptions } from 'nestjs-idle-session';
import { statusOf } from '../support/requests.js';
import { SECRET, type TestAppOptions } from '../support/test-app.js';
import { RecordingLogger } from '../support/recording-logger.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

const WAYS: { way: string; importing: TestAppOptions['importing'] }[] = [
  { way: 'forRoot()', importing: (options) => [IdleSessionModule.forRoot(options)] },
  {
    way: 'forRootAsync()',
    importing: (options) => [IdleSessionModule.forRootAsync({ useFactory: async () => options })],
  },
];

/** What stopped the start, with all that was logged meanwhile. */
async function stopped(options: object, importing: TestAppOptions['importing']) {
  const logger = new RecordingLogger();
  const error = await start({
    options: options as Partial<IdleSessionModuleOptions>,
    importing,
    logger,
  }).catch((thrown: unknown) => thrown);
  if (!(error instanceof Error)) throw new Error('The app started.');
  return { error, printed: [error.stack, ...logger.errors, ...logger.warnings].join('\n') };
}

describe.each(WAYS)('An app with $way', ({ importing }) => {
  it('starts with nothing but a secret', async () => {
    const test = await start({ importing });
    await (await test.signedIn()).get('/page').expect(200, { user: 'ada' });
  });

  it.each<[object, string]>([
    [
      { idleTimeout: 'soon' },
      `Option "idleTimeout" got 'soon'; it takes a duration above zero: milliseconds, or a string such as '15m'`,
    ],
    [
      { idleTimeout: '1m', warnBefore: '2m' },
      `Option "warnBefore" got '2m'; it takes false or less than`,
    ],
    [{ idleTimeout: '13h' }, `Option "idleTimeout" got '13h'; it takes at most absoluteTimeout`],
    [{ idleTimout: '5m' }, 'Option "idleTimout" got a value; it takes nothing: there is no such'],
    [
      { session: { cookie: { maxAge: 1000 } } },
      'Option "session.cookie.maxAge" got 1000; it takes nothing, so that the session ends with the',
    ],
    [
      { session: { secret: 'too short' } },
      'Option "session.secret" got a string of 9 characters; it takes a',
    ],
    [{ session: { secret: undefined } }, 'Option "session.secret" got undefined; it takes '],
    [{ session: { secret: [] } }, 'Option "session.secret" got []; it takes '],
    [{ loginUrl: '//evil.example' }, `Option "loginUrl" got '//evil.example'; it takes a path`],
    [
      { storage: {} },
      'Option "storage" got an object; it takes an ActivityStorage (with read, start,',
    ],
    [{ onStorageError: 'ignore' }, `Option "onStorageError" got 'ignore'; it takes 'reject' or`],
  ])('does not start with %j, and says why', async (options, message) => {
    const { error, printed } = await stopped(options, importing);
    expect(error.name).toBe('IdleSessionOptionsError');
    expect(error.message).toContain(message);
    expect(printed).not.toContain('too short');
  });

  it('does not start without session options', async () => {
    const { error } = await stopped({}, (options) =>
      importing!({ ...options, session: undefined } as unknown as IdleSessionModuleOptions),
    );
    expect(error.message).toBe(
      'Option "session" got undefined; it takes the options of express-session, with at least a secret.',
    );
  });

  it('never prints the secret, whatever stops the start', async () => {
    for (const options of [
      { session: { secret: [undefined, SECRET] } },
      { session: { secret: SECRET, unknown: 1 } },
      { session: { secret: SECRET }, unknown: 1 },
    ]) {
      const { printed } = await stopped(options, importing);
      expect(printed).not.toContain(SECRET);
    }
    const inPlace = await stopped({}, (options) =>
      importing!({ ...options, session: SECRET } as unknown as IdleSessionModuleOptions),
    );
    expect(inPlace.printed).not.toContain(SECRET);
  });

  // A default follows what it belongs to: the warning of two minutes would begin before the session.
  it('starts with nothing but an idle timeout, and warns within it', async () => {
    const logger = new RecordingLogger();
    const test = await start({ options: { idleTimeout: '60s' }, importing, logger });
    const ada = await test.signedIn();
    expect(await statusOf(ada)).toMatchObject({ state: 'active', warnBeforeMs: 20_000 });
    test.clock.advance(40_000);
    expect(await statusOf(ada)).toMatchObject({ state: 'warning', expiresInMs: 20_000 });
    expect(logger.warnings).toEqual([]);
  });

  it('starts with a warning that is too short for many, and logs the clause', async () => {
    const logger = new RecordingLogger();
    const test = await start({ options: { warnBefore: '10s' }, importing, logger });
    expect(logger.warnings).toEqual([expect.stringContaining('WCAG 2.2, success criterion 2.2.1')]);
    await (await test.signedIn()).get('/page').expect(200);
  });
});

describe('forRoot() with a wrong path', () => {
  it.each(['', '/', '../x', 'a b', ':id', 7])('stops the start: %p', async (path) => {
    const { error } = await stopped({ path }, (options) => [IdleSessionModule.forRoot(options)]);
    expect(error.message).toContain(`Option "path" got `);
    expect(error.message).toContain(`it takes false or a path such as 'idle-session'`);
  });
});

describe('forRoot() without anything', () => {
  it('says what is missing', () => {
    const forRoot = IdleSessionModule.forRoot.bind(IdleSessionModule) as (
      options?: unknown,
    ) => unknown;
    expect(() => forRoot()).toThrow(/Option "options" got undefined; it takes the options object/);
  });
});
