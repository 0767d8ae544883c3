import { describe, expect, it, jest } from '@jest/globals';
import { Module, type DynamicModule } from '@nestjs/common';
import { IdleSessionModule, MemoryActivityStorage } from 'nestjs-idle-session';
import { serverTiming } from '../support/server-timing.js';
import { MINUTE, SECRET, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

/** Feature modules that import what a feature of an app may. */
const features = (one: DynamicModule, two: DynamicModule) => {
  @Module({ imports: [one] })
  class OneModule {}
  @Module({ imports: [two] })
  class TwoModule {}
  return [OneModule, TwoModule];
};

const ownerOf = () => 'ada';

describe('IdleSessionModule, imported more than once,', () => {
  it.each<[string, NonNullable<TestAppOptions['importing']>]>([
    [
      'as the same dynamic module in two modules',
      (options) => {
        const module = IdleSessionModule.forRoot(options);
        return features(module, module);
      },
    ],
    [
      'as the same dynamic module in the root module and in another',
      (options) => {
        const module = IdleSessionModule.forRoot(options);
        return [module, ...features(module, module)];
      },
    ],
    [
      'by forRoot() with the same options object',
      (options) => features(IdleSessionModule.forRoot(options), IdleSessionModule.forRoot(options)),
    ],
    [
      'by forRoot() with equal options',
      (options) => {
        const copy = () => ({ ...options, ownerOf, session: { ...options.session } });
        return features(IdleSessionModule.forRoot(copy()), IdleSessionModule.forRoot(copy()));
      },
    ],
    [
      'by forRootAsync() with equal options',
      (options) =>
        features(
          IdleSessionModule.forRootAsync({ useFactory: () => ({ ...options }) }),
          IdleSessionModule.forRootAsync({ useFactory: async () => ({ ...options }) }),
        ),
    ],
  ])('%s, does everything once', async (_, importing) => {
    const test = await start({ importing });
    const touch = jest.spyOn(test.storage, 'touch');
    const ada = await test.signedIn();
    test.clock.advance(MINUTE);

    await ada.get('/page').expect(200).expect('Server-Timing', serverTiming('active', 900_000));
    expect(touch).toHaveBeenCalledTimes(1);
    expect(test.events.map(({ type }) => type)).toEqual(['started']);

    const { headers } = await ada.get('/idle-session/status').expect(200);
    expect(headers['server-timing']).toMatch(serverTiming('active', 900_000));
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401);
    expect(test.events.map(({ type }) => type)).toEqual(['started', 'expired']);
  });

  it.each<[string, object, object]>([
    ['another idleTimeout', { idleTimeout: '10m' }, {}],
    ['an option that the other has not', {}, { loginUrl: '/login' }],
    [
      'another storage',
      { storage: new MemoryActivityStorage() },
      { storage: new MemoryActivityStorage({ retention: '1h' }) },
    ],
    ['another secret', {}, { session: { secret: `${SECRET}!` } }],
    ['another function', { ownerOf: () => 'ada' }, { ownerOf: () => 'ada' }],
    ['another path', { path: 'one' }, { path: 'two' }],
    ['a path that the other has not', {}, { path: false }],
  ])('with different options does not start, and says so: %s', async (_, one, two) => {
    const starting = start({
      importing: (options) =>
        features(
          IdleSessionModule.forRoot({ ...options, ...one }),
          IdleSessionModule.forRoot({ ...options, ...two }),
        ),
    });
    await expect(starting).rejects.toThrow(
      /IdleSessionModule is configured twice, with different options.* once, in the root module/,
    );
    const error = (await starting.catch((thrown: unknown) => thrown)) as Error;
    expect(error.message).not.toContain(SECRET);
  });
});

describe('IdleSessionModule, imported as the bare class,', () => {
  it.each<[string, NonNullable<TestAppOptions['importing']>]>([
    ['alone', () => [IdleSessionModule]],
    [
      'beside a configured one',
      (options) => [IdleSessionModule.forRoot(options), IdleSessionModule],
    ],
  ])('%s, never serves unguarded', async (_, importing) => {
    const test = await start({ importing }).catch((error: unknown) => error as Error);
    if (test instanceof Error) return expect(test.message).toContain('IdleSessionModule');
    const ada = await test.signedIn();
    test.clock.advance(15 * MINUTE);
    await ada.get('/page').expect(401);
  });
});
