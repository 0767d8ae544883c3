import { isDeepStrictEqual } from 'node:util';
import { Inject, Module, type DynamicModule } from '@nestjs/common';
import { idleSessionController } from './idle-session.controller.js';
import { CONFIGURED_OPTIONS, IdleSessionCoreModule } from './idle-session-core.module.js';
import type { IdleSessionModuleOptions } from './idle-session.options.js';
import {
  ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  DEFAULT_PATH,
  MODULE_OPTIONS_TOKEN,
  OPTIONS_TYPE,
} from './module-definition.js';
import { resolvePath } from './resolve-options.js';

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
    @Inject(MODULE_OPTIONS_TOKEN) own: IdleSessionModuleOptions,
    @Inject(CONFIGURED_OPTIONS) configured: IdleSessionModuleOptions,
  ) {
    super();
    if (!isDeepStrictEqual(own, configured)) {
      throw new Error(
        'IdleSessionModule is configured twice, with different options. Call forRoot() or forRootAsync() once, in the root module: it serves the whole app.',
      );
    }
  }

  /** @throws {IdleSessionOptionsError} when the app starts, naming the option that is wrong */
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return withEndpoints(super.forRoot(options), options.path);
  }

  /** As {@link forRoot}, with options that are made by a provider; `path` is given beside it. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return withEndpoints(super.forRootAsync(options), options.path);
  }
}

function withEndpoints(definition: DynamicModule, path: unknown = DEFAULT_PATH): DynamicModule {
  const resolved = resolvePath(path);
  return {
    ...definition,
    global: true,
    imports: [...(definition.imports ?? []), IdleSessionCoreModule],
    controllers: resolved === false ? [] : [idleSessionController(resolved)],
    exports: [MODULE_OPTIONS_TOKEN],
  };
}
