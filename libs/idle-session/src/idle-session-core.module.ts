import { Global, Logger, Module, type NestModule } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { IdleClock } from './session/session-activity.js';
import { SessionExpiredFilter } from './request/session-expired.filter.js';
import { IdleSessionGuard } from './request/idle-session.guard.js';
import { IdleSessionInterceptor } from './request/idle-session.interceptor.js';
import { IdleSessionService } from './idle-session.service.js';
import { IdleSessionStore } from './session/session-store.js';
import { IdleSessionSweeper } from './session/expired-session.sweeper.js';
import {
  CONFIGURATION,
  RESOLVED_OPTIONS,
  type Configuration,
} from './options/module-definition.js';
import { Outage } from './utils/outage-log.js';
import { resolveOptions, type ResolvedOptions } from './options/resolve-options.js';

/** Of all modules that configure, the configuration that counts. */
export const COMMON_CONFIGURATION = Symbol('IdleSessionCommonConfiguration');

/**
 * What there is once in an app. It is a static module, so that Nest makes one of it however often the dynamic module
 * around it is imported; and a global one, so that its middleware comes before other modules'.
 */
@Global()
@Module({
  providers: [
    {
      provide: COMMON_CONFIGURATION,
      inject: [CONFIGURATION],
      useFactory: (configuration: Configuration) => configuration,
    },
    {
      provide: RESOLVED_OPTIONS,
      inject: [COMMON_CONFIGURATION],
      useFactory: ({ options }: Configuration) =>
        resolveOptions(options, new Logger('IdleSessionModule')),
    },
    { provide: Outage, useFactory: () => new Outage(new Logger('IdleSessionModule')) },
    IdleClock,
    IdleSessionStore,
    IdleSessionService,
    IdleSessionGuard,
    IdleSessionInterceptor,
    IdleSessionSweeper,
    SessionExpiredFilter,
    { provide: APP_GUARD, useExisting: IdleSessionGuard },
    {
      provide: APP_INTERCEPTOR,
      inject: [RESOLVED_OPTIONS, IdleSessionInterceptor],
      // Nest passes over what is not there, and without any interceptor it saves itself the way through RxJS.
      useFactory: ({ refreshOn }: ResolvedOptions, interceptor: IdleSessionInterceptor) =>
        refreshOn === 'handler' ? interceptor : undefined,
    },
  ],
  exports: [COMMON_CONFIGURATION, RESOLVED_OPTIONS, IdleSessionService],
})
export class IdleSessionCoreModule implements NestModule {
  constructor(
    private readonly config: ApplicationConfig,
    private readonly adapterHost: HttpAdapterHost,
    private readonly sessions: IdleSessionService,
    private readonly sweeper: IdleSessionSweeper,
    private readonly filter: SessionExpiredFilter,
  ) {}

  /** Called once, when the middleware of `main.ts` is mounted, and none of any module. */
  configure(): void {
    // Not by a consumer: Nest would hold the path of each request against a pattern first.
    this.adapterHost.httpAdapter.use(this.sessions.middleware());
    // Nest asks the filter that was registered last first, and main.ts has registered its own by now.
    this.config.useGlobalFilters(this.filter);
    // Only apps that serve requests get here: a script that ends at once would take events with it.
    this.sweeper.start();
  }
}
