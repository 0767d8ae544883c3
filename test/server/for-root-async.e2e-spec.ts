import { describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import {
  IdleSessionModule,
  type IdleSessionModuleOptions,
  type IdleSessionOptionsFactory,
} from 'nestjs-idle-session';
import { MINUTE, SECRET, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { testApps } from '../support/test-apps.js';

const start = testApps();

async function idleTimeoutOf(test: TestApp, path = '/idle-session'): Promise<number> {
  const ada = await test.signedIn();
  const { body } = await ada.get(`${path}/status`).expect(200);
  return (body as { idleTimeoutMs: number }).idleTimeoutMs;
}

@Injectable()
class SevenMinutes implements IdleSessionOptionsFactory {
  static made = 0;

  constructor() {
    SevenMinutes.made++;
  }

  async createIdleSessionOptions(): Promise<IdleSessionModuleOptions> {
    return { idleTimeout: '7m', session: { secret: SECRET } };
  }
}

@Module({ providers: [SevenMinutes], exports: [SevenMinutes] })
class SettingsModule {}

const configured = ConfigModule.forRoot({
  ignoreEnvFile: true,
  load: [() => ({ IDLE_TIMEOUT: '9m', SESSION_SECRET: SECRET })],
});

const importing = (
  options: Parameters<typeof IdleSessionModule.forRootAsync>[0],
): TestAppOptions => ({ importing: () => [IdleSessionModule.forRootAsync(options)] });

describe('forRootAsync()', () => {
  it.each([
    ['a factory', () => ({ idleTimeout: '5m', session: { secret: SECRET } })],
    ['an async factory', async () => ({ idleTimeout: '5m', session: { secret: SECRET } })],
  ])('takes its options from %s', async (_, useFactory) => {
    expect(await idleTimeoutOf(await start(importing({ useFactory })))).toBe(5 * MINUTE);
  });

  it('gives the factory what it injects from what it imports', async () => {
    const test = await start(
      importing({
        imports: [configured],
        inject: [ConfigService],
        useFactory: (config: ConfigService) => ({
          idleTimeout: config.getOrThrow<string>('IDLE_TIMEOUT'),
          session: { secret: config.getOrThrow<string>('SESSION_SECRET') },
        }),
      }),
    );
    expect(await idleTimeoutOf(test)).toBe(9 * MINUTE);
  });

  it('makes an instance of useClass and asks it', async () => {
    SevenMinutes.made = 0;
    expect(await idleTimeoutOf(await start(importing({ useClass: SevenMinutes })))).toBe(
      7 * MINUTE,
    );
    expect(SevenMinutes.made).toBe(1);
  });

  it('asks the instance that useExisting names', async () => {
    SevenMinutes.made = 0;
    const test = await start(importing({ imports: [SettingsModule], useExisting: SevenMinutes }));
    expect(await idleTimeoutOf(test)).toBe(7 * MINUTE);
    expect(SevenMinutes.made).toBe(1);
  });

  it('asks a factory once', async () => {
    let asked = 0;
    await start(
      importing({
        useFactory: () => {
          asked++;
          return { session: { secret: SECRET } };
        },
      }),
    );
    expect(asked).toBe(1);
  });

  it('takes the path beside the factory', async () => {
    const test = await start(importing({ path: 'auth/idle', useClass: SevenMinutes }));
    expect(await idleTimeoutOf(test, '/auth/idle')).toBe(7 * MINUTE);
    await test.browser().get('/idle-session/status').expect(404);
  });

  it('mounts no endpoints with path: false beside the factory', async () => {
    const test = await start(importing({ path: false, useClass: SevenMinutes }));
    await test.browser().get('/idle-session/status').expect(404);
    await (await test.signedIn()).get('/page').expect(200);
  });

  it.each([
    ['forRootAsync()', (settings: object) => importing({ useFactory: () => settings as never })],
    [
      'forRoot()',
      (settings: object) => ({
        importing: () => [IdleSessionModule.forRoot(settings as never)],
      }),
    ],
  ])('and forRoot() take the getters of a class: %s', async (_, by) => {
    class Settings {
      session = { secret: SECRET };
      get idleTimeout() {
        return '8m';
      }
    }
    expect(await idleTimeoutOf(await start(by(new Settings())))).toBe(8 * MINUTE);
  });

  it('says where the path belongs if the factory returns it', async () => {
    const useFactory = () =>
      ({ path: 'auth/idle', session: { secret: SECRET } }) as IdleSessionModuleOptions;
    await expect(start(importing({ useFactory }))).rejects.toThrow(
      /Option "path" .* beside useFactory, useClass or useExisting, as forRootAsync\(\{ path \}\)/,
    );
  });

  it.each([undefined, null, 'options'])('says so if the factory returns %p', async (returned) => {
    const useFactory = () => returned as unknown as IdleSessionModuleOptions;
    await expect(start(importing({ useFactory }))).rejects.toThrow(
      /Option "options" got .*; it takes the options object of IdleSessionModule/,
    );
  });

  it('passes on what a factory throws', async () => {
    const useFactory = async (): Promise<IdleSessionModuleOptions> => {
      throw new Error('no vault today');
    };
    await expect(start(importing({ useFactory }))).rejects.toThrow('no vault today');
  });
});
