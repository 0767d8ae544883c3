import { isDeepStrictEqual } from 'node:util';
import { Inject, Module, type DynamicModule } from '@nestjs/common';
import { IdleSessionCoreModule } from './idle-session-core.module.js';
import type { IdleSessionModuleOptions } from './options/idle-session.options.js';
import {
  ASYNC_OPTIONS_TYPE,
  COMMON_CONFIGURATION,
  CONFIGURATION,
  ConfigurableModuleClass,
  DEFAULT_PATH,
  MODULE_OPTIONS_TOKEN,
  OPTIONS_TYPE,
  type Configuration,
} from './options/module-definition.js';
import { asFields, MODULE_RULES } from './options/option-rules.js';
import { checkOptionsObject, resolvePath } from './options/resolve-options.js';

/**
 * Idle-session protection for the whole app: mounts express-session, checks every request and counts it as activity,
 * answers for sessions that ended and serves the endpoints. Imported in one place or in several, it does so once.
 *
 * @example
 * IdleSessionModule.forRoot({ idleTimeout: '15m', session: { secret }, loginUrl: '/login' })
 */
@Module({})
export class IdleSessionModule extends ConfigurableModuleClass {
  constructor(
    @Inject(CONFIGURATION) own: Configuration,
    @Inject(COMMON_CONFIGURATION) common: Configuration,
  ) {
    super();
    if (!isDeepStrictEqual(own, common)) {
      throw new Error(
        'IdleSessionModule is configured twice, with different options. Call forRoot() or forRootAsync() once, in the root module: it serves the whole app.',
      );
    }
  }

  /** @throws {IdleSessionOptionsError} when the app starts, naming the option that is wrong */
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    checkOptionsObject(options);
    return configured(super.forRoot(asFields(options, MODULE_RULES)), options.path);
  }

  /** As {@link forRoot}, with options that are made by a provider; `path` is given beside it. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return configured(super.forRootAsync(options), options.path);
  }
}

function configured(definition: DynamicModule, givenPath: unknown = DEFAULT_PATH): DynamicModule {
  const path = resolvePath(givenPath);
  return {
    ...definition,
    global: true,
    imports: [...(definition.imports ?? []), IdleSessionCoreModule],
    providers: [
      ...(definition.providers ?? []),
      {
        provide: CONFIGURATION,
        inject: [MODULE_OPTIONS_TOKEN],
        useFactory: (options: IdleSessionModuleOptions): Configuration => ({ options, path }),
      },
    ],
    exports: [CONFIGURATION],
  };
}
