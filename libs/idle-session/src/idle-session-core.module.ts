import { Global, Logger, Module, type NestModule } from '@nestjs/common';
import { APP_GUARD, ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { EndpointsModule } from './endpoints/endpoints.module.js';
import { IdleSessionService } from './idle-session.service.js';
import {
  COMMON_CONFIGURATION,
  CONFIGURATION,
  RESOLVED_OPTIONS,
  type Configuration,
} from './options/module-definition.js';
import { resolveConfiguration } from './options/resolve-options.js';
import { FreshRouteRules } from './request/fresh-route-rules.js';
import { IdleSessionGuard } from './request/idle-session.guard.js';
import { IdleSessionInterceptor } from './request/idle-session.interceptor.js';
import { MarkedResponses } from './request/marked-responses.js';
import { ProtectingMiddleware } from './request/protecting-middleware.js';
import { SessionExpiredFilter } from './request/session-expired.filter.js';
import { EndedSession } from './session/ended-session.js';
import { ExpiredSessionSweeper } from './session/expired-session.sweeper.js';
import { HandshakeSessions } from './session/open/handshake-sessions.js';
import { OpenResponses } from './session/open/open-responses.js';
import { OpenSessions } from './session/open/open-sessions.js';
import { OpenSockets } from './session/open/open-sockets.js';
import { OwnedSessions } from './session/owned-sessions.js';
import { PersonSessions } from './session/person-sessions.js';
import { SessionRegistration } from './session/session-registration.js';
import { RequestSessions } from './session/request-sessions.js';
import { SessionActivity } from './session/session-activity.js';
import { SessionConfirmation } from './session/session-confirmation.js';
import { SessionEnding } from './session/session-ending.js';
import { SessionEvents } from './session/session-events.js';
import { SessionLookup } from './session/session-lookup.js';
import { SessionSaving } from './session/session-saving.js';
import { SESSION_MIDDLEWARE, sessionMiddleware } from './session/session.middleware.js';
import { SessionStart } from './session/session-start.js';
import { SessionStats } from './session/session-stats.js';
import { SessionUnlocking } from './session/session-unlocking.js';
import { SessionWriter } from './session/session-writer.js';
import { IdleSessionStore } from './session/session-store.js';
import { UnrecordedEnds } from './session/unrecorded-ends.js';
import { UserStore } from './session/user-store.js';
import { OutageLog } from './utils/outage-log.js';

/**
 * What there is once in an app. It is a static module, so that Nest makes one of it however often the dynamic module
 * around it is imported; and a global one, so that its middleware comes before other modules'.
 */
@Global()
@Module({
  imports: [EndpointsModule],
  providers: [
    {
      provide: COMMON_CONFIGURATION,
      inject: [CONFIGURATION],
      useFactory: (configuration: Configuration) => configuration,
    },
    {
      provide: RESOLVED_OPTIONS,
      inject: [COMMON_CONFIGURATION],
      useFactory: (configuration: Configuration) =>
        resolveConfiguration(configuration, new Logger('IdleSessionModule')),
    },
    { provide: OutageLog, useFactory: () => new OutageLog(new Logger('IdleSessionModule')) },
    UserStore,
    SessionEvents,
    SessionActivity,
    SessionStart,
    OpenSessions,
    OpenResponses,
    EndedSession,
    SessionStats,
    UnrecordedEnds,
    SessionEnding,
    SessionLookup,
    SessionWriter,
    RequestSessions,
    OwnedSessions,
    SessionRegistration,
    PersonSessions,
    SessionSaving,
    IdleSessionStore,
    {
      provide: SESSION_MIDDLEWARE,
      inject: [RESOLVED_OPTIONS, IdleSessionStore, RequestSessions, OpenResponses],
      useFactory: sessionMiddleware,
    },
    HandshakeSessions,
    OpenSockets,
    ExpiredSessionSweeper,
    SessionConfirmation,
    SessionUnlocking,
    FreshRouteRules,
    IdleSessionGuard,
    IdleSessionInterceptor,
    MarkedResponses,
    SessionExpiredFilter,
    ProtectingMiddleware,
    IdleSessionService,
    { provide: APP_GUARD, useExisting: IdleSessionGuard },
  ],
  exports: [
    COMMON_CONFIGURATION,
    RESOLVED_OPTIONS,
    RequestSessions,
    MarkedResponses,
    PersonSessions,
    EndedSession,
    IdleSessionService,
  ],
})
export class IdleSessionCoreModule implements NestModule {
  constructor(
    private readonly config: ApplicationConfig,
    private readonly adapterHost: HttpAdapterHost,
    private readonly sessions: IdleSessionService,
    private readonly sweeper: ExpiredSessionSweeper,
    private readonly interceptor: IdleSessionInterceptor,
    private readonly filter: SessionExpiredFilter,
  ) {}

  /** Called once, when the middleware of `main.ts` is mounted, and none of any module. */
  configure(): void {
    const { httpAdapter } = this.adapterHost;
    requireExpress(httpAdapter.getType());
    // Not by a consumer: Nest would hold the path of each request against a pattern first.
    httpAdapter.use(this.sessions.middleware());
    // main.ts has registered its own by now, and so have all modules. Nest asks the filter first that was registered
    // last, and runs the interceptor first that was registered first.
    this.config.useGlobalFilters(this.filter);
    const others = this.config.getGlobalInterceptors().splice(0);
    this.config.useGlobalInterceptors(this.interceptor, ...others);
    // Only apps that serve requests get here: a script that ends at once would take events with it.
    this.sweeper.start();
    new Logger('IdleSessionModule').log(this.sessions.policy().summary);
  }
}

/** On another platform express-session would not work: every request would fail, or none would be guarded. */
function requireExpress(platform: string): void {
  if (platform === 'express') return;
  throw new Error(
    `IdleSessionModule works on Express only, and this app runs on ${platform}. Create the app with @nestjs/platform-express: NestFactory.create(AppModule) takes it by itself where it is installed.`,
  );
}
