import { Global, Logger, Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, ApplicationConfig } from '@nestjs/core';
import { IdleClock } from './idle-clock.js';
import { SessionExpiredFilter } from './idle-session.filter.js';
import { IdleSessionGuard } from './idle-session.guard.js';
import { IdleSessionInterceptor } from './idle-session.interceptor.js';
import type { IdleSessionModuleOptions } from './idle-session.options.js';
import { IdleSessionService } from './idle-session.service.js';
import { IdleSessionStore } from './idle-session.store.js';
import { MODULE_OPTIONS_TOKEN, RESOLVED_OPTIONS } from './module-definition.js';
import { resolveOptions } from './resolve-options.js';

/** The options as the app gave them, of the one configuration that counts. */
export const CONFIGURED_OPTIONS = Symbol('IdleSessionConfiguredOptions');

/**
 * What there is once in an app. It is a static module, so that Nest makes one of it however often the dynamic module
 * around it is imported; and a global one, so that its middleware comes before other modules'.
 */
@Global()
@Module({
  providers: [
    {
      provide: CONFIGURED_OPTIONS,
      inject: [MODULE_OPTIONS_TOKEN],
      useFactory: (options: unknown) => options,
    },
    {
      provide: RESOLVED_OPTIONS,
      inject: [CONFIGURED_OPTIONS],
      useFactory: (options: IdleSessionModuleOptions) =>
        resolveOptions(options, new Logger('IdleSessionModule')),
    },
    IdleClock,
    IdleSessionStore,
    IdleSessionService,
    IdleSessionGuard,
    IdleSessionInterceptor,
    SessionExpiredFilter,
    { provide: APP_GUARD, useExisting: IdleSessionGuard },
    { provide: APP_INTERCEPTOR, useExisting: IdleSessionInterceptor },
  ],
  exports: [CONFIGURED_OPTIONS, RESOLVED_OPTIONS, IdleSessionService],
})
export class IdleSessionCoreModule implements NestModule {
  constructor(
    private readonly config: ApplicationConfig,
    private readonly sessions: IdleSessionService,
    private readonly filter: SessionExpiredFilter,
  ) {}

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(this.sessions.middleware()).forRoutes('{*path}');
    // Nest asks the filter that was registered last first, and main.ts has registered its own by now.
    this.config.useGlobalFilters(this.filter);
  }
}
